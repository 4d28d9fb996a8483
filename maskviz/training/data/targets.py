"""What a row is to teach, by the kind of task: a class, several, a number, a text, or nothing.

Each kind reads the cells of its column once, refuses what cannot train, and says in a sentence
what it left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...data import Selection, select
from ...errors import DataError
from ..spec.spec import MULTI, REGRESSION, SINGLE

if TYPE_CHECKING:
    import pandas as pd

SMALLER = "divide them in the table, so that they stay within some tens, and it learns better"
LARGE = 1e4  # a regression's loss squares its values: beyond this it hardly learns
_SEPARATORS = re.compile(r"[,;|]")


@dataclass(frozen=True)
class Targets:
    """The usable rows and how a cell becomes a target.

    names: the labels, in the order of the model's outputs; encode: a cell's text to its target,
    None where it is none; by_class: whether a random split keeps the shares of the classes.
    """

    selection: Selection
    names: tuple[str, ...]
    encode: Callable[[str], Any]
    by_class: bool = False


def read_targets(frame: pd.DataFrame, text: str, column: str | None, kind: str) -> Targets:
    """Read texts and targets of a table. Raises DataError with what to do."""
    if kind == "mlm" or column is None:
        texts = paired(frame, text, None)
        return Targets(texts, ("text",), lambda _: 0)
    if kind == SINGLE:
        return _classes(select(frame, text, column))
    selection = paired(frame, text, column)
    return {MULTI: _several, REGRESSION: _numbers, "seq2seq": _texts}[kind](selection, column)


def _classes(selection: Selection) -> Targets:
    number = {name: i for i, name in enumerate(selection.label_names)}
    return Targets(selection, selection.label_names, number.get, by_class=True)


def _several(selection: Selection, column: str) -> Targets:
    """Several labels in a cell, separated by comma, semicolon or bar; `-` stands for none."""
    names = tuple(sorted({name for cell in selection.labels for name in labels_in(cell)}))
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

    def encode(cell: str) -> tuple[float, ...] | None:
        found = set(labels_in(cell))
        return tuple(float(name in found) for name in names) if found <= set(names) else None

    return Targets(selection, names, encode)


def labels_in(cell: str) -> list[str]:
    """Return the labels of a cell.

    >>> labels_in("warm; funny"), labels_in("-"), labels_in("['warm', 'funny']")
    (['warm', 'funny'], [], ['warm', 'funny'])
    """
    parts = (part.strip().strip("'\"") for part in _SEPARATORS.split(cell.strip().strip("[]")))
    return [part for part in parts if part not in ("", "-")]


def _numbers(selection: Selection, column: str) -> Targets:
    for cell, row in zip(selection.labels, selection.rows, strict=True):
        if _number(cell) is None:
            raise DataError(
                f"Row {row + 1} of {column!r} is {cell[:40]!r} and a regression needs numbers: "
                "correct it or take problem_type 'single_label_classification'."
            )
    if len(set(map(_number, selection.labels))) == 1:
        raise DataError(f"The column {column!r} holds one value alone: there is nothing to learn.")
    if (largest := max(abs(float(cell)) for cell in selection.labels)) > LARGE:
        note = f"The values of {column!r} reach {largest:,.4g}: {SMALLER}."
        selection = replace(selection, notes=(*selection.notes, note))
    return Targets(selection, (column,), _number)


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _texts(selection: Selection, _column: str) -> Targets:
    return Targets(selection, ("text",), str)


def paired(frame: pd.DataFrame, text: str, column: str | None) -> Selection:
    """Return the rows with a text, and a cell in `column` where one is asked for."""
    asked = [name for name in (text, column) if name is not None]
    for name in asked:
        if name not in frame.columns:
            listed = ", ".join(map(str, frame.columns))
            raise DataError(f"There is no column {name!r}: choose one of {listed}.")
    cells = list(zip(*(map(_cell, frame[name]) for name in asked), strict=True))
    kept = [i for i, row in enumerate(cells) if all(row)]
    if len(kept) < 2:
        columns = " and ".join(map(repr, asked))
        raise DataError(f"{len(kept)} rows have {columns} and training needs 2 or more.")
    left = len(cells) - len(kept)
    notes = (f"{left} rows without {' or '.join(map(repr, asked))} are left out.",) if left else ()
    labels = tuple(cells[i][-1] if column is not None else "text" for i in kept)
    return Selection(tuple(cells[i][0] for i in kept), labels, tuple(kept), notes)


def _cell(value: Any) -> str:
    if isinstance(value, (list, tuple)) or type(value).__name__ == "ndarray":
        return ", ".join(map(str, value)) or "-"
    if value is None or value != value:
        return ""
    return str(value).strip()


def class_weights(labels: Sequence[int], count: int) -> list[float]:
    """Return n / (classes · n_c) for each class c, as scikit-learn's `balanced`; 0 for none.

    >>> class_weights([0, 0, 0, 1], 2)
    [0.6666666666666666, 2.0]
    """
    rows = [sum(1 for label in labels if label == c) for c in range(count)]
    return [len(labels) / (count * n) if n else 0.0 for n in rows]
