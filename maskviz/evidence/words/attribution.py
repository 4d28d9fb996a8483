"""A score per word: how much the answer rests on it.

The ways to score are in `maskviz.evidence.words.methods.METHODS`: occlusion, gradients, attention,
and baselines that any claim must beat.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ...errors import TextError
from ...masks.mask import Mask
from ...models.memory import remembered
from ...models.model import Model
from ...readings.question import Question, Spec, asked, json_of
from ...readings.windows import Answers, checked_long, read
from .methods import METHODS, Request, Scores, Word
from .occlusion import Occluded, occlude


@dataclass(frozen=True)
class WordScore:
    """A word `text[start:end]` and its score; of occlusion also the fall in log-odds."""

    start: int
    end: int
    text: str
    score: float
    log_odds: float | None = None


@dataclass(frozen=True)
class Explanation:
    """A score per word for one output; words the model does not read have the score 0.

    probability: of the label; where `head` is `regression` its value, `likelihood` its ln p.
    unit: of the scores: `Δp`, `value` (of a regression), `ln p`, `contrast` (of two tokens, in
        nats), `logit`, `rank`, `share` (of attention) or `none`.
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
    question: str | dict[str, Any] = "labels"

    @property
    def ranked(self) -> tuple[int, ...]:
        """The words by index, the strongest first, the earlier one between equals.

        By the fall in log-odds where it is known: of an answer near 1 that of p says little.
        """
        strength = [w.score if w.log_odds is None else w.log_odds for w in self.words]
        return tuple(sorted(range(len(strength)), key=lambda i: (-strength[i], i)))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values; the keys are the command line's."""
        values = {name: value for name, value in vars(self).items() if value is not None}
        del values["question"]
        return {**values, **json_of(self.question), "words": [_shown(word) for word in self.words]}


def _shown(word: WordScore) -> dict[str, Any]:
    return {name: value for name, value in vars(word).items() if value is not None}


def explain(
    text: str,
    model: Model | str | Question = "mini",
    method: str = "occlusion",
    label: str | None = None,
    long: str = "cut",
    seed: int = 0,
    question: Spec = "labels",
) -> Explanation:
    """Score each word for `label`, an output of the question, by default the predicted one.

    `method` is a name in METHODS, `long` is `cut` or `windows`, `seed` counts for `random`.
    Raises UnknownNameError for the method or label, TextError for a text without words.

    >>> max(explain("A truly great film.").words, key=lambda w: w.score).text
    'great'
    """
    METHODS[method], checked_long(long)
    put = asked(model, question).about(text)
    if label is not None:
        label = put.output(label)
    return _explained(put, text, method, label, long, seed)


def explain_many(
    texts: Iterable[str],
    model: Model | str | Question = "mini",
    long: str = "cut",
    question: Spec = "labels",
) -> Iterator[Explanation]:
    """Score the words of many texts by occlusion, for each text's predicted output.

    Texts share batches, so this is several times faster than `explain` of one after the other.
    """
    put = asked(model, question)

    def kept() -> Iterator[str]:
        for text in texts:
            _checked_words(text)
            seen.append(text)
            yield text

    seen: list[str] = []
    for found in occlude(put, kept(), long):
        yield _of_occlusion(put, seen.pop(0), found, put.subject(found.plain))


def _of_occlusion(question: Question, text: str, found: Occluded, index: int) -> Explanation:
    falls, odds = found.falls(index)
    falls = odds if _contrasts(question) else falls
    return Explanation(
        question.outputs[index],
        float(found.plain[index]),
        tuple(
            WordScore(s, e, text[s:e], fall, odd)
            for (s, e), fall, odd in zip(found.words, falls, odds, strict=True)
        ),
        unit=_unit("Δp", question),
        model=question.model.name,
        head=question.head,
        question=question.spec(),
    )


def _contrasts(question: Question) -> bool:
    """Tell whether one token is set against another: the log-odds of two are their contrast."""
    return bool(question.given.get("against")) and len(question.outputs) == 2


def _unit(unit: str, question: Question) -> str:
    if unit != "Δp":
        return unit
    if _contrasts(question):
        return "contrast"
    return {"regression": "value", "likelihood": "ln p"}.get(question.head, unit)


def _checked_words(text: str) -> tuple[Word, ...]:
    words = Mask(text).words
    if not words:
        raise TextError("The text has no words to score: enter at least one word.")
    return words


@remembered(maxsize=256)
def _explained(
    question: Question, text: str, method: str, label: str | None, long: str, seed: int
) -> Explanation:
    words = _checked_words(text)
    answers: Answers = read(question, [(Mask(text), "attention")], long)
    plain = answers.probabilities[0]
    index = question.subject(plain) if label is None else question.index(label)
    found: Scores = METHODS[method].score(Request(question, text, index, words, long, seed))
    odds = found.log_odds or (None,) * len(words)
    values = found.log_odds if found.log_odds and _contrasts(question) else found.values
    scored = zip(words, values, odds, strict=True)
    return Explanation(
        question.outputs[index],
        float(plain[index]),
        tuple(WordScore(s, e, text[s:e], float(value), odd) for (s, e), value, odd in scored),
        " ".join(filter(None, (answers.notices[0], found.notice))),
        method,
        _unit(METHODS[method].unit, question),
        question.model.name,
        found.convergence_gap,
        found.reduced,
        question.head,
        question.spec(),
    )
