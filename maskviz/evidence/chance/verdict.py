"""What may be said of one mask beside its reference set.

The statistic is how far the plain answer moves: |Δ log-odds| of its output, of a regression |Δ|.
With n other masks of which s move it as far, p = (1 + s) / (1 + n): the rank of the mask in its
set, itself counted once, so that a mask that is drawn at random has p ≤ 0.05 in at most 5 % of
cases. No verdict where the smallest p there could be is above 0.05, and none for a mask that was
chosen by its own effect on this text: then its rank is all that is said.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...masks.mask import Mask
from ...readings.labels import Prediction
from ...readings.question import Question
from ...readings.windows import read
from .reference import Reference, reference_set

LEVEL = 0.05
DRAWS = 99  # other masks that are asked where there are more than 200
_FIRST = 19  # masks asked before it is looked whether more can change what is said
_NEXT = 20
_MIDDLE = ("low", "high", "mean")
_SAME = 1e-4  # two answers to one text may differ by as much in log-odds, in another batch


@dataclass(frozen=True)
class Control:
    """What the other masks of the set do, and the place of the mask among them.

    label: the plain text's answer, or the output that was asked for. probabilities: of it under
    each other mask. flips: the share of them that flip the answer (not known of an answer in
    words). low, high: the middle 95 % of `probabilities`, mean: their mean. unit, number: what is
    hidden. whole: whether these are all masks of the set. strength: |Δ| of the mask itself,
    as_strong: how many of the others move the answer as far; p_value: see above.
    by_effect: whether the mask was chosen by its effect on this text.
    """

    draws: int
    label: str
    probabilities: tuple[float, ...]
    flips: float
    low: float
    high: float
    mean: float = float("nan")
    unit: str = "word"
    number: int = 0
    whole: bool = False
    strength: float = 0.0
    as_strong: int = 0
    p_value: float = 1.0
    by_effect: bool = False

    @property
    def rank(self) -> int:
        """The place of the mask in its set by strength, 1 the strongest."""
        return 1 + self.as_strong

    @property
    def tells(self) -> bool:
        """Whether a verdict can be given at all."""
        return not self.by_effect and 1 / (1 + self.draws) <= LEVEL

    @property
    def size(self) -> str:
        """What is hidden: `3 words`, `1 sentence`."""
        return Reference(self.unit, self.number, (), self.whole).said

    def reference(self) -> dict[str, Any]:
        """Return the set and the mask's place in it, JSON-ready."""
        return {
            "unit": self.unit,
            "size": self.draws + 1,
            "exhaustive": self.whole,
            "p": self.p_value if self.tells else None,
            "rank": self.rank,
            **{n: None if v != v else v for n, v in vars(self).items() if n in _MIDDLE},
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values."""
        values = {k: None if v != v else v for k, v in vars(self).items()}  # JSON knows no NaN
        return {**values, "rank": self.rank, "tells": self.tells}


def beside_chance(
    question: Question,
    mask: Mask,
    operator: str,
    draws: int = DRAWS,
    long: str = "cut",
    known: tuple[Prediction, Prediction] | None = None,
) -> Control:
    """Ask about the other masks of a mask's set; asking ends early where p is above 0.05 for sure.

    known: the answers to the plain and to the masked text, where these have been asked about.
    """
    import numpy as np

    reference = reference_set(mask, question.model, long, draws)
    original, masked = known or _both(question, mask, operator, long)
    index = question.subject(np.array(list(original.probabilities.values())))
    label = question.outputs[index]
    before = original.log_odds[label]
    strength = abs(masked.log_odds[label] - before)
    probabilities: list[float] = []
    strong = flips = 0
    for some in _in_steps(reference.masks):
        found = read(question, [(m, operator) for m in some], long)
        moved = abs(question.log_odds(found.logits)[:, index] - before)
        strong += int((moved >= strength - _SAME).sum())
        probabilities += map(float, found.probabilities[:, index])
        flips += sum(found.prediction(i).chosen != original.chosen for i in range(len(some)))
        if (1 + strong) / (1 + len(reference.masks)) > LEVEL:
            break
    return _control(
        label,
        probabilities,
        flips if question.kind.flips(question.given) else math.nan,
        reference,
        strength,
        strong,
        by_effect(mask),
    )


def _both(
    question: Question, mask: Mask, operator: str, long: str
) -> tuple[Prediction, Prediction]:
    answers = read(question, [(Mask(mask.text), "attention"), (mask, operator)], long)
    return answers.prediction(0), answers.prediction(1)


def _control(
    label: str,
    probabilities: Sequence[float],
    flips: float,
    reference: Reference,
    strength: float,
    strong: int,
    by_own_effect: bool,
) -> Control:
    import numpy as np

    count, nothing = len(probabilities), float("nan")
    low, high = np.quantile(probabilities, [0.025, 0.975]) if count else (nothing, nothing)
    return Control(
        count,
        label,
        tuple(probabilities),
        flips / count if count else nothing,
        float(low),
        float(high),
        float(np.mean(probabilities)) if count else nothing,
        reference.unit,
        reference.number,
        reference.whole and count == len(reference.masks),
        strength,
        strong,
        (1 + strong) / (1 + count),
        by_own_effect,
    )


def _in_steps(masks: Sequence[Mask]) -> list[Sequence[Mask]]:
    """Cut the masks into steps, behind each of which it is looked whether to go on."""
    rest = range(_FIRST, len(masks), _NEXT)
    return [part for part in (masks[:_FIRST], *(masks[i : i + _NEXT] for i in rest)) if part]


def by_effect(mask: Mask) -> bool:
    """Tell whether a mask was chosen by its own effect on this text: `key`, asked of a model."""
    given = str(mask.parameters.get("by", "model"))
    names = re.findall(r"[\w-]+", mask.strategy)
    return "key" in names and (len(names) > 1 or given == "model")


def holm(values: Sequence[float | None]) -> list[float | None]:
    """Return p-values adjusted for standing beside each other (Holm 1979); None stays None.

    >>> holm([0.01, None, 0.04])
    [0.02, None, 0.04]
    """
    known = sorted((p, i) for i, p in enumerate(values) if p is not None)
    adjusted: list[float | None] = [None] * len(values)
    least = 0.0
    for place, (p, i) in enumerate(known):
        least = max(least, min(1.0, p * (len(known) - place)))
        adjusted[i] = least
    return adjusted
