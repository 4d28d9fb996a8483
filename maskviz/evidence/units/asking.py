"""One text as it is asked about with units masked: what stands in their place, and from where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...data import make_example
from ...errors import ParameterError, TextError
from ...inside.anatomy import anatomy_of
from ...inside.operators import (
    BUT_BIAS,
    FROM,
    FROM_PLAIN,
    MEAN,
    Values,
    checked_operator,
)
from ...inside.scanning import Scan, aligned, recorded
from ...inside.under import values_for
from ...inside.units import HEAD, UnitMask
from ...masks.encoding import Encoding
from ...masks.mask import Mask
from ...masks.operators import apply
from ...models.memory import remembered
from ...readings.language.conversing import taken_up
from ...readings.question import Question
from ...text.words import NO_WORDS

ROWS = 64  # example rows that a mean is over where no others are given


def put_to(question: Question, text: str) -> Question:
    """Return the question as it is asked about a text. Raises TextError for one without any."""
    if not text.strip():
        raise TextError(NO_WORDS)
    return question.about(text)


@dataclass(frozen=True)
class Way:
    """How units are masked.

    operator: of `maskviz.inside.operators`. rows: the texts that a mean is over, None for the
    example rows. hidden, hides: the masked text and its operator, which `from` takes values of.
    """

    operator: str = MEAN
    rows: tuple[str, ...] | None = None
    hidden: Mask | None = None
    hides: str = "mask"

    def __post_init__(self) -> None:
        checked_operator(self.operator)

    @property
    def patches(self) -> bool:
        """Whether values come from another reading of the text."""
        return self.operator in (FROM, FROM_PLAIN)

    @property
    def said(self) -> str:
        """What is done to units, as a sentence begins."""
        return {
            FROM: "Giving {units} the value of the masked text",
            FROM_PLAIN: "Giving {units} the plain value in the masked text",
        }.get(self.operator, "Silencing {units} (" + self.operator + ")")


def example_rows() -> tuple[str, ...]:
    """Return the example rows that a mean is over where no others are given."""
    frame = make_example(ROWS)
    return tuple(frame["text"][:ROWS])


def scan_of(question: Question, text: str, way: Way, kind: str = HEAD) -> tuple[Scan, Encoding]:
    """Return what a text is asked by, with other units masked each time, and what is read of it.

    Where plain values go into the masked text, that is the masked one.
    """
    anatomy = anatomy_of(question.model)
    plain = apply(text, "attention", question.model)
    if not way.patches:
        return Scan(question, anatomy, plain, _values(question, way, kind)), plain
    if way.hidden is None or not way.hidden.spans:
        raise ParameterError(
            f"The unit operator {way.operator} takes the values of a masked text: choose what is "
            "hidden in it, such as --strategy entity."
        )
    masked = apply(way.hidden, way.hides, question.model)
    here, there = (plain, masked) if way.operator == FROM else (masked, plain)
    keys = anatomy.keys(kind)
    own, others = (recorded(question, anatomy, one, keys) for one in (here, there))
    values = aligned(others, here, there, own, anatomy.first)
    return Scan(question, anatomy, here, values), here


def _values(question: Question, way: Way, kind: str) -> Values | None:
    """Return what stands in the place of every unit of a kind; None is zero."""
    rows = way.rows
    if way.operator == MEAN and rows is None:
        rows = example_rows()
    if way.operator not in (MEAN, BUT_BIAS):
        return None
    return _kept(question, way.operator, rows or (), kind)


@remembered(maxsize=4)
def _kept(question: Question, operator: str, rows: tuple[str, ...], kind: str) -> Values | None:
    anatomy = anatomy_of(question.model)
    every = UnitMask(anatomy, anatomy.of_kind(kind))
    return values_for(question, every, operator, reads_of(question, rows))


def reads_of(question: Question, rows: Sequence[str]) -> list[Encoding]:
    """Return what a model reads of rows, within its prompt."""
    model = question.model
    return [apply(taken_up(model, text), "attention", model) for text in rows if text.strip()]
