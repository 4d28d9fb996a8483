"""Ways to score words, by name: what each gives a word, and in which unit.

A method is a small function from a `Request` to `Scores`, registered; every door offers it then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...models.model import Model
from ...readings.question import Question
from ...registry import Registry

Word = tuple[int, int]


@dataclass(frozen=True)
class Request:
    """What is to be scored: the words `text[start:end]` for the question's output at `index`.

    long: `cut` or `windows`, see `maskviz.readings.windows`.
    """

    question: Question
    text: str
    index: int
    words: tuple[Word, ...]
    long: str = "cut"
    seed: int = 0

    @property
    def model(self) -> Model:
        """The model that is asked."""
        return self.question.model


@dataclass(frozen=True)
class Scores:
    """A score for each word of a request.

    convergence_gap: |Σ scores − (F(x) − F(baseline))| of integrated gradients, else None.
    reduced: the words that input reduction leaves, by index, else None. log_odds: of occlusion the
    falls in log-odds, by which words are ranked: of an answer near 0 or 1 the falls of p differ in
    their last digits alone. notice: a sentence where not all was read that the model's answer rests
    on, else empty.
    """

    values: tuple[float, ...]
    convergence_gap: float | None = None
    reduced: tuple[int, ...] | None = None
    log_odds: tuple[float, ...] | None = None
    notice: str = ""


Score = Callable[[Request], Scores]


@dataclass(frozen=True)
class Method:
    """A way to score words. baseline: it knows nothing of the text, any claim must beat it."""

    name: str
    summary: str
    unit: str
    score: Score
    baseline: bool = False


_MODULES = (
    "maskviz.evidence.words.occlusion",
    "maskviz.evidence.words.gradients",
    "maskviz.evidence.words.attending",
    "maskviz.evidence.words.baselines",
)
METHODS: Registry[Method] = Registry("method", _MODULES)


def method(name: str, unit: str, summary: str, baseline: bool = False) -> Callable[[Score], Score]:
    """Register the decorated function as the method `name`."""

    def register(score: Score) -> Score:
        METHODS.add(Method(name, summary, unit, score, baseline), score.__module__)
        return score

    return register


def per_word(
    words: tuple[Word, ...],
    offsets: tuple[tuple[int, int] | None, ...],
    values: tuple[float, ...],
) -> list[float]:
    """Sum token values into words: a token counts, in equal parts, for the words it overlaps."""
    totals = [0.0] * len(words)
    first = 0
    for offset, value in zip(offsets, values, strict=True):
        if offset is None or offset[0] == offset[1]:
            continue
        while first < len(words) and words[first][1] <= offset[0]:
            first += 1
        last = first
        while last < len(words) and words[last][0] < offset[1]:
            last += 1
        for i in range(first, last):
            totals[i] += value / (last - first)
    return totals
