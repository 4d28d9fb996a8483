"""Sentences on runs, sweeps, experiments, attention and reports, made of plain values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from .sentences import control, lines

Given = Mapping[str, Any]
_NAN = float("nan")


def run(
    name: str, accuracy: float = _NAN, half: float = 0.01, state: str = "done", early: int = 0,
    masking: str = "entity", path: str = "rows.csv", **metrics: float,
) -> Any:  # fmt: skip
    from maskviz.training.spec.spec import DataSpec

    known = {} if accuracy != accuracy else {"accuracy_plain": accuracy, "ci95_plain": half}
    spec = SimpleNamespace(
        data=DataSpec(path=path), task="classification", name="", masking=masking
    )
    ended = {"ended_early": "It stopped." if early else "", "steps_asked": 100}
    return SimpleNamespace(
        id=name, state=state, is_over=state == "done", metrics=known | metrics, spec=spec,
        folder=Path("/nowhere"), result=ended, step=early or 100,
    )  # fmt: skip


def of_runs(runs: Sequence[Given], right: Mapping[str, str] | None = None) -> str:
    """right: run → 1 where it is right, row by row."""
    from tempfile import TemporaryDirectory

    from maskviz.runs.compare import finding

    found = [run(**one) for one in runs]
    with TemporaryDirectory() as folder:
        for one in found if right else ():
            one.folder = Path(folder) / one.id
            one.folder.mkdir()
            kept = {"dev": {"rows": "same", "right": {"plain": (right or {})[one.id]}}}
            (one.folder / "answers.json").write_text(json.dumps(kept))
        return finding(found)


def early(runs: Sequence[Given]) -> str:
    from maskviz.training.loop.ending import unequal

    return unequal([run(**one) for one in runs])


def ended(steps: int, asked: int, **spec: Any) -> str:
    from maskviz.training import RunSpec
    from maskviz.training.loop.ending import ended_early

    return ended_early(RunSpec.build(**spec), steps, asked)


def of_run(kind: str, metrics: Mapping[str, float], rows: int = 100, **more: Any) -> str:
    from maskviz.training.loop.result import finding

    shown = more.pop("shown", {})
    listed = [
        {"split": s, "mask": m, "accuracy": a, "rows": rows}
        for s, own in shown.items() for m, a in own.items()
    ] or [{"split": "dev", "mask": "plain", "rows": rows}]  # fmt: skip
    first = next(iter(shown), "dev")
    return finding({"metrics": metrics, "evaluations": listed, "majority": 0.5}, first, kind)


def sweep(groups: Sequence[Given], measure: str = "accuracy", seeds: int = 5) -> Any:
    from maskviz.evidence.intervals import mean_interval
    from maskviz.sweeps.results import Group, Results

    found = []
    for one in groups:
        own = {"strategy": "entity", "operator": "mask", "ratio": None, "role": "grid"} | dict(one)
        values, plain, chance = (
            dict(enumerate(own.pop(name, []))) for name in ("values", "plain", "control")
        )
        if own["ratio"] == "own":
            own["ratio"] = None
        interval = mean_interval(list(values.values()))
        found.append(
            Group(
                **own, realised=0.2, values=values, interval=interval, plain=plain, control=chance
            )
        )
    return Results(measure, tuple(found), seeds)


def of_sweep(**given: Any) -> str:
    return str(sweep(**given).finding)


def sweep_sure(**given: Any) -> str:
    from maskviz.report.sweep import _sure

    return _sure(sweep(**given))


def pretrained(without: Sequence[float], with_it: Sequence[float], early: str = "") -> str:
    from maskviz.sweeps.pretraining import Pretrained

    return Pretrained(with_it, without, {}, early).finding


# experiments ----------------------------------------------------------------------------------


def interference(
    reliance: Sequence[float] = (), recovery: Mapping[str, Sequence[float]] | None = None,
    seeds: int = 5, neutral: Sequence[Sequence[float]] = (),
) -> Any:  # fmt: skip
    """Return an experiment; neutral: accuracy of the plain and the attribute arm, one a seed."""
    from maskviz.evidence.distractor.result import Interference

    rows = [{} for _ in range(seeds)]
    arms = {"plain": {"reliance": tuple(reliance)}}
    arms |= {arm: {"recovery": tuple(own)} for arm, own in (recovery or {}).items()}
    cells: dict[str, Any] = {"plain": rows if reliance else []}
    for arm, own in zip(("plain", "attribute"), neutral, strict=False):
        cells[arm] = [{"accuracy_neutral": value} for value in own]
    return Interference(SimpleNamespace(planted="name"), arms, cells, 0.0)  # type: ignore[arg-type]


def of_interference(**given: Any) -> str:
    from maskviz.evidence.distractor.words import finding

    return finding(interference(**given))


def interference_verdicts(**given: Any) -> str:
    from maskviz.evidence.distractor.words import verdicts

    return lines(verdicts(interference(**given)))


def distraction(
    arms: Mapping[str, Given], cells: Mapping[str, Mapping[str, Sequence[float]]] | None = None,
    seeds: int = 5,
) -> Any:  # fmt: skip
    """Return an experiment; arms: arm → accuracies alone, beside 8 sentences, beside filler."""
    from maskviz.evidence.distraction.experiment import COUNTS
    from maskviz.evidence.distraction.result import Distraction

    most, found = COUNTS[-1], {}
    for arm, own in arms.items():
        names = {
            "alone": "irrelevant_0",
            "beside": f"irrelevant_{most}",
            "filler": f"filler_{most}",
        }
        figures = {}
        for name, value in own.items():
            kind, _, which = name.rpartition(" ")
            figures[f"{kind or 'accuracy'}_{names[which]}"] = (value, _NAN, _NAN)
        found[arm] = figures
    rows = {
        arm: [dict(zip(own, values, strict=True)) for values in zip(*own.values(), strict=True)]
        for arm, own in (cells or {}).items()
    }
    rows.setdefault("base", [{"cost": 0.0, "beyond": 0.5}] * seeds if arms else [])
    asked = SimpleNamespace(model="mini-chat")
    return Distraction(asked, found, rows, 0.0)  # type: ignore[arg-type]


def of_distraction(**given: Any) -> str:
    from maskviz.evidence.distraction.words import finding

    return finding(distraction(**given))


def distraction_verdicts(**given: Any) -> str:
    from maskviz.evidence.distraction.words import verdicts

    return lines(verdicts(distraction(**given)))


# attention ------------------------------------------------------------------------------------


def role(name: str, share: float) -> str:
    from maskviz.attention.roles import HeadRole

    return HeadRole(name, share).sentence


def moved(share: float) -> str:
    from maskviz.attention.roles import HeadChange

    return HeadChange(share).sentence


def roles_of(layers: Sequence[Sequence[Sequence[Any]]]) -> Any:
    from maskviz.attention.roles import HeadRole

    return [[HeadRole(*one) for one in layer] for layer in layers]


def view_of(
    weights: Any, method: str = "raw", hidden: Sequence[bool] = (), signed: bool = False,
    absent: Sequence[bool] = (), keys: Any = None, block: int = 1,
) -> Any:  # fmt: skip
    import numpy as np

    from maskviz.attention.view import View

    weights = np.asarray(weights, np.float32)
    count = weights.shape[-1]
    return View(
        weights, tuple("abcdefgh"[:count]), tuple(hidden or [False] * count),
        (True, *[False] * (count - 1)), tuple(range(count)), tuple(absent or [False] * count),
        signed, method=method, block=block,
    )  # fmt: skip


def plain_heads(layers: Any) -> str:
    from maskviz.attention.finding import plain_finding

    return plain_finding(roles_of(layers))


def masked_heads(layers: Any, hidden: Sequence[bool], block: int = 1) -> str:
    from maskviz.attention.finding import masked_finding

    shown = view_of([[[[1.0] * len(hidden)]]], hidden=hidden, block=block)
    return masked_finding(shown, roles_of(layers))


def changed_heads(layers: Sequence[Sequence[float]], method: str = "raw", block: int = 1) -> str:
    from maskviz.attention.finding import difference_finding
    from maskviz.attention.roles import HeadChange

    notes = [[HeadChange(share) for share in layer] for layer in layers]
    return difference_finding(view_of([[[[0.0]]]], method, signed=True, block=block), notes)


def by_method(method: str, weights: Any, absent: Sequence[bool] = ()) -> str:
    from maskviz.attention.finding import method_finding

    return method_finding(view_of(weights, method, absent=absent))


def shown(weights: Any, layers: Any = (), **of: Any) -> str:
    from maskviz.attention.finding import finding

    return finding(view_of(weights, **of), roles_of(layers))


# reports and pages ----------------------------------------------------------------------------


def report_verdict(**chance: Any) -> str:
    from maskviz.report.text import verdict

    return verdict(control(**chance))


def text_sure(chance: Given | None = None, notice: str = "") -> str:
    from maskviz.report.text import _sure

    return _sure(SimpleNamespace(notice=notice), None if chance is None else control(**chance))  # type: ignore[arg-type]


def spoken_sure(chance: Given | None = None, notice: str = "") -> str:
    from maskviz.report.conversation import _sure

    return _sure(None if chance is None else control(**chance), SimpleNamespace(notice=notice))  # type: ignore[arg-type]


def run_sure(rows: Sequence[int], shares: bool = True) -> str:
    from maskviz.report.run import _sure

    measured = {"accuracy": 0.9} if shares else {"loss": 1.2}
    return _sure({"evaluations": [{"rows": n, **measured} for n in rows]})


def file_sure(rows: int, complete: bool = True, drawn: bool = True) -> str:
    from maskviz.report.comparison import _sure

    strategies = {"entity": SimpleNamespace(chance=drawn or None)}
    found = SimpleNamespace(rows=rows, complete=complete, strategies=strategies)
    return _sure(found)  # type: ignore[arg-type]


def believed(methods: Mapping[str, Sequence[float]]) -> str:
    """methods: method → its comprehensiveness, and the upper end of random orders'."""
    from maskviz.ui.compare.explain import believed as told

    measured = {
        name: SimpleNamespace(
            comprehensiveness=own, random={"comprehensiveness": SimpleNamespace(high=high)}
        )
        for name, (own, high) in methods.items()
    }
    return told(measured)  # type: ignore[arg-type]


def explained(words: Mapping[str, float], reduced: Sequence[int] = (), **of: Any) -> str:
    from maskviz.evidence.words.attribution import Explanation, WordScore
    from maskviz.ui.compare.explain import sentence

    scores = tuple(WordScore(0, 1, w, score) for w, score in words.items())
    given = {"label": "positive", "probability": 0.97} | of
    return sentence(Explanation(words=scores, reduced=tuple(reduced) or None, **given))


def of_picture(plain: Given, masked: Given, hidden: int, flips: float = 0.4) -> str:
    from maskviz.ui.images.panel import finding
    from maskviz.vision.patches import PatchMask

    looks = [
        SimpleNamespace(label=max(p, key=lambda n, p=p: p[n]), probabilities=p)
        for p in (plain, masked)
    ]
    return finding(*looks, PatchMask(2, 4, tuple(range(hidden)), "random", 0.5), flips)  # type: ignore[arg-type]


HERE: dict[str, Callable[..., str]] = {
    "maskviz.runs.compare:finding": of_runs,
    "maskviz.training.loop.ending:unequal": early,
    "maskviz.training.loop.ending:ended_early": ended,
    "maskviz.training.loop.result:finding": of_run,
    "maskviz.sweeps.results:Results.finding": of_sweep,
    "maskviz.sweeps.pretraining:Pretrained.finding": pretrained,
    "maskviz.evidence.distractor.words:finding": of_interference,
    "maskviz.evidence.distractor.words:verdicts": interference_verdicts,
    "maskviz.evidence.distraction.words:finding": of_distraction,
    "maskviz.evidence.distraction.words:verdicts": distraction_verdicts,
    "maskviz.attention.roles:HeadRole.sentence": role,
    "maskviz.attention.roles:HeadChange.sentence": moved,
    "maskviz.attention.finding:finding": shown,
    "maskviz.attention.finding:plain_finding": plain_heads,
    "maskviz.attention.finding:masked_finding": masked_heads,
    "maskviz.attention.finding:difference_finding": changed_heads,
    "maskviz.attention.finding:method_finding": by_method,
    "maskviz.report.text:verdict": report_verdict,
    "maskviz.report.text:_sure": text_sure,
    "maskviz.report.conversation:_sure": spoken_sure,
    "maskviz.report.comparison:_sure": file_sure,
    "maskviz.report.run:_sure": run_sure,
    "maskviz.report.sweep:_sure": sweep_sure,
    "maskviz.ui.compare.explain:believed": believed,
    "maskviz.ui.compare.explain:sentence": explained,
    "maskviz.ui.images.panel:finding": of_picture,
}

__all__ = ["HERE"]
