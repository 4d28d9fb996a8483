"""The column in which people marked what is irrelevant, row by row, for the strategy `spans`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...data.labels import no_column
from ...errors import DataError, ParameterError
from ...text.marked import read_marks
from ...text.span import Span
from ..spec.spec import RunSpec

if TYPE_CHECKING:
    import pandas as pd

NAMES = ("spans", "marked", "irrelevant")  # of columns that hold marks, where none is named


def spans_column(spec: RunSpec, columns: Sequence[str]) -> str:
    """Return the column that marks the rows of a run, empty where none is asked for.

    Raises DataError where it is not there, ParameterError where a mask needs one and none is named.
    """
    named = spec.data.spans_column
    if named and named not in columns:
        raise no_column(named, list(columns))
    if named or not _needs(spec):
        return named
    found = next((name for name in NAMES if name in columns), "")
    if not found:
        raise ParameterError(
            "The strategy 'spans' hides what a column marks and none is named: add --spans-column "
            f"with one of {', '.join(map(str, columns))}."
        )
    return found


def _needs(spec: RunSpec) -> bool:
    masks = [m for m in (spec.masking, spec.evaluation) if m is not None]
    return any("marks" in mask.needs for mask in masks) or "spans" in spec.loss.strategy


def row_marks(cell: Any, text: str, number: int, written: str | None = None) -> tuple[Span, ...]:
    """Return what a cell marks in a row's text; `written` is what its places count in.

    number: of the row, from 0. Raises DataError, which names the row.
    """
    shift = 0 if written is None else _shift(written, text)
    try:
        return read_marks(cell, text, shift)
    except DataError as error:
        raise DataError(f"Row {number + 1}: {error}") from None


def _shift(written: str, text: str) -> int:
    """Return where the cell's text begins in the one that is read, below 0 where it is trimmed."""
    trimmed = written.lstrip()
    at = text.find(trimmed.rstrip())
    return max(at, 0) - (len(written) - len(trimmed))


def marks_of(
    spec: RunSpec, frame: pd.DataFrame, text: str, rows: Sequence[int], texts: Sequence[str]
) -> tuple[tuple[Span, ...], ...] | None:
    """Return the marks of the usable rows of a table, None where no column holds any.

    rows: their places in the table; texts: as they are read.
    """
    column = spans_column(spec, list(map(str, frame.columns)))
    if not column:
        return None
    cells, written = frame[column].tolist(), frame[text].tolist()
    return tuple(
        row_marks(cells[row], said, row, str(written[row]))
        for row, said in zip(rows, texts, strict=True)
    )
