"""What the tables of `tests/unit/sentences` are given: each sentence, made of plain values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from maskviz.masks.mask import Mask
from maskviz.masks.spans import MaskSpan

TEXT = "A dull and slow film."
Given = Mapping[str, Any]


def mask_of(
    text: str = TEXT, hidden: Sequence[str] = ("dull",), strategy: str = "pattern",
    edited: bool = False,
) -> Mask:  # fmt: skip
    spans = tuple(MaskSpan(text.index(w), text.index(w) + len(w)) for w in hidden)
    return Mask(text, spans, strategy, {"edited": True} if edited else {})


def prediction(p: Mapping[str, float], head: str = "single") -> Any:
    from maskviz.readings.labels import Prediction

    label = max(p, key=lambda name: p[name])
    chosen = tuple(n for n, v in p.items() if v >= 0.5) if head == "multi" else (label,)
    odds = p if head != "single" else {n: math.log(v / (1 - v)) for n, v in p.items()}
    return Prediction(label, dict(p), chosen, dict(odds))


def comparison(
    plain: Mapping[str, float], masked: Mapping[str, float], head: str = "single",
    question: str = "labels", subject: str = "", detail: Given | None = None, **of: Any,
) -> Any:  # fmt: skip
    from maskviz.evidence.text.compare import Comparison

    before, after = prediction(plain, head), prediction(masked, head)
    delta = {name: masked[name] - plain[name] for name in plain}
    return Comparison(
        mask_of(**of), "mask", "mini", before, after, delta, 0.1, question=question, head=head,
        subject=subject, detail=dict(detail or {}),
    )  # fmt: skip


def control(
    draws: int = 99, as_strong: int = 4, number: int = 1, unit: str = "word", whole: bool = False,
    by_effect: bool = False,
) -> Any:  # fmt: skip
    from maskviz.evidence.chance.verdict import Control

    return Control(
        draws, "x", (0.5,), 0.1, 0.1, 0.9, unit=unit, number=number, whole=whole,
        as_strong=as_strong, p_value=(1 + as_strong) / (1 + draws), by_effect=by_effect,
    )  # fmt: skip


def of_text(chance: Given | None = None, doing: str = "", p_adjusted: Any = None, **of: Any) -> str:
    from maskviz.evidence.text.sentence import comparison_sentence

    beside = None if chance is None else control(**chance)
    return comparison_sentence(comparison(**of), beside, doing, p_adjusted)


def fills(guesses: Sequence[Sequence[str]] = (), **of: Any) -> str:
    from maskviz.evidence.text.sentence import fill_sentence
    from maskviz.readings.fills import Candidate, Fill

    found = [Fill(0, 1, t, tuple(Candidate(g, 0.1) for g in own)) for t, *own in guesses]
    return fill_sentence(mask_of(**of), found, "mini")


def spoken(
    before: str, after: str, moved: float, hidden: Sequence[str] = ("Rome",),
    chance: Given | None = None, sentences: Sequence[Sequence[int]] = (),
) -> str:  # fmt: skip
    """sentences: where they stand in the system prompt; none where no pipeline is here."""
    from maskviz.evidence.text.spoken import spoken_sentence
    from maskviz.text.conversation import Conversation, Turn

    said = Conversation(
        (Turn("system", "Ann is in Rome. Bob is not."), Turn("user", "Where is Ann?"))
    )
    detail = {
        "generation": {"original": before, "masked": after},
        "log_probability_original": -5.0, "log_probability_masked": -5.0 + moved,
    }  # fmt: skip
    found = SimpleNamespace(mask=mask_of(said.text, hidden, "manual"), detail=detail)
    with patch(
        "maskviz.evidence.text.spoken.sentences_of", return_value=tuple(map(tuple, sentences))
    ):
        return spoken_sentence(found, None if chance is None else control(**chance), said)


def ranks(hidden: Sequence[str]) -> str:
    from maskviz.evidence.text.spoken import Ranked, rank_said

    text, places = "Hi. Bye. So.", ((0, 3), (4, 8), (9, 12))
    ranked = [Ranked(0, *place, text[slice(*place)], 1.0) for place in places]
    return rank_said(ranked, mask_of(text, hidden))


# units ----------------------------------------------------------------------------------------


def units_mask(units: str) -> Any:
    from maskviz.inside.units import Anatomy, UnitMask

    anatomy = Anatomy(
        "m", "bert", "encoder", {("encoder", 0): 9, ("encoder", 1): 9}, {"encoder": 2}
    )
    return UnitMask(anatomy, anatomy.read(units))


def silenced(units: str, chance: Given, operator: str = "mean", **of: Any) -> str:
    from maskviz.evidence.units.asking import Way
    from maskviz.evidence.units.compare import Silenced
    from maskviz.evidence.units.sentence import units_sentence

    found = comparison(**of, hidden=[])
    return units_sentence(Silenced(units_mask(units), Way(operator), found, control(**chance)))


def scanned(
    effect: float, probability: float = math.nan, plain: Sequence[Any] = (), rows: int = 1,
    tested: Given | None = None, head: str = "single", question: str = "labels",
) -> str:  # fmt: skip
    from maskviz.evidence.units.asking import Way
    from maskviz.evidence.units.scan import Tested, UnitEffect, UnitScan
    from maskviz.evidence.units.sentence import scan_sentence
    from maskviz.inside.units import unit_of

    known = probability if probability == probability else None
    one = UnitEffect(unit_of("2.3"), effect, math.nan, math.nan, 1, known)
    others = [UnitEffect(unit_of("1.1"), 0.0, math.nan, math.nan, 2, known)] * 17
    held = None if tested is None else Tested(unit_of("2.3"), low=0.1, high=0.9, of=18, **tested)
    asked = SimpleNamespace(head=head, name=question)
    found = UnitScan(
        units_mask("2.3").anatomy, asked, Way(), [[0.0]] * rows, (one, *others), held,
        plain=tuple(plain) or None,
    )  # fmt: skip
    return scan_sentence(found)


def cut(
    others: int = 0, p: float = math.nan, every: bool = False, last: int = 0, effect: float = -1.5
) -> str:
    from maskviz.evidence.units.knockout import Knockout, Window
    from maskviz.evidence.units.sentence import knockout_sentence

    windows = (Window(0, last, effect, 0.5), Window(1, 1 + last, 0.1, 0.6))
    return knockout_sentence(
        Knockout(
            "mini", "labels", "negative", 0.9, ("film",), ("dull",), 1 + last, windows,
            Window(0, 3, effect, 0.3), "1 word", (0.1,) * others, p if p == p else None, every,
        )
    )  # fmt: skip


def lens(ranks: Sequence[int], masked: Sequence[int] = ()) -> str:
    from maskviz.evidence.units.layers import Lens, LensRow
    from maskviz.evidence.units.sentence import lens_sentence

    plain, hidden = (
        tuple(LensRow(i, "x", 0.5, 0.5, rank) for i, rank in enumerate(own))
        for own in (ranks, masked)
    )
    return lens_sentence(Lens("mini", "labels", "positive", 1200, plain, hidden))


def pruned(cost: Given | None = None) -> str:
    from maskviz.evidence.units.prune import Cost, Pruned, pruned_sentence

    found = None if cost is None else Cost(200, 0.985, "before" in cost, **cost)
    return pruned_sentence(Pruned(units_mask("1.1,2.3"), "out", "labels", found))  # type: ignore[arg-type]


def worth(methods: Sequence[Given]) -> str:
    from maskviz.evidence.words.worth import Worth, worth_sentence

    base = {"k": 3, "fall": 0.1, "random": 0.1, "low": 0.0, "high": 0.2, "uniform": 0.05}
    known = {"tau": None, "words": ()}
    return worth_sentence([Worth(**{**base, **known, **one}) for one in methods])


# files and pairs ------------------------------------------------------------------------------


def strategy(told: bool | None = False, measure: str = "flips", **more: Any) -> Any:
    """Return what a strategy did; told: apart from chance, None where none were drawn."""
    from maskviz.evidence.files.chance import ChanceResult
    from maskviz.evidence.files.tally import StrategyResult

    of_chance = more.pop("chance", {})
    p = 0.001 if told else 0.4
    beside: dict[str, Any] = {
        "flip_rate": 0.05, "flip_ci95": (0.03, 0.07), "flip_beyond": 0.07,
        "flip_beyond_ci95": (0.03, 0.11), "rows": 300,
    }  # fmt: skip
    flips = {"flip_p_value": p, "flip_p_adjusted": p}
    values = {
        "change": -0.01, "beyond": -0.031, "beyond_ci95": (-0.051, -0.011), "p_value": p,
        "p_adjusted": p,
    }  # fmt: skip
    beside |= flips if measure == "flips" else values
    given: dict[str, Any] = {
        "rows": 300, "flip_rate": 0.12, "flip_ci95": (0.09, 0.16), "accuracy_original": None,
        "accuracy_masked": None, "delta_accuracy": None, "ci95": None, "p_value": None,
        "mean_kl": 0.1, "realised_ratio": 0.2, "rows_hiding": 300,
    }  # fmt: skip
    right = {"accuracy_original": 0.91, "accuracy_masked": 0.85, "delta_accuracy": -0.06}
    given |= right if measure == "accuracy" else {}
    given |= {"mean_kl": None, "flip_ci95": None} if measure == "value" else {}
    chance = None if told is None else ChanceResult(**(beside | of_chance))
    return StrategyResult(**(given | more), chance=chance)


def of_file(strategies: Mapping[str, Given], rows: int = 300, question: Any = "labels") -> str:
    from maskviz.evidence.files.file_result import FileComparison
    from maskviz.evidence.files.finding import finding

    found = {
        name: strategy(own.get("told", False) if own.get("drawn", True) else None,
                       **{k: v for k, v in own.items() if k not in ("told", "drawn")})
        for name, own in strategies.items()
    }  # fmt: skip
    return finding(FileComparison(rows, "mini", "mask", found, question=question))


def gap(p: float = 0.4, **more: Any) -> Any:
    from maskviz.evidence.counterfactual.gap import Gap

    given: dict[str, Any] = {
        "pairs": 200, "flip_rate": 0.04, "flip_ci95": (0.02, 0.077), "ctf_gap": 0.034,
        "ctf_ci95": (0.03, 0.04), "mean_difference": -0.01, "ci95": (-0.018, -0.002),
        "p_value": p, "same_input": 0.0,
    }  # fmt: skip
    return Gap(**(given | more))


def of_pairs(
    plain: Given | None = None, kinds: Mapping[str, Given] | None = None, in_words: bool = False,
    rows: Sequence[int] = (),
) -> str:  # fmt: skip
    from maskviz.evidence.counterfactual.finding import finding

    groups = {kind: {"plain": gap(**own)} for kind, own in (kinds or {}).items()}
    shown = "Rome" if in_words else "good"
    return finding({"plain": gap(**(plain or {}))}, groups, shown, in_words, tuple(rows) or None)


def kinds(kinds: Mapping[str, Given]) -> str:
    from maskviz.evidence.counterfactual.finding import verdicts

    told = verdicts({kind: gap(**own) for kind, own in kinds.items()})
    return "; ".join(f"{one.kind}: {one.verdict}" for one in told)


def written(scores: Sequence[Sequence[float]], bleu: bool = True, texts: int = 3) -> str:
    from maskviz.evidence.files.written import WAYS, NoisyTranslation, Translated

    ways = [
        Translated(way, ("x",) * texts, (), own[1] if bleu else None, own[0])
        for way, own in zip(WAYS, scores, strict=True)
    ]
    return NoisyTranslation(tuple(ways), (), 0.0, 0.0).finding


def leaning(name: str, rest: Given) -> Any:
    from maskviz.evidence.shortcuts.result import Leaning, Part

    part = {
        "rows": 60, "share": 0.3, "strength": 0.9, "reference": 0.2, "beyond": 0.7,
        "ci95": (0.5, 0.9), "flip_rate": 0.1, "flip_ci95": None, "flips_beyond": None,
        "flips_beyond_ci95": None, "accuracy_plain": None, "accuracy_masked": None,
        "delta_accuracy": None, "accuracy_ci95": None,
    }  # fmt: skip
    found = SimpleNamespace(**(part | {k: v for k, v in rest.items() if k in part}))
    own = {k: v for k, v in rest.items() if k not in part}
    values = {"kind": "word", "strategy": "", "parameters": {}, "units": 60, "p_value": 0.0004}
    whole = Part(**vars(found))
    return Leaning(name=name, all=whole, q_value=0.004, found=True, **{**values, **own})


def leanings(
    found: Mapping[str, Given], tested: int = 250, rows: int = 200, value: str = "log-odds",
    complete: bool = True,
) -> str:  # fmt: skip
    from maskviz.evidence.shortcuts.sentence import finding

    own = [leaning(name, rest) for name, rest in found.items()]
    return finding("mini", own, tested, rows, value, complete)


def lines(found: Sequence[tuple[str, bool | None, str]]) -> str:
    """Return verdicts as one text: what is claimed, whether it holds, the figures."""
    held = {True: "holds", False: "does not hold", None: "cannot be told"}
    return "; ".join(f"{claim}: {held[holds]}: {said}" for claim, holds, said in found)


def caller(name: str) -> Callable[..., str]:
    """Return what makes the sentence of `module:function` from a case's values."""
    others = (import_module(f"tests.sentences_of_{kind}").HERE for kind in ("runs", "pages"))
    return {name: make for own in (HERE, *others) for name, make in own.items()}[name]


_OF = "maskviz.evidence."
HERE: dict[str, Callable[..., str]] = {
    f"{_OF}text.sentence:comparison_sentence": of_text,
    f"{_OF}text.sentence:fill_sentence": fills,
    f"{_OF}text.spoken:spoken_sentence": spoken,
    f"{_OF}text.spoken:rank_said": ranks,
    f"{_OF}units.sentence:units_sentence": silenced,
    f"{_OF}units.sentence:scan_sentence": scanned,
    f"{_OF}units.sentence:knockout_sentence": cut,
    f"{_OF}units.sentence:lens_sentence": lens,
    f"{_OF}units.prune:pruned_sentence": pruned,
    f"{_OF}words.worth:worth_sentence": worth,
    f"{_OF}files.finding:finding": of_file,
    f"{_OF}files.written:NoisyTranslation.finding": written,
    f"{_OF}counterfactual.finding:finding": of_pairs,
    f"{_OF}counterfactual.finding:verdicts": kinds,
    f"{_OF}shortcuts.sentence:finding": leanings,
}
