"""What the distraction experiment found, in plain sentences.

A part of the claim is a difference between two arms, paired by seed. It holds where it is above 0
with p ≤ 0.05, p allowing for all parts that stand beside it (Holm 1979); it does not where the
difference is below 0 so surely, or its interval lies within two points of nothing; else it cannot
be told. Of fewer than five seeds there is no verdict.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...text.percent import number, percent
from ..chance.verdict import LEVEL, holm
from ..intervals import difference
from ..statistics import paired_t
from .experiment import BEYOND, COUNTS, FEWEST
from .result import Distraction

SMALL = 0.02  # accuracy: a difference within it is none to speak of
LOWEST = 0.05  # accuracy under which there is little that could be disturbed
_TUNED = {
    "plain": "tuned with them in sight",
    "oracle": "tuned with them hidden",
    "sentence": "with any sentences hidden in training",
    "random": "with as many random words hidden",
    "reasoned": "tuned to write down first what matters",
    "thought": "with a part of that masked",
    "instruction": "told to ignore them",
    "inoculation": "with the trait named in training",
}


def finding(result: Distraction) -> str:
    """Say what irrelevant sentences do to the model as it is, and to the tuned ones."""
    rows = result.cells["base"]
    if not rows:
        return "No seed is finished yet."
    base, most = result.arms["base"], COUNTS[-1]
    start, end, filler = (
        base[name][0]
        for name in (
            "accuracy_irrelevant_0", f"accuracy_irrelevant_{most}", f"accuracy_filler_{most}"
        )
    )  # fmt: skip
    said = (
        f"{result.experiment.model} answers {percent(start, 1)} of the questions right, beside "
        f"{most} irrelevant sentences {percent(end, 1)}, beside as long filler "
        f"{percent(filler, 1)}"
    )
    tuned = [
        f"{name} {percent(result.arms[arm][f'accuracy_irrelevant_{most}'][0], 1)}"
        for arm, name in _TUNED.items()
        if arm in result.arms
    ]
    if "masked" in result.arms:
        left = result.arms["masked"][f"accuracy_irrelevant_{most}"][0]
        said += f"; hidden at test they leave {percent(left, 1)}"
    return f"{said}.{_preferring(result)}{_of_tuned(tuned, most)} {_sure(result)}"


def _preferring(result: Distraction) -> str:
    """Say what can be told of a model that writes few answers word by word."""
    base = result.arms["base"]
    if base["accuracy_irrelevant_0"][0] >= LOWEST:
        return ""
    start, end, filler = (
        percent(base[f"preferred_{kind}_{k}"][0], 0)
        for kind, k in (("irrelevant", 0), ("irrelevant", COUNTS[-1]), ("filler", COUNTS[-1]))
    )
    return (
        f" It prefers the right answer to a wrong one of its kind in {start} of the questions, "
        f"beside {COUNTS[-1]} irrelevant sentences in {end}, beside filler in {filler}; half is "
        "chance."
    )


def _of_tuned(tuned: Sequence[str], most: int) -> str:
    if not tuned:
        return ""
    return f" Beside {most} of them it answers right, {', '.join(tuned)}."


def _sure(result: Distraction) -> str:
    """Say how far the figures go: too few seeds for a verdict, or what speaks against the claim."""
    seeds = len(result.cells["base"])
    if seeds < FEWEST:
        return f"{seeds} seed{'s' * (seeds != 1)}: no verdict."
    failed = [f"“{claim}” does not hold" for claim, holds, _ in verdicts(result) if holds is False]
    against = f" Against the claim: {'; '.join(failed)}." if failed else ""
    return f"{seeds} seeds.{against}"


@dataclass(frozen=True)
class _Part:
    """One part of the claim: what it says, and its differences, one a seed."""

    claim: str
    values: Sequence[float]
    what: str


def verdicts(result: Distraction) -> list[tuple[str, bool | None, str]]:
    """Return each part of the claim, whether the figures bear it out, and the figures."""
    if len(result.cells["base"]) < FEWEST:
        return []
    parts = list(_parts(result))
    tests = [paired_t(len(p.values), sum(p.values), sum(v * v for v in p.values))[1] for p in parts]
    return [
        (part.claim, *_held(part, p, result)) for part, p in zip(parts, holm(tests), strict=True)
    ]


def _parts(result: Distraction) -> list[_Part]:
    arms, longest = result.cells, f"k of {' and '.join(map(str, BEYOND))}"

    def of(arm: str, figure: str) -> list[float]:
        return [row[figure] for row in arms[arm]]

    def between(one: str, other: str) -> list[float]:
        return [b - a for a, b in zip(of(other, "beyond"), of(one, "beyond"), strict=True)]

    found = [
        _Part(
            "Irrelevant sentences disturb the model more than filler of their length",
            of("base", "cost"),
            "accuracy beside filler − beside irrelevant sentences, mean over k > 0",
        )
    ]
    for one, other, claim in (
        ("masked", "base", "Hiding them at test wins back what they take"),
        ("plain", "base", "Tuning with them in sight helps with more of them than in training"),
        ("oracle", "plain", "Hiding them in training helps more than leaving them in sight"),
        ("oracle", "random", "Which words are hidden in training matters, not how many"),
        ("sentence", "random", "Whole sentences, hidden in training unseen, do better than words"),
        ("reasoned", "plain", "Writing down first what matters helps more than answering at once"),
        ("thought", "reasoned", "Masking a part of what it writes down helps more than none of it"),
        ("instruction", "base", "Being told to ignore them wins back some of what they take"),
        ("inoculation", "plain", "Naming the trait in training alone helps more than not"),
    ):
        if one in arms and other in arms:
            what = f"accuracy at {longest}, {one} − {other}"
            found.append(_Part(claim, between(one, other), what))
    return found


def _held(part: _Part, p: float | None, result: Distraction) -> tuple[bool | None, str]:
    mean, low, high = difference([0.0] * len(part.values), part.values)
    said = f"{part.what}: {points(mean)}"
    silent = "disturb" in part.claim and result.arms["base"]["accuracy_irrelevant_0"][0] < LOWEST
    if silent:
        return None, f"{said}; it answers too little to be disturbed"
    if math.isnan(low) or p is None:
        small = all(abs(value) <= SMALL for value in part.values)
        return (False if small else None), f"{said}, the same in every seed"
    within = f"{number(100 * low, '.1f')} to {number(100 * high, '.1f')}"
    said += f" ({within}), p {p:.2g} beside the others"
    if p <= LEVEL:
        return mean > 0, said
    if -SMALL <= low <= high <= SMALL:
        return False, f"{said}; no difference to speak of"
    return None, f"{said}; too uncertain to tell"


def points(share: float) -> str:
    """Return a difference of accuracies in percentage points, with its sign."""
    return f"{number(100 * share, '+.1f')} points"
