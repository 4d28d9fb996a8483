"""Is this attention worth believing? Hide what a method points at, and see if the answer falls.

For each method the top k words by its scores are hidden, and the fall of the predicted label's
probability is set against that of random words of the same number and against `uniform`, which
knows nothing of the text (comprehensiveness, DeYoung et al. 2020,
https://aclanthology.org/2020.acl-main.408). Agreement with leave-one-out is Kendall's τ-b (as in
Jain & Wallace 2019, "Attention is not Explanation", https://arxiv.org/abs/1902.10186).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...attention.methods import METHODS
from ...attention.scores import word_scores
from ...errors import CapabilityError, ParameterError
from ...inside.beginning import LONGEST
from ...masks.mask import Mask
from ...masks.operators import OPERATORS, encode
from ...masks.spans import MaskSpan
from ...models.memory import remembered
from ...models.model import Model
from ...readings.question import Question, Spec, asked
from ..statistics import kendall
from .attribution import explain
from .faithfulness import default_operator

DRAWS = 20


@dataclass(frozen=True)
class Worth:
    """What hiding a method's top `k` words does, in probability of the predicted label.

    fall: p(plain) − p(without them). random: the mean fall of as many random words, low and high
    the middle 95 % of the draws. uniform: the fall of `uniform`'s words. tau: Kendall's τ-b with
    leave-one-out, None where one of them ranks nothing. words: the words that were hidden.
    error: why the method has no scores here, else empty.
    """

    method: str
    k: int
    fall: float
    random: float
    low: float
    high: float
    uniform: float
    tau: float | None
    words: tuple[str, ...]
    error: str = ""

    @property
    def believable(self) -> bool:
        """Whether its words matter more than 97.5 % of random draws, and more than `uniform`'s."""
        return not self.error and self.fall > self.high and self.fall > self.uniform


def worth(
    text: str,
    model: Model | str | Question = "mini",
    k: int | None = None,
    question: Spec = "labels",
) -> list[Worth]:
    """Measure every attention method on one text; by default k is a fifth of its words.

    Of a text over 1,024 tokens its beginning is measured, whatever the model takes: where attention
    is looked at no further, no more should be hidden. Raises CapabilityError where the model cannot
    answer the question, ParameterError for k.

    >>> [one.method for one in worth("A truly great and funny film.")][:2]
    ['raw', 'mean']
    """
    put = asked(model, question)
    text = _looked_at(text, put.model)
    words = Mask(text).words
    count = max(1, round(len(words) / 5)) if k is None else k
    if not 1 <= count <= max(1, len(words)):
        raise ParameterError(
            f"k is {count} and the text has {len(words)} words: choose 1 to {len(words)}."
        )
    return list(_worth(put, text, count))


def _looked_at(text: str, model: Model) -> str:
    """Return the text as far as its attention is read, where the model itself reads more."""
    if model.max_length <= LONGEST:
        return text
    return text[: model.tokenise(text, LONGEST).truncated_at]


@remembered(maxsize=64)
def _worth(question: Question, text: str, k: int) -> tuple[Worth, ...]:
    """Rank once, then ask the model once about all the masks of all the methods."""
    import numpy as np

    truth = [word.score for word in explain(text, question).words]
    scores = {name: _scores(text, question.model, name) for name in METHODS}
    rng = np.random.default_rng(0)
    draws = [tuple(rng.choice(len(truth), k, replace=False)) for _ in range(DRAWS)]
    chosen = {name: tops(value, k) for name, value in scores.items() if not isinstance(value, str)}
    sets = [*draws, *(one for several in chosen.values() for one in several)]
    falls = iter(falls_without(text, question, sets))
    random = np.array([next(falls) for _ in draws])
    mean_falls = {
        name: float(np.mean([next(falls) for _ in several])) for name, several in chosen.items()
    }
    low, high = np.quantile(random, [0.025, 0.975])
    base = (float(random.mean()), float(low), float(high), mean_falls["uniform"])
    offsets, missing = Mask(text).words, float("nan")
    return tuple(
        Worth(name, k, missing, *base, None, (), value)
        if isinstance(value, str)
        else Worth(
            name,
            k,
            mean_falls[name],
            *base,
            kendall(value, truth)[0],
            tuple(text[slice(*offsets[i])] for i in chosen[name][0]),
        )
        for name, value in scores.items()
    )


def _scores(text: str, model: Model, method: str) -> tuple[float, ...] | str:
    """Return a method's scores, or the sentence that says why there are none."""
    try:
        return word_scores(text, model, method)
    except (CapabilityError, ParameterError) as error:
        return str(error)


def tops(scores: Sequence[float], k: int) -> list[tuple[int, ...]]:
    """Return the k best words; where equal scores leave a choice, DRAWS ways to choose.

    >>> tops([0.1, 0.7, 0.2], 2)
    [(1, 2)]
    """
    import numpy as np

    values = np.asarray(scores, float)
    least = np.sort(values)[-k]
    sure = [int(i) for i in np.flatnonzero(values > least)]
    tied = np.flatnonzero(values == least)
    if len(sure) + len(tied) == k:
        return [tuple(sorted([*sure, *map(int, tied)]))]
    rng = np.random.default_rng(0)
    picks = (rng.choice(tied, k - len(sure), replace=False) for _ in range(DRAWS))
    return [tuple(sorted([*sure, *map(int, pick)])) for pick in picks]


def falls_without(text: str, question: Question, sets: Sequence[Sequence[int]]) -> list[float]:
    """Return for each set of words how far hiding it lowers the predicted output's probability."""
    model = question.model
    plain, words = model.tokenise(text), Mask(text).words
    operator = OPERATORS[default_operator(model)]
    masks = [Mask(text, tuple(MaskSpan(*words[i]) for i in sorted(one))) for one in sets]
    reads = [encode(mask, operator, model, plain) for mask in (Mask(text), *masks)]
    answers = question.probabilities(question.logits(reads))
    index = question.answer(answers[0])
    return [float(p) for p in answers[0, index] - answers[1:, index]]


def worth_sentence(found: Sequence[Worth]) -> str:
    """Say in one sentence which methods point at words that the answer needs."""
    tried = [one for one in found if not one.error and one.method != "uniform"]
    good = [one.method for one in tried if one.believable]
    first = tried[0]
    chance = f"{100 * first.random:.1f} points on average"
    if not good:
        return (
            f"Of no method the top {_words(first.k)} can be told from random ones ({chance}): do "
            "not take this attention for an explanation."
        )
    best = max((one for one in tried if one.believable), key=lambda one: one.fall)
    return (
        f"Hiding the top {_words(best.k)} of {best.method} lowers the answer by "
        f"{100 * best.fall:.1f} points, random words by {chance}; beyond chance and uniform: "
        f"{', '.join(good)}."
    )


def _words(k: int) -> str:
    return f"{k} words" if k > 1 else "word"
