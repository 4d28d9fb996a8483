"""What the tables are given of reports and pages: what they write themselves, of plain values."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from tests.sentences import Given, control, mask_of, strategy


def prose(page: str) -> str:
    """Return what a part of a report says, without its marks."""
    return " ".join(html.unescape(re.sub(r"<[^<>]*>", " ", page)).split())


# groups and the distractor --------------------------------------------------------------------


def of_groups(measure: str = "accuracy", arm: str = "plain", **gaps: Any) -> str:
    from maskviz.evidence.files.group_words import gap_sentence
    from maskviz.evidence.files.groups import Gaps

    given = {name: tuple(v) if isinstance(v, list) else v for name, v in gaps.items()}
    return gap_sentence(arm, Gaps({}, **given), measure)


def neutral(**given: Any) -> str:
    from maskviz.evidence.distractor.words import neutral_said

    return neutral_said(planted(**given))


def won_back(**given: Any) -> str:
    from maskviz.ui.guide.choice import _won_back

    return _won_back(planted(**given))


def planted(neutral: Sequence[Sequence[float]] = (), **given: Any) -> Any:
    """Return an experiment with the means of its neutral accuracies."""
    from tests.sentences_of_runs import interference

    found = interference(neutral=neutral, seeds=len(next(iter(neutral), ())) or 5, **given)
    for arm, own in zip(("plain", "attribute"), neutral, strict=False):
        found.arms.setdefault(arm, {})["accuracy_neutral"] = (sum(own) / len(own), 0.0, 0.0)
    return found


# reports --------------------------------------------------------------------------------------


def rests(words: Mapping[str, float], unit: str = "Δp") -> str:
    from maskviz.report.text import _rests

    return _rests(list(words), list(words.values()), unit)


def how_many(**of: Any) -> str:
    from maskviz.report.text import _how_many

    return _how_many(mask_of(**of))


def against_others(label: str = "positive", **chance: Any) -> str:
    from maskviz.report.text import _beside_others

    return _beside_others(label, control(**chance))


def tried(count: int, total: int) -> str:
    from maskviz.report.conversation import _tried

    return _tried(count, total)


def beside_plain(plain: str, masked: str, fall: float) -> str:
    from maskviz.report.conversation import _beside_plain

    return _beside_plain(plain, masked, fall)


def begin(share: float) -> str:
    from maskviz.report.conversation import _begin_said

    return _begin_said(share)


def run_done(
    texts: int, steps: int, majority: float, kind: str = "single_label_classification"
) -> str:
    from maskviz.report.run import _done

    result = {"train_rows": texts, "steps": steps, "majority": majority, "seconds": 90}
    spec = SimpleNamespace(kind=kind, model="mini")
    return prose(_done(SimpleNamespace(spec=spec), result))  # type: ignore[arg-type]


def run_hidden(active: bool = True, dynamic: bool = False, ratio: float = 0.2) -> str:
    from maskviz.report.run import _hidden

    masking = SimpleNamespace(active=active, dynamic=dynamic, named="attribute")
    run = SimpleNamespace(spec=SimpleNamespace(masking=masking))
    return prose(_hidden(run, {"realised_ratio": ratio}))  # type: ignore[arg-type]


def run_groups(accuracy: Mapping[str, float], rows: Mapping[str, int]) -> str:
    from maskviz.report.run import _groups

    one = {"split": "dev", "mask": "plain", "group_accuracy": accuracy, "group_rows": rows}
    found = _groups({"evaluations": [one]})
    return " ".join(f"{section.title} {prose(section.body)}" for section in found)


def trained(count: int, seeds: int) -> str:
    from maskviz.report.sweep import _trained

    return _trained(count, seeds)


def differences(rows: Mapping[str, Sequence[float]]) -> str:
    from maskviz.report.sweep import _told

    return _told([(name, *own, "masked") for name, own in rows.items()])  # type: ignore[misc]


def of_whole_file(rows: int, strategies: Mapping[str, Given]) -> Any:
    from maskviz.evidence.files.file_result import FileComparison

    drawn = {
        n: strategy(False if own.get("drawn", True) else None) for n, own in strategies.items()
    }
    return FileComparison(rows, "mini", "mask", drawn)


def file_done(rows: int, **strategies: Given) -> str:
    from maskviz.report.comparison import _file_done

    return prose(_file_done(of_whole_file(rows, strategies), {"name": "own.csv"}))


def pairs_done(pairs: int, swap: Sequence[str] = ()) -> str:
    from maskviz.report.comparison import _pairs_done

    found = {"model": "mini", "pairs": pairs, "notes": []}
    return prose(_pairs_done(found, {"name": "own.csv", "arguments": {"swap": swap}}))


def pairs_sure(pairs: int, swapped: bool) -> str:
    from maskviz.report.comparison import _pairs_sure

    return _pairs_sure(pairs, swapped)


# pages ----------------------------------------------------------------------------------------


def falls(**worth: Any) -> str:
    from maskviz.ui.attention.panels import _falls

    given = {"k": 3, "random": 0.1, "low": -0.01, "high": 0.2, "uniform": 0.05}
    return _falls(SimpleNamespace(**(given | worth)))  # type: ignore[arg-type]


def by_role(shares: Mapping[str, Sequence[float]]) -> str:
    from maskviz.evidence.units.choose import RoleShare
    from maskviz.ui.attention.units import _by_role

    return _by_role([RoleShare(role, int(heads), share) for role, (heads, share) in shares.items()])


def two_answers(tokens: Sequence[Sequence[int]], longest: int = 32, stopped: bool = False) -> str:
    from maskviz.ui.chat.answers import _ended_said

    return _ended_said(tokens, longest, stopped)


def chat_hides(count: int, total: int) -> str:
    from maskviz.ui.chat.hidden import said

    return said(count, total)


def parts(at: int = -1) -> str:
    from maskviz.ui.compare.answer import _parts

    return _parts(None if at < 0 else at)


def matters(text: str, kl: float) -> str:
    from maskviz.ui.compare.answer import _matters

    return _matters(text, kl)


def people(texts: int, share: float) -> str:
    from maskviz.ui.compare.explain import _people

    return _people(texts, share)


def missed(gap: float) -> str:
    from maskviz.ui.compare.explain import _missed

    return _missed(gap)


def length(gaps: Mapping[str, Given], longer_than: int = 40) -> str:
    from maskviz.ui.compare.leans import _length_said

    known = {name: {"ci95": None, "q_value": None, **own} for name, own in gaps.items()}
    return _length_said(known, longer_than)


def of_row(
    label: str, probability: float, masked: str, change: float, valued: bool = False,
    expected: str | None = None,
) -> str:  # fmt: skip
    from maskviz.evidence.files.tally import RowResult
    from maskviz.ui.compare.result import row_said

    return row_said(
        RowResult(3, "A text.", expected, label, probability, {}), masked, change, valued
    )


def same_answers(agreement: float, rows: int) -> str:
    from maskviz.ui.compare.result import _same_answers

    return _same_answers(agreement, rows)


def beyond(told: bool = False, measure: str = "flips", valued: bool = False, **chance: Any) -> str:
    from maskviz.ui.compare.result import _beyond

    return _beyond(strategy(told, measure, chance=chance).chance, valued)


def survives(found: Mapping[str, Mapping[str, str]]) -> str:
    from maskviz.ui.compare.text import _survives

    return _survives(found)


def strongest(turns: Sequence[float | str], kind: str = "p") -> str:
    """turns: what hiding each moves; a name where it cannot be hidden by itself."""
    from maskviz.evidence.text.roles import TurnEffect
    from maskviz.evidence.text.scale import Scale
    from maskviz.ui.compare.turns import _strongest

    known = [None if isinstance(delta, str) else delta for delta in turns]
    effects = [TurnEffect(i, "user", 3, 0, delta, None) for i, delta in enumerate(known, 1)]
    return _strongest(effects, Scale("Rome", kind))


def moved_most(tokens: Mapping[str, float]) -> str:
    from maskviz.ui.components.lit_text import _moved_most

    return _moved_most(list(tokens), list(tokens.values()))


def head(weights: Sequence[float], sink: float | None, bias: bool, own: bool) -> Any:
    """Return one row of a head's numbers over as many keys."""
    import numpy as np

    from maskviz.inside.arithmetic import HeadArithmetic

    row = np.array([weights])
    seen = np.ones_like(row, bool)
    seen[0, -1] = not own
    return HeadArithmetic(
        row, (row,) if bias else (), seen, None if sink is None else np.array([sink]), row, row, row
    )


def terms(
    weights: Sequence[float], sink: float | None = None, bias: bool = False, own: bool = False
) -> str:
    import numpy as np

    from maskviz.ui.guide.terms import said

    return said(head(weights, sink, bias, own), np.ones((1, len(weights)), bool), 0)


def attends(plain: Sequence[float], masked: Sequence[float], sink: float | None = None) -> str:
    from maskviz.ui.guide.terms import finding

    both = (head(own, sink, False, False) for own in (masked, plain))
    return finding("abcdefgh"[: len(plain)], *both, 0, "causal")


def fits(p: float) -> str:
    from maskviz.ui.mask.panels import _fits

    return _fits(p)


def may_attend(name: str, share: float) -> str:
    from maskviz.ui.mask.panels import _may_attend

    return _may_attend(name, share)


def learned(share: float, rows: int, ended: int = 0, turns: int = 0) -> str:
    from maskviz.ui.runs.lesson import _learned

    return _learned(share, rows, ended, turns)


def agreement(one: Sequence[str], two: Sequence[str]) -> str:
    from maskviz.ui.shared.second import _agreement

    return _agreement("random", mask_of(hidden=one), "entity", mask_of(hidden=two))


def repeats(count: int, rouge: Sequence[float] = ()) -> str:
    from maskviz.ui.tasks.panel import _repeats

    scores = {"ROUGE-L": rouge} if rouge else {}
    return _repeats(SimpleNamespace(mask=SimpleNamespace(spans=[None] * count), rouge=scores))


def caught(found: float | None = None, false: float | None = None) -> str:
    from maskviz.ui.tasks.panel import _caught

    return _caught(found, false)


HERE: dict[str, Callable[..., str]] = {
    "maskviz.evidence.files.group_words:gap_sentence": of_groups,
    "maskviz.evidence.distractor.words:neutral_said": neutral,
    "maskviz.report.text:_rests": rests,
    "maskviz.report.text:_how_many": how_many,
    "maskviz.report.text:_beside_others": against_others,
    "maskviz.report.conversation:_tried": tried,
    "maskviz.report.conversation:_beside_plain": beside_plain,
    "maskviz.report.conversation:_begin_said": begin,
    "maskviz.report.run:_done": run_done,
    "maskviz.report.run:_hidden": run_hidden,
    "maskviz.report.run:_groups": run_groups,
    "maskviz.report.sweep:_trained": trained,
    "maskviz.report.sweep:_told": differences,
    "maskviz.report.comparison:_file_done": file_done,
    "maskviz.report.comparison:_pairs_done": pairs_done,
    "maskviz.report.comparison:_pairs_sure": pairs_sure,
    "maskviz.ui.attention.panels:_falls": falls,
    "maskviz.ui.attention.units:_by_role": by_role,
    "maskviz.ui.chat.answers:_ended_said": two_answers,
    "maskviz.ui.chat.hidden:said": chat_hides,
    "maskviz.ui.compare.answer:_parts": parts,
    "maskviz.ui.compare.answer:_matters": matters,
    "maskviz.ui.compare.explain:_people": people,
    "maskviz.ui.compare.explain:_missed": missed,
    "maskviz.ui.compare.leans:_length_said": length,
    "maskviz.ui.compare.result:row_said": of_row,
    "maskviz.ui.compare.result:_same_answers": same_answers,
    "maskviz.ui.compare.result:_beyond": beyond,
    "maskviz.ui.compare.text:_survives": survives,
    "maskviz.ui.compare.turns:_strongest": strongest,
    "maskviz.ui.components.lit_text:_moved_most": moved_most,
    "maskviz.ui.guide.choice:_won_back": won_back,
    "maskviz.ui.guide.terms:finding": attends,
    "maskviz.ui.guide.terms:said": terms,
    "maskviz.ui.mask.panels:_fits": fits,
    "maskviz.ui.mask.panels:_may_attend": may_attend,
    "maskviz.ui.runs.lesson:_learned": learned,
    "maskviz.ui.shared.second:_agreement": agreement,
    "maskviz.ui.tasks.panel:_repeats": repeats,
    "maskviz.ui.tasks.panel:_caught": caught,
}

__all__ = ["HERE"]
