"""A score per word: how much the answer rests on it.

The ways to score are in `maskviz.evidence.words.methods.METHODS`: occlusion, gradients, attention,
and baselines that any claim must beat.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ...errors import TextError, UnknownNameError
from ...masks.mask import Mask
from ...models.memory import remembered
from ...models.model import Model, load_model
from ...readings.labels import head_of
from ...readings.windows import Answers, checked_long, read
from .methods import METHODS, Question, Scores, Word
from .occlusion import Occluded, occlude


@dataclass(frozen=True)
class WordScore:
    """A word `text[start:end]` and its score."""

    start: int
    end: int
    text: str
    score: float


@dataclass(frozen=True)
class Explanation:
    """A score per word for one label; words the model does not read have the score 0.

    probability: of the label; where `head` is `regression`, its value.
    unit: of the scores: `Δp`, `value` (of a regression), `logit`, `rank`, `share` (of attention)
        or `none`.
    convergence_gap: of integrated gradients, in logits: |Σ scores − (F(x) − F(baseline))|.
    reduced: the words that input reduction leaves, by index.
    notice: a sentence where the text was cut or read in windows, else empty.
    """

    label: str
    probability: float
    words: tuple[WordScore, ...]
    notice: str = ""
    method: str = "occlusion"
    unit: str = "Δp"
    model: str = "mini"
    convergence_gap: float | None = None
    reduced: tuple[int, ...] | None = None
    head: str = "single"

    @property
    def ranked(self) -> tuple[int, ...]:
        """The words by index, the highest score first, the earlier one between equals."""
        order = range(len(self.words))
        return tuple(sorted(order, key=lambda i: (-self.words[i].score, i)))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values; the keys are the command line's."""
        values = {name: value for name, value in vars(self).items() if value is not None}
        return {**values, "words": [vars(word) for word in self.words]}


def explain(
    text: str,
    model: Model | str = "mini",
    method: str = "occlusion",
    label: str | None = None,
    long: str = "cut",
    seed: int = 0,
) -> Explanation:
    """Score each word for `label`, by default the predicted one.

    `method` is a name in METHODS, `long` is `cut` or `windows`, `seed` counts for `random`.
    Raises UnknownNameError for the method or label, TextError for a text without words.

    >>> max(explain("A truly great film.").words, key=lambda w: w.score).text
    'great'
    """
    METHODS[method], checked_long(long)
    loaded = load_model(model)
    loaded.require("classify")
    if label is not None and label not in loaded.labels:
        raise UnknownNameError.of("label", label, loaded.labels)
    return _explained(loaded, text, method, label, long, seed)


def explain_many(
    texts: Iterable[str], model: Model | str = "mini", long: str = "cut"
) -> Iterator[Explanation]:
    """Score the words of many texts by occlusion, for each text's predicted label.

    Texts share batches, so this is several times faster than `explain` of one after the other.
    """
    loaded = load_model(model)
    loaded.require("classify")

    def kept() -> Iterator[str]:
        for text in texts:
            _checked_words(text)
            seen.append(text)
            yield text

    seen: list[str] = []
    for found in occlude(loaded, kept(), long):
        index = _predicted(loaded, found.plain)
        yield _of_occlusion(loaded, seen.pop(0), found, index)


def _of_occlusion(model: Model, text: str, found: Occluded, index: int) -> Explanation:
    falls = found.plain[index] - found.hidden[:, index]
    return Explanation(
        model.labels[index],
        float(found.plain[index]),
        tuple(
            WordScore(s, e, text[s:e], float(v))
            for (s, e), v in zip(found.words, falls, strict=True)
        ),
        unit=_unit("Δp", model),
        model=model.name,
        head=head_of(model.config),
    )


def _unit(unit: str, model: Model) -> str:
    return "value" if unit == "Δp" and head_of(model.config) == "regression" else unit


def _predicted(model: Model, probabilities: Any) -> int:
    return int(probabilities.argmax()) if len(model.labels) > 1 else 0


def _checked_words(text: str) -> tuple[Word, ...]:
    words = Mask(text).words
    if not words:
        raise TextError("The text has no words to score: enter at least one word.")
    return words


@remembered(maxsize=256)
def _explained(
    model: Model, text: str, method: str, label: str | None, long: str, seed: int
) -> Explanation:
    words = _checked_words(text)
    answers: Answers = read(model, [(Mask(text), "attention")], long)
    plain = answers.probabilities[0]
    index = _predicted(model, plain) if label is None else model.labels.index(label)
    found: Scores = METHODS[method].score(Question(model, text, index, words, long, seed))
    scored = zip(words, found.values, strict=True)
    return Explanation(
        model.labels[index],
        float(plain[index]),
        tuple(WordScore(s, e, text[s:e], float(value)) for (s, e), value in scored),
        " ".join(filter(None, (answers.notices[0], found.notice))),
        method,
        _unit(METHODS[method].unit, model),
        model.name,
        found.convergence_gap,
        found.reduced,
        head_of(model.config),
    )
