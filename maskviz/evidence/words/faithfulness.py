"""Faithfulness: does the model use the words that an explanation ranks first?

With x the text, r_k its top k % of words by score, p the probability of the explained label:

    comprehensiveness(k) = p(x) − p(x without r_k)      high: the answer needs those words
    sufficiency(k)       = p(x) − p(r_k alone)          low: those words carry the answer

both averaged over k = 1, 5, 10, 20, 50 % (area over the perturbation curve, AOPC; DeYoung et al.
2020, https://arxiv.org/abs/1911.03429, eq. 1 to 3, without the term k = 0 that is always 0).
k % of n words are max(1, round(k · n / 100)) words.

The deletion curve is p after hiding the top share of words, the insertion curve p with only the
top share shown (Petsiuk et al. 2018, https://arxiv.org/abs/1806.07421); areas by the trapezoidal
rule over shares from 0 to 1. Low deletion and high insertion areas are good; random orders of the
same words say what chance gives.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import ParameterError
from ...masks.mask import Mask
from ...masks.registry import budget, shuffled
from ...masks.spans import MaskSpan
from ...models.model import Model
from ...readings.question import Question, asked
from ...readings.windows import read
from ..statistics import kendall
from .attribution import Explanation, explain

BINS = (0.01, 0.05, 0.10, 0.20, 0.50)
POINTS = 10  # of a curve, beside the start
DRAWS = 20
# Sets of hidden words, by index → the probability of the label under each, (sets,)
Answer = Callable[[Sequence[frozenset[int]]], Any]


@dataclass(frozen=True)
class Curve:
    """Probabilities at shares of words from 0 to 1, and the area below them."""

    shares: tuple[float, ...]
    probabilities: tuple[float, ...]
    area: float


@dataclass(frozen=True)
class Chance:
    """What random orders of the same words give: the mean and the middle 95 % of the draws."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Faithfulness:
    """How far the model uses the words that an explanation ranks first.

    comprehensiveness_at, sufficiency_at: share of words → value; the two AOPC are their means.
    random: measure → chance. kendall_tau: agreement with leave-one-out; None where one of the two
    gives all words the same score.
    """

    method: str
    operator: str
    label: str
    comprehensiveness: float
    sufficiency: float
    comprehensiveness_at: dict[float, float]
    sufficiency_at: dict[float, float]
    deletion: Curve
    insertion: Curve
    random: dict[str, Chance]
    kendall_tau: float | None
    kendall_p: float | None
    draws: int

    @property
    def values(self) -> dict[str, float]:
        """Every measure as one number, by name; the names are those of `random`."""
        return _by_name(self.comprehensiveness, self.sufficiency, self.deletion, self.insertion)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values; the keys are the command line's."""
        return {
            **vars(self),
            "deletion": vars(self.deletion),
            "insertion": vars(self.insertion),
            "random": {name: vars(chance) for name, chance in self.random.items()},
        }


def faithfulness(
    explanation: Explanation,
    text: str,
    operator: str | None = None,
    draws: int = DRAWS,
    long: str = "cut",
    seed: int = 0,
    model: Model | None = None,
) -> Faithfulness:
    """Measure an explanation of `text`; `operator` hides the words, by default the mask token.

    A model without a mask token hides by `attention`; `model` is the one that was explained, loaded
    by its name without. Raises ParameterError for under 20 draws.

    >>> from maskviz import explain
    >>> text = "A truly great film."
    >>> faithfulness(explain(text), text).comprehensiveness > 0
    True
    """
    if draws < DRAWS:
        raise ParameterError(f"{draws} random orders were asked for: the least is {DRAWS}.")
    question = asked(explanation.model if model is None else model, explanation.question)
    operator = operator or default_operator(question.model)
    answer = _answer(question, text, explanation, operator, long)
    order = explanation.ranked
    orders = [order, *(_shuffled(order, seed + i) for i in range(draws))]
    own, *chance = measured(answer, orders)
    loo = explain(text, question, "occlusion", explanation.label, long)
    tau, p = kendall([w.score for w in explanation.words], [w.score for w in loo.words])
    return Faithfulness(
        explanation.method,
        operator,
        explanation.label,
        *own.aopc,
        *own.at,
        own.deletion,
        own.insertion,
        {name: _chance([m.values[name] for m in chance]) for name in own.values},
        tau,
        p,
        draws,
    )


def default_operator(model: Model) -> str:
    """Return `mask`, or `attention` for a model that learned no mask token."""
    return "mask" if model.mask_token_id is not None else "attention"


def _shuffled(order: Sequence[int], seed: int) -> tuple[int, ...]:
    return tuple(shuffled(sorted(order), random.Random(seed)))  # noqa: S311  repeatable


def _answer(
    question: Question, text: str, explanation: Explanation, operator: str, long: str
) -> Answer:
    index = question.index(explanation.label)
    spans = [MaskSpan(w.start, w.end) for w in explanation.words]

    def answer(hidden: Sequence[frozenset[int]]) -> Any:
        masks = [(Mask(text, tuple(spans[i] for i in sorted(one))), operator) for one in hidden]
        return read(question, masks, long).probabilities[:, index]

    return answer


@dataclass(frozen=True)
class Measured:
    """The four measures of one order of the words."""

    at: tuple[dict[float, float], dict[float, float]]
    deletion: Curve
    insertion: Curve

    @property
    def aopc(self) -> tuple[float, float]:
        """Comprehensiveness and sufficiency, each the mean over its bins."""
        first, second = (sum(values.values()) / len(values) for values in self.at)
        return first, second

    @property
    def values(self) -> dict[str, float]:
        """Every measure as one number, by name."""
        return _by_name(*self.aopc, self.deletion, self.insertion)


def _by_name(
    comprehensiveness: float, sufficiency: float, deletion: Curve, insertion: Curve
) -> dict[str, float]:
    return {
        "comprehensiveness": comprehensiveness,
        "sufficiency": sufficiency,
        "deletion": deletion.area,
        "insertion": insertion.area,
    }


def measured(answer: Answer, orders: Sequence[Sequence[int]]) -> list[Measured]:
    """Measure each order of the words, the most important first; equal sets are asked once."""
    count = len(orders[0])
    every = frozenset(range(count))
    tops = [budget(count, share) for share in BINS]
    steps = curve_steps(count)
    asked: dict[frozenset[int], int] = {}
    for order in orders:
        for k in {*tops, *steps}:
            top = frozenset(order[:k])
            asked.setdefault(top, len(asked))
            asked.setdefault(every - top, len(asked))
    answers = answer(list(asked))
    plain = float(answers[asked[frozenset()]])

    def measure(order: Sequence[int]) -> Measured:
        def without(k: int) -> float:
            return float(answers[asked[frozenset(order[:k])]])

        def alone(k: int) -> float:
            return float(answers[asked[every - frozenset(order[:k])]])

        bins = list(zip(BINS, tops, strict=True))
        return Measured(
            ({b: plain - without(k) for b, k in bins}, {b: plain - alone(k) for b, k in bins}),
            _curve(steps, count, without),
            _curve(steps, count, alone),
        )

    return [measure(order) for order in orders]


def curve_steps(count: int) -> tuple[int, ...]:
    """Return the numbers of words at which a curve is measured: every one of a short text."""
    return tuple(sorted({round(i * count / POINTS) for i in range(POINTS + 1)}))


def _curve(steps: Sequence[int], count: int, probability: Callable[[int], float]) -> Curve:
    import numpy as np

    shares = tuple(k / count for k in steps)
    values = tuple(probability(k) for k in steps)
    return Curve(shares, values, float(np.trapezoid(values, shares)))


def _chance(values: Sequence[float]) -> Chance:
    import numpy as np

    low, high = np.quantile(values, [0.025, 0.975])
    return Chance(float(np.mean(values)), float(low), float(high))
