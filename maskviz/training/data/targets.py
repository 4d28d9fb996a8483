"""What a row is to teach, by the kind of task: a class, several, a number, a text, or nothing.

Each kind reads the cells of its column once, refuses what cannot train, and says in a sentence
what it left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ...data import Selection, select
from ...data.known import Known, as_number, told_apart
from ...data.labels import Shape, labels_of, missing, no_column, parts, whole_numbers
from ...errors import DataError
from ...text.span import Span
from ..spec.spec import MULTI, REGRESSION, SINGLE

if TYPE_CHECKING:
    import pandas as pd

SMALLER = "divide them in the table, so that they stay within some tens, and it learns better"
LARGE = 1e4  # a regression's loss squares its values: beyond this it hardly learns


@dataclass(frozen=True)
class Targets:
    """The usable rows and how a cell becomes a target.

    names: the labels, in the order of the model's outputs; encode: a cell's text to its target,
    None where it is none; by_class: whether a random split keeps the shares of the classes;
    left: of conversations, the row in the table (from 0) → why it is left out. marked: what a
    person marked in each usable row, None where no column says so.
    """

    selection: Selection
    names: tuple[str, ...]
    encode: Callable[[Any], Any]
    by_class: bool = False
    left: Mapping[int, str] = field(default_factory=dict)
    marked: tuple[tuple[Span, ...], ...] | None = None

    def cells_of(self, frame: pd.DataFrame, column: str) -> list[Any]:
        """Return what another table says in each row, read as this one; None or "" for nothing."""
        shape = self.selection.shape
        if shape is None:
            return cells(frame, column)
        return labels_of(frame, column, shape.several, shape)[1]


def read_targets(frame: pd.DataFrame, text: str, column: str | None, kind: str) -> Targets:
    """Read texts and targets of a table. Raises DataError with what to do."""
    if kind == "mlm" or column is None:
        texts = paired(frame, text, None)
        return Targets(texts, ("text",), lambda _: 0)
    if kind == SINGLE:
        return _classes(select(frame, text, column))
    if kind == MULTI:
        shape, labels = labels_of(frame, column, several=True)
        return _several(replace(paired(frame, text, column, labels), shape=shape), column, shape)
    selection = paired(frame, text, column, cells(frame, column))
    return {REGRESSION: _numbers, "seq2seq": _texts}[kind](selection, column)


def cells(frame: pd.DataFrame, column: str) -> list[str]:
    """Return the cells of a column of numbers or texts; a list of one is that one."""
    if column not in frame.columns:
        raise no_column(column, list(map(str, frame.columns)))
    return [_cell(value) for value in frame[column]]


def _classes(selection: Selection) -> Targets:
    known = Known(selection.label_names)
    number = {name: i for i, name in enumerate(known.names)}

    def encode(label: str) -> int | None:
        same = known.named(label) or known.named(whole_numbers([label])[0])
        return None if same is None else number[same]

    return Targets(selection, known.names, encode, by_class=True)


def _several(selection: Selection, column: str, shape: Shape) -> Targets:
    """Several labels a row, in any shape that `data.labels` reads."""
    found = {name for cell in selection.labels for name in cell}
    names = shape.names or tuple(sorted(found))
    if len(names) < 2:
        raise DataError(
            f"The column {column!r} names {len(names)} label: give cells such as 'funny, warm', "
            "or take problem_type 'single_label_classification'."
        )
    if len(names) > 200:
        raise DataError(
            f"The column {column!r} names {len(names):,} labels, over the limit of 200: choose "
            "the column that holds the labels."
        )

    known = Known(names)
    notes = tuple(filter(None, (*selection.notes, shape.said, told_apart(names))))

    def encode(cell: tuple[str, ...]) -> tuple[float, ...] | None:
        chosen = {known.named(name) for name in cell}
        return None if None in chosen else tuple(float(name in chosen) for name in names)

    return Targets(replace(selection, notes=notes), names, encode)


def _numbers(selection: Selection, column: str) -> Targets:
    for cell, row in zip(selection.labels, selection.rows, strict=True):
        if as_number(cell) is None:
            raise DataError(
                f"Row {row + 1} of {column!r} is {cell[:40]!r} and a regression needs numbers: "
                "correct it or take problem_type 'single_label_classification'."
            )
    if len(set(map(as_number, selection.labels))) == 1:
        raise DataError(f"The column {column!r} holds one value alone: there is nothing to learn.")
    if (largest := max(abs(float(cell)) for cell in selection.labels)) > LARGE:
        note = f"The values of {column!r} reach {largest:,.4g}: {SMALLER}."
        selection = replace(selection, notes=(*selection.notes, note))
    return Targets(selection, (column,), as_number)


def _texts(selection: Selection, _column: str) -> Targets:
    return Targets(selection, ("text",), str)


def paired(
    frame: pd.DataFrame, text: str, column: str | None, values: Sequence[Any] = ()
) -> Selection:
    """Return the rows with a text, and with a value of `column` where one is asked for.

    values: one a row; None or an empty text where it says nothing.
    """
    texts = cells(frame, text)
    kept = [
        i
        for i, shown in enumerate(texts)
        if shown and (column is None or values[i] not in (None, ""))
    ]
    asked = [name for name in (text, column) if name is not None]
    if len(kept) < 2:
        columns = " and ".join(map(repr, asked))
        raise DataError(f"{len(kept)} rows have {columns} and training needs 2 or more.")
    left = len(texts) - len(kept)
    notes = (f"{left} rows without {' or '.join(map(repr, asked))} are left out.",) if left else ()
    labels = tuple(values[i] if column is not None else "text" for i in kept)
    return Selection(tuple(texts[i] for i in kept), labels, tuple(kept), notes)


def _cell(value: Any) -> str:
    if missing(value):
        return ""
    found = parts(value, several=False) if not isinstance(value, str) else (value.strip(),)
    return found[0] if len(found) == 1 else ", ".join(found)


def class_weights(labels: Sequence[int], count: int) -> list[float]:
    """Return n / (classes · n_c) for each class c, as scikit-learn's `balanced`; 0 for none.

    >>> class_weights([0, 0, 0, 1], 2)
    [0.6666666666666666, 2.0]
    """
    rows = [sum(1 for label in labels if label == c) for c in range(count)]
    return [len(labels) / (count * n) if n else 0.0 for n in rows]
