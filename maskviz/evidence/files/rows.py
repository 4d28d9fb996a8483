"""The rows of a file as a comparison needs them, checked before anything runs."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...data.groups import group_value
from ...data.known import Known, as_number
from ...data.label_map import LabelMap
from ...data.labels import Shape, label_columns, missing, no_column
from ...data.rows import iter_rows
from ...errors import DataError, MaskError, TextError
from ...models.model import Model
from ...readings.question import Question
from ...text.conversation import Conversation
from ...text.listed import listed
from ...text.span import Span
from .breakdown import Column, Counts

NO_LABEL = "(none)"  # what a multi-label head answers where no label has 0.5


@dataclass(frozen=True)
class Row:
    """One usable row; `number` counts from 1."""

    number: int
    text: str
    expected: str | None
    groups: dict[str, str]
    cluster: str | None = None  # what the row shares with others
    spoken: Conversation | None = None  # whose contents the text is
    marks: object = None  # the cell that says what a person marked
    marked: tuple[Span, ...] | None = None  # what that is in the text
    answer: str | None = None  # that the file gives for it

    def seed(self, first: int) -> int:
        """Return the seed of its masks, where the first row has `first`.

        With one seed for all, rows of one length would have the same places hidden.
        """
        return first + self.number - 1


@dataclass(frozen=True)
class FileCheck:
    """What a look at every row of a file found.

    usable: rows with a text (and a label where labels are asked for). labels: label → rows.
    left_out: reason → row numbers. reading: how the labels are written, and what they were taken
    for where that is another name. columns: those that rows are broken down by.
    """

    rows: int
    usable: int
    labels: dict[str, int]
    left_out: dict[str, list[int]]
    reading: tuple[str, ...] = ()
    columns: dict[str, Column] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence on how labels are read, and for each reason that rows are left out."""
        return (*self.reading, *notes(self.left_out))


def check_file(
    source: str | Path | bytes,
    question: Question,
    text_column: str,
    label_column: str | None = None,
    by: Sequence[str] = (),
    name: str | None = None,
    cluster: str | None = None,
    label_map: LabelMap | None = None,
    answers: str | None = None,
) -> FileCheck:
    """Read every row once, without asking the model; `cluster` names what rows share.

    `label_map` says which of the model's labels a label of the file stands for. Raises DataError
    for a missing column, or a label the model does not know.
    """
    left_out: dict[str, list[int]] = {}
    labels: Counter[str] = Counter()
    counts = {column: Counts() for column in by}
    rows = usable = 0
    reader = label_reader(source, question, label_column, name, label_map)

    def counted() -> Iterator[dict[str, object]]:
        nonlocal rows
        for row in iter_rows(source, name):
            rows += 1
            yield row

    for row in usable_rows(counted(), text_column, reader, by, left_out, cluster, answers):
        usable += 1
        for column, value in row.groups.items():
            counts[column].add(value)
        if row.expected is not None and question.head != "regression":
            labels[row.expected] += 1
    reading = reader.said if reader else ()
    columns = {column: found.column() for column, found in counts.items()}
    known = dict(labels.most_common(200))
    return FileCheck(rows, usable, known, left_out, reading, columns)


def usable_rows(
    rows: Iterable[dict[str, object]],
    text_column: str,
    reader: LabelReader | None,
    by: Sequence[str],
    left_out: dict[str, list[int]],
    cluster: str | None = None,
    answers: str | None = None,
    spans: str | None = None,
) -> Iterator[Row]:
    """Yield the rows that have what is asked for; note the others in `left_out`."""
    given = tuple(filter(None, (cluster, answers, spans)))
    asked = (text_column, *(reader.shape.columns if reader else ()), *given, *by)
    for number, row in enumerate(rows, start=1):
        for column in asked:
            if column not in row:
                raise no_column(column, list(row))
        expected = None
        if missing(row[text_column]):
            left_out.setdefault("without text", []).append(number)
        elif answers and missing(row[answers]):
            left_out.setdefault("without an answer", []).append(number)
        elif reader and (expected := reader.label(row, number)) is None:
            left_out.setdefault(reader.why_none(row, number), []).append(number)
        else:
            groups = {column: group_value(row[column]) for column in by}
            shared = None if cluster is None else group_value(row[cluster])
            answer = _text(row[answers]) if answers else None
            marks = row[spans] if spans else None
            text = _text(row[text_column])
            yield Row(number, text, expected, groups, shared, answer=answer, marks=marks)


def _text(value: object) -> str:
    """Return a cell as text; a list, as JSON Lines and Parquet have them, as JSON."""
    if isinstance(value, list | dict) or hasattr(value, "tolist"):
        return json.dumps(value, ensure_ascii=False, default=lambda own: own.tolist())
    return str(value)


def label_reader(
    source: str | Path | bytes,
    question: Question,
    label_column: str | None,
    name: str | None = None,
    label_map: LabelMap | None = None,
) -> LabelReader | None:
    """Return what reads the labels of a file for a question; None where no column is named.

    The shape of the labels is told from the file's rows. Raises DataError for a missing column.
    """
    if label_column is None:
        return None
    head = next(iter_rows(source, name), None)
    if head is None:
        raise DataError("The file has a header and no rows: add at least one row.")
    several = question.head == "multi"
    columns = label_columns(label_column, list(head))

    def rows() -> Iterator[dict[str, object]]:
        for row in iter_rows(source, name):
            if any(column not in row for column in columns):
                raise no_column(next(c for c in columns if c not in row), list(row))
            yield row

    shape = Shape.found(label_column, list(head), rows(), several)
    return LabelReader(question, shape, label_map or {})


class NoLabels(DataError):
    """Labels where an answer in words is asked for."""

    def __init__(self) -> None:
        super().__init__(
            "The question answer has no labels to be right or wrong: leave the label column out, "
            "or ask the question choices."
        )


class LabelReader:
    """Turns what a row says into an output of the question: by the map, by name, else by number.

    Of a multi-label head a row has several, in any shape that `maskviz.data.labels` reads, or
    `none`; of a regression it has a number. `taken` keeps what was read as another name, `ignored`
    the values that the map leaves out.
    """

    def __init__(self, question: Question, shape: Shape, label_map: LabelMap | None = None) -> None:
        self.model, self.shape = question.model, shape
        self.head, self.outputs = question.head, question.outputs
        self.known = Known(self.outputs)
        self.taken: dict[str, str] = {}
        self.ignored: set[str] = set()
        self.map = self._checked(label_map or {})
        if self.head == "likelihood":
            raise NoLabels
        if self.head != "regression":
            self._check_shape()

    def _checked(self, label_map: LabelMap) -> dict[str, str | None]:
        """Return a map whose labels are the model's own names."""
        if label_map and self.head == "regression":
            raise DataError(
                f"A label map names labels, and the regression model {self.model.name!r} needs "
                "numbers: leave the map out."
            )
        found = {v: label and self.known.find(label) for v, label in label_map.items()}
        for value, label in label_map.items():
            if label and found[value] is None:
                raise DataError(
                    f"The label map gives {label[:40]!r} for {value[:40]!r}, and the labels of the "
                    f"model {self.model.name!r} are {', '.join(self.outputs)}: name one of these."
                )
        return found

    def _check_shape(self) -> None:
        count = len(self.outputs)
        if self.shape.width and self.shape.width != count:
            raise DataError(
                f"{self.shape.columns[0]!r} holds vectors of {self.shape.width} values and the "
                f"model {self.model.name!r} has {count} labels: choose another column or "
                "model."
            )
        if len(self.shape.columns) > 1:
            for name in self.shape.names:
                self._named(name, f"The column {name[:40]!r}")

    def label(self, row: Mapping[str, Any], number: int) -> str | None:
        """Return a row's label as the model's, several joined; None where it says nothing.

        Raises DataError, with the labels the model knows, for any other.
        """
        if self.head == "multi":
            found = self.shape.read(row, number)
            return None if found is None else self._several(found, number)
        one = self.shape.one(row, number)
        if one is None:
            return None
        return self._number(one, number) if self.head == "regression" else self._one(one, number)

    def _several(self, found: tuple[str, ...], number: int) -> str:
        known = {*self.map, *(t for t in found if self.known.find(t))}
        said = [t for t in found if t in known or t.casefold() not in ("none", NO_LABEL)]
        return joined(self.outputs, filter(None, (self._one(text, number) for text in said)))

    def why_none(self, row: Mapping[str, Any], number: int) -> str:
        """Return why a row has no label to be right or wrong, as `notes` says it."""
        empty = self.shape.read(row, number) is None
        return "without a label" if empty else "with a label that the label map leaves out"

    def _one(self, text: str, number: int) -> str | None:
        if self.shape.width:  # the place in a vector
            label = self.outputs[int(text)]
            self.taken[text] = label
            return label
        return self._named(text, f"Row {number} has the label {text[:40]!r}, which")

    def _named(self, text: str, where: str) -> str | None:
        if text in self.map:
            label = self.map[text]
            if label is None:
                self.ignored.add(text)
                return None
        else:
            label = self.known.find(text)
        if label is None:
            raise DataError(
                f"{where} the model {self.model.name!r} does not know: its labels are "
                f"{', '.join(self.outputs)} (or {self.known.numbers}). Say which one each stands "
                f"for (--label-map {_quoted(text, self.outputs[0])}), choose another column or "
                "model, or leave the label column out: flip rates need none."
            )
        if label != text:
            self.taken[text] = label
        return label

    def _number(self, text: str, number: int) -> str:
        value = as_number(text)
        if value is None:
            raise DataError(
                f"Row {number} has {text[:40]!r} where the regression model {self.model.name!r} "
                "needs a number: choose another column."
            )
        return repr(value)

    @property
    def said(self) -> tuple[str, ...]:
        """How the labels are read, a sentence each: their shape, and what stands for what."""
        pairs = [f"{text[:40]} as {label[:40]!r}" for text, label in sorted(self.taken.items())]
        more = f" and {len(pairs) - 8} more" if len(pairs) > 8 else ""
        by = "your map" if self.map else "name or number"
        taken = f"Labels are read by {by}: {', '.join(pairs[:8])}{more}." if pairs else ""
        return tuple(filter(None, (self.shape.said, taken)))


def _quoted(value: str, label: str) -> str:
    """Return a map of one value as it is written on a command line."""
    written = f"{value[:40]}={label[:40]}"
    return f"'{written}'" if re.search(r"[^\w.=-]", written) else written


def joined(outputs: Sequence[str], labels: Iterable[str]) -> str:
    """Return several labels in the outputs' order, with commas; NO_LABEL where there is none."""
    chosen = set(labels)
    return ", ".join(name for name in outputs if name in chosen) or NO_LABEL


def notes(left_out: dict[str, list[int]]) -> list[str]:
    """Return one sentence for each reason that rows are left out."""
    return [f"{_counted(rows)} {why} left out: {_numbers(rows)}." for why, rows in left_out.items()]


def cut_note(rows: list[int], model: Model) -> list[str]:
    """Return a sentence on the rows of which the model reads only the beginning."""
    if not rows:
        return []
    return [
        f"{_counted(rows)} longer than the {model.max_length:,} tokens that {model.name!r} "
        f"{model.takes}, "
        f"cut at the end: {_numbers(rows)}. Read in windows, nothing is cut."
    ]


class LeftOut(MaskError):
    """A row that is left out, and why, as `notes` says it."""


def why_left_out(error: TextError | MaskError) -> str:
    """Return the reason that a row cannot be masked, as `notes` says it."""
    if isinstance(error, LeftOut):
        return str(error)
    if isinstance(error, MaskError):
        return "of which nothing would be left"
    return "without a word"


def _counted(rows: list[int]) -> str:
    return f"{len(rows):,} row{'s' * (len(rows) > 1)}"


def _numbers(rows: list[int]) -> str:
    if len(rows) <= 8:
        return ", ".join(map(str, rows))
    return listed([*map(str, rows[:8]), f"{len(rows) - 8:,} more"])
