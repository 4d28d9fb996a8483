"""The rows of a file as a comparison needs them, checked before anything runs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...data.rows import iter_rows
from ...errors import DataError, MaskError, TextError
from ...models.model import Model
from ...readings.question import Question

NO_LABEL = "(none)"  # what a multi-label head answers where no label has 0.5
_MISSING = ("", "nan", "none", "null")


@dataclass(frozen=True)
class Row:
    """One usable row; `number` counts from 1."""

    number: int
    text: str
    expected: str | None
    groups: dict[str, str]

    def seed(self, first: int) -> int:
        """Return the seed of its masks, where the first row has `first`.

        With one seed for all, rows of one length would have the same places hidden.
        """
        return first + self.number - 1


@dataclass(frozen=True)
class FileCheck:
    """What a look at every row of a file found.

    usable: rows with a text (and a label where labels are asked for). labels: label → rows.
    left_out: reason → row numbers.
    """

    rows: int
    usable: int
    labels: dict[str, int]
    left_out: dict[str, list[int]]

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence for each reason that rows are left out."""
        return tuple(notes(self.left_out))


def check_file(
    source: str | Path | bytes,
    question: Question,
    text_column: str,
    label_column: str | None = None,
    by: Sequence[str] = (),
    name: str | None = None,
) -> FileCheck:
    """Read every row once, without asking the model.

    Raises DataError for a missing column, or a label the model does not know.
    """
    left_out: dict[str, list[int]] = {}
    labels: Counter[str] = Counter()
    rows = usable = 0

    def counted() -> Iterator[dict[str, object]]:
        nonlocal rows
        for row in iter_rows(source, name):
            rows += 1
            yield row

    for row in usable_rows(counted(), question, text_column, label_column, by, left_out):
        usable += 1
        if row.expected is not None and question.head != "regression":
            labels[row.expected] += 1
    return FileCheck(rows, usable, dict(labels.most_common(200)), left_out)


def usable_rows(
    rows: Iterable[dict[str, object]],
    question: Question,
    text_column: str,
    label_column: str | None,
    by: Sequence[str],
    left_out: dict[str, list[int]],
) -> Iterator[Row]:
    """Yield the rows that have what is asked for; note the others in `left_out`."""
    match = label_matcher(question)
    for number, row in enumerate(rows, start=1):
        for column in filter(None, (text_column, label_column, *by)):
            if column not in row:
                known = ", ".join(map(repr, row))
                raise DataError(f"There is no column {column!r}: choose one of {known}.")
        text, label = row[text_column], row[label_column] if label_column else None
        if _empty(text):
            left_out.setdefault("without text", []).append(number)
        elif label_column and _empty(label):
            left_out.setdefault("without a label", []).append(number)
        else:
            expected = match(label, number) if label_column else None
            groups = {column: _shown(row[column]) for column in by}
            yield Row(number, str(text), expected, groups)


def _empty(value: object) -> bool:
    return value is None or (not _several(value) and str(value).strip().casefold() in _MISSING[:2])


def _several(value: object) -> bool:
    return hasattr(value, "__iter__") and not isinstance(value, str | bytes)


def _shown(value: object) -> str:
    text = str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()
    return "(empty)" if text.casefold() in _MISSING else text[:80]


def label_matcher(question: Question) -> Callable[[object, int], str]:
    """Return what turns a file's label into an output of the question: by name, or by its number.

    Of a multi-label head a cell holds several, a list or with commas, or says `none`; of a
    regression it holds a number.
    Raises DataError, with the labels the model knows, for any other value.
    """
    model, outputs = question.model, question.outputs
    known = {name.casefold(): name for name in outputs}
    known |= {str(i): name for i, name in enumerate(outputs) if str(i) not in known}

    def one(value: object, row: int) -> str:
        text = str(int(value) if isinstance(value, float) and value.is_integer() else value)
        if text.strip().casefold() not in known:
            raise DataError(
                f"Row {row} has the label {text[:40]!r}, which the model {model.name!r} does not "
                f"know: its labels are {', '.join(outputs)} (or 0 to "
                f"{len(outputs) - 1}); choose another column or model."
            )
        return known[text.strip().casefold()]

    def several(value: object, row: int) -> str:
        items = list(value) if _several(value) else re.split(r"[,;|]", str(value))  # type: ignore[call-overload]
        named = [i for i in items if str(i).strip().casefold() not in ("", "none", NO_LABEL)]
        return joined(outputs, {one(item, row) for item in named})

    def number(value: object, row: int) -> str:
        try:
            return repr(float(str(value)))
        except ValueError:
            raise DataError(
                f"Row {row} has {str(value)[:40]!r} where the regression model {model.name!r} "
                "needs a number: choose another column."
            ) from None

    return {"single": one, "multi": several, "regression": number}[question.head]


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


def why_left_out(error: TextError | MaskError) -> str:
    """Return the reason that a row cannot be masked, as `notes` says it."""
    if isinstance(error, MaskError):
        return "of which nothing would be left"
    return "without a word"


def _counted(rows: list[int]) -> str:
    return f"{len(rows):,} row{'s' * (len(rows) > 1)}"


def _numbers(rows: list[int]) -> str:
    return f"{', '.join(map(str, rows[:8]))}{' …' if len(rows) > 8 else ''}"
