"""What hiding each candidate does to one row, beside hiding as much of something else there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import MaskError
from ...masks.mask import Mask
from ...readings.question import Question
from ...readings.windows import answers_of, encodings_of
from ...text.words import word_offsets
from ..chance.reference import drawn_alike
from ..files.chance import APART
from ..files.rows import Row, joined
from .candidates import Candidate

FEW_OUTPUTS = 20  # whose probabilities and changes are kept of each row


@dataclass(frozen=True)
class Moved:
    """What hiding one candidate does to a row.

    strength: |Δ| of the plain answer (log-odds, or the value). reference: the same under another
    mask of its set, None where there is none. gained: Δ of each output, plain − masked: what the
    presence adds. place: where the first of it begins, 0 to 1. inside: candidates that hide all of
    it here, and no less.
    """

    strength: float
    reference: float | None
    flip: bool
    reference_flip: bool | None
    label: str
    change: float
    right: bool | None
    gained: tuple[float, ...]
    place: float
    inside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measured:
    """One row, its plain answer and what hiding moves; `row` counts from 1 in the file.

    unit: what it shares with others, or its own number. probability: of the answer, or the value.
    outputs: of each output, or of the one that is spoken of.
    """

    row: int
    text: str
    expected: str | None
    label: str
    probability: float
    right: bool | None
    outputs: tuple[float, ...]
    unit: str
    words: int
    groups: dict[str, str] = field(default_factory=dict)
    moved: dict[str, Moved] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Measured:
        """Read the values that `dataclasses.asdict` and JSON make of one."""
        moved = {
            name: Moved(**{**m, "gained": tuple(m["gained"]), "inside": tuple(m["inside"])})
            for name, m in values["moved"].items()
        }
        return cls(**{**values, "outputs": tuple(values["outputs"]), "moved": moved})

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield a flat record for each candidate that the row has, as a table shows it."""
        for name, moved in self.moved.items():
            yield {
                "row": self.row,
                "text": self.text,
                "expected": self.expected,
                "predicted": self.label,
                "probability": self.probability,
                "candidate": name,
                "masked": moved.label,
                "change": moved.change,
                "flip": moved.flip,
                "strength": moved.strength,
                "reference": moved.reference,
                **self.groups,
            }


@dataclass(frozen=True)
class Asked:
    """A row with what it is asked under: distinct masks, and another beside each.

    which: candidate → number of its mask; several that hide the same share it.
    """

    row: Row
    masks: list[Mask]
    beside: list[Mask | None]
    which: dict[str, int]
    plain: list[Any]
    masked: list[list[Any] | None]
    drawn: list[list[Any] | None]


def prepared(
    row: Row,
    found: Sequence[tuple[Candidate, Mask]],
    question: Question,
    operator: str,
    long: str,
    seed: int,
) -> Asked:
    """Return a row with its masks encoded; candidates that hide the same share one mask.

    Raises TextError, MaskError where the plain text cannot be read.
    """
    masks: dict[tuple[tuple[int, int], ...], Mask] = {}
    which = {}
    for candidate, mask in found:
        key = tuple((span.start, span.end) for span in mask.spans)
        masks.setdefault(key, mask)
        which[candidate.name] = list(masks).index(key)
    own, model = list(masks.values()), question.model
    others = [next(iter(drawn_alike(m, model, long, 1, row.seed(seed) + APART)), None)
              for m in own]  # fmt: skip
    plain = encodings_of([(Mask(row.text), "attention")], model, long)[0]
    masked = _encoded(own, operator, question, long)
    return Asked(row, own, others, which, plain, masked, _encoded(others, operator, question, long))


def _encoded(
    masks: Sequence[Mask | None], operator: str, question: Question, long: str
) -> list[list[Any] | None]:
    """Encode masks together; one by one where some would leave nothing of the text."""
    there = [mask for mask in masks if mask is not None]
    try:
        found = iter(encodings_of([(m, operator) for m in there], question.model, long))
        return [None if mask is None else next(found) for mask in masks]
    except MaskError:
        return [None if mask is None else _alone(mask, operator, question, long) for mask in masks]


def _alone(mask: Mask, operator: str, question: Question, long: str) -> list[Any] | None:
    try:
        return encodings_of([(mask, operator)], question.model, long)[0]
    except MaskError:
        return None


def measured(asked: Sequence[Asked], question: Question) -> list[Measured]:
    """Ask the model about all rows at once and return what moves."""
    pieces = [p for a in asked for p in (a.plain, *a.masked, *a.drawn) if p is not None]
    if not pieces:
        return []
    answers = answers_of(question, pieces)
    at, found = 0, []
    for a in asked:
        count = 1 + sum(p is not None for p in (*a.masked, *a.drawn))
        rows = slice(at, at + count)
        found.append(_row(a, question, answers.logits[rows], answers.probabilities[rows]))
        at += count
    return found


def _row(a: Asked, question: Question, logits: Any, probabilities: Any) -> Measured:
    odds = question.log_odds(logits)
    subject = question.subject(probabilities[0])
    places = iter(range(1, len(logits)))
    own = [None if piece is None else next(places) for piece in a.masked]
    drawn = [None if piece is None else next(places) for piece in a.drawn]
    chosen = [question.chosen(row) for row in probabilities]
    label, row = joined(question.outputs, chosen[0]), a.row
    shown = _shown(question, subject)
    inside = _inside(a)
    moved = {}
    for name, number in a.which.items():
        i, j = own[number], drawn[number]
        if i is None:
            continue
        answer = joined(question.outputs, chosen[i])
        moved[name] = Moved(
            abs(float(odds[i, subject] - odds[0, subject])),
            None if j is None else abs(float(odds[j, subject] - odds[0, subject])),
            chosen[i] != chosen[0],
            None if j is None else chosen[j] != chosen[0],
            answer,
            float(probabilities[i, subject] - probabilities[0, subject]),
            _right(row, question, answer),
            tuple(map(float, odds[0, shown] - odds[i, shown])),
            a.masks[number].spans[0].start / max(1, len(row.text)),
            inside[name],
        )
    return Measured(
        row.number, row.text, row.expected, label, float(probabilities[0, subject]),
        _right(row, question, label), tuple(map(float, probabilities[0, shown])),
        f"row {row.number}" if row.cluster is None else f"cluster {row.cluster}",
        len(word_offsets(row.text)), row.groups, moved,
    )  # fmt: skip


def shown_outputs(question: Question) -> list[int] | None:
    """Return the outputs that are kept of each row; None: of each row the one spoken of."""
    if question.has_subject or len(question.outputs) > FEW_OUTPUTS:
        return None
    return list(range(len(question.outputs)))


def _shown(question: Question, subject: int) -> list[int]:
    few = shown_outputs(question)
    return [subject] if few is None else few


def _right(row: Row, question: Question, label: str) -> bool | None:
    """Tell whether an answer is right, None where that is not known, or a value."""
    if row.expected is None or question.head in ("regression", "likelihood"):
        return None
    return label == row.expected


def _inside(a: Asked) -> dict[str, tuple[str, ...]]:
    """Return for each candidate those that hide all that it hides here."""
    bits = [sum((1 << s.end) - (1 << s.start) for s in mask.spans) for mask in a.masks]
    return {
        name: tuple(
            other
            for other, its in a.which.items()
            if other != name and not bits[number] & ~bits[its]
        )
        for name, number in a.which.items()
    }
