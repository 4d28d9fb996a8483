"""What the label cells of a file say, whatever their shape: one reader for every door.

A label is a name or a number, and `1.0` is the number 1. Several labels stand in a row as

    a list                    ["joy", "praise"], {'joy', 'praise'}, ['joy' 'praise'] (NumPy)
    names in one cell         joy, praise   joy; praise   joy|praise
    a vector of 0 and 1       [1, 1, 0, 0]   1 1 0 0
    0 and 1 by name           {"joy": 1, "praise": 1, "anger": 0}
    one column a label        joy 1, praise 1, anger 0

and `-` or an empty list says that a row has none. An empty cell says nothing: its row is left out.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from .known import as_number

if TYPE_CHECKING:
    import pandas as pd

_ON, _OFF = frozenset({"1", "1.0", "1.", "true"}), frozenset({"0", "0.0", "0.", "false"})
_NO_CELL = frozenset({"", "nan"})
_SEPARATORS = re.compile(r"[,;|]")
_BITS = re.compile(r"[01](?:\s+[01])+")
_NUMBERS = re.compile(r"[\[({]\s*[\d.]+(?:\s+[\d.]+)*\s*[\])}]")  # as NumPy writes them
_CALL = re.compile(
    r"(?:(?:np|numpy)\.)?(?:array|set|frozenset|list|tuple)\((.*?)(?:,\s*dtype=[^()]+)?\)", re.S
)
_BESIDE = re.compile(r"""(['"])\s+(?=['"])""")  # two items of a NumPy array: no comma
_CLOSING = {"[": "]", "{": "}", "(": ")"}
_LONGEST = 100_000  # characters of a cell that is read as a list


# one cell -----------------------------------------------------------------------------------


def missing(value: object) -> bool:
    """Tell whether a cell says nothing: it is empty, or not a number."""
    if value is None or _several(value):
        return value is None
    return value != value or str(value).strip().casefold() in _NO_CELL


def written(value: object) -> str:
    """Return a name or number as text; a whole number has no fraction.

    >>> written(1.0), written(" joy "), written("1.0")
    ('1', 'joy', '1.0')
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a column of whole numbers with a gap reads as floats
    return str(value).strip()


def parts(value: object, several: bool) -> tuple[str, ...]:
    """Return what a cell lists; without `several` only what is written as a list is one.

    Raises DataError for a list in a list.

    >>> parts("joy, praise", True), parts("joy, praise", False), parts("['joy' 'praise']", False)
    (('joy', 'praise'), ('joy, praise',), ('joy', 'praise'))
    """
    if isinstance(value, str):
        text = value.strip()
        listed = _literal(text) if len(text) <= _LONGEST else None
        if listed is None:
            return _split(text) if several else (text,)
        value = listed
    if isinstance(value, Mapping):
        return tuple(written(name) for name, flag in value.items() if _flag(flag, str(name)))
    if not _several(value):
        return (written(value),)
    items = sorted(value, key=str) if isinstance(value, set | frozenset) else list(value)  # type: ignore[call-overload]
    if any(_several(item) for item in items):
        raise DataError(
            f"The cell {str(value)[:60]!r} holds a list in a list: give one list of labels a row."
        )
    return tuple(text for item in items if (text := written(item)) not in ("", "None"))


def _several(value: object) -> bool:
    return hasattr(value, "__iter__") and not isinstance(value, str | bytes)


def _literal(text: str) -> Any:
    """Return the list, set or table that a cell writes out, as JSON, Python or NumPy do."""
    if (call := _CALL.fullmatch(text)) is not None:
        return _literal(call[1].strip()) if call[1].strip() else []
    if not text or _CLOSING.get(text[0]) != text[-1]:
        return None
    if _NUMBERS.fullmatch(text):
        return text[1:-1].split()
    commas = _BESIDE.sub(r"\1, ", text)
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(commas)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
        return found if _several(found) else [found]
    return None


def _split(text: str) -> tuple[str, ...]:
    """Return the names in a cell, `-` being none."""
    if _BITS.fullmatch(text):
        return tuple(text.split())
    if text[:1] in ("[", "{") and text[-1:] == _CLOSING[text[0]]:
        text = text[1:-1]
    names = (part.strip().strip("'\"").strip() for part in _SEPARATORS.split(text))
    return tuple(name for name in names if name not in ("", "-"))


def _flag(value: object, where: str) -> bool:
    shown = str(value).strip().casefold()
    if shown not in _ON | _OFF:
        raise DataError(
            f"{where[:40]!r} is {str(value)[:40]!r}, where 0 or 1 says whether a row has this "
            "label: correct it, or name the column that holds the labels."
        )
    return shown in _ON


# a column, or several -----------------------------------------------------------------------


@dataclass(frozen=True)
class Shape:
    """How a file writes its labels.

    columns: where they stand; more than one: 0 or 1 in each, one a label. several: whether a row
    may have more than one. width: of the vectors of 0 and 1; 0 where cells name their labels.
    """

    columns: tuple[str, ...]
    several: bool = False
    width: int = 0

    @classmethod
    def found(
        cls, asked: str, known: Sequence[str], rows: Iterable[Mapping[str, Any]], several: bool
    ) -> Shape:
        """Tell the shape from all rows; `asked` names a column, or several with commas."""
        columns = label_columns(asked, known)
        if len(columns) > 1:
            return cls(columns, several)
        return cls(columns, several, vector_width((row[columns[0]] for row in rows), several))

    @property
    def names(self) -> tuple[str, ...]:
        """The labels that the shape itself names; empty where the cells do."""
        if len(self.columns) > 1:
            return self.columns
        return tuple(map(str, range(self.width)))

    @property
    def said(self) -> str:
        """How the labels are read, in a sentence; empty where there is nothing to say."""
        if len(self.columns) > 1:
            return f"The labels are read from {len(self.columns)} columns of 0 and 1, one a label."
        if self.width:
            return f"The labels are read from vectors of {self.width} values, 0 or 1 for each."
        return ""

    def read(self, row: Mapping[str, Any], number: int) -> tuple[str, ...] | None:
        """Return the labels of a row (of a vector their places), None where it says nothing.

        Raises DataError with the row's `number`.
        """
        cells = [row[column] for column in self.columns]
        if any(map(missing, cells)):
            return None
        try:
            if len(cells) > 1:
                named = zip(self.columns, cells, strict=True)
                return tuple(column for column, cell in named if _flag(cell, column))
            found = parts(cells[0], self.several)
        except DataError as error:
            raise DataError(f"Row {number}: {error}") from None
        return self._places(found, number) if self.width else found

    def _places(self, found: Sequence[str], number: int) -> tuple[str, ...]:
        if len(found) != self.width:
            raise DataError(
                f"Row {number} of {self.columns[0]!r} holds {len(found)} values and the others "
                f"{self.width}: give a vector of 0 and 1 of one length in every row."
            )
        return tuple(str(i) for i, bit in enumerate(found) if _flag(bit, self.columns[0]))

    def one(self, row: Mapping[str, Any], number: int) -> str | None:
        """Return the one label of a row; raises DataError where it has several, or none."""
        found = self.read(row, number)
        if found is None or len(found) == 1:
            return found[0] if found else None
        has = f"{len(found)} labels ({', '.join(found)[:60]})" if found else "no label"
        raise DataError(
            f"Row {number} has {has} and one is asked for: choose a column with one label a row, "
            "or what takes several (problem_type 'multi_label_classification')."
        )


def labels_of(
    frame: pd.DataFrame, asked: str, several: bool, shape: Shape | None = None
) -> tuple[Shape, list[Any]]:
    """Return the shape of a table's labels and those of each row, None where it has none to read.

    With `several` a row has a tuple, else one label. A `shape` found before, in the rows a model
    was trained on, is kept to. Raises DataError.
    """
    known = list(map(str, frame.columns))
    columns = label_columns(asked, known)
    values = zip(*(frame[column] for column in columns), strict=True)
    rows = [dict(zip(columns, row, strict=True)) for row in values]
    shape = shape or Shape.found(asked, known, rows, several)
    read = shape.read if several else shape.one
    return shape, [read(row, number) for number, row in enumerate(rows, start=1)]


def label_columns(asked: str, known: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that `asked` names: one, or several with commas.

    >>> label_columns("joy, anger", ["text", "joy", "anger"])
    ('joy', 'anger')
    """
    columns = (asked,) if asked in known else named_columns(asked)
    absent = [column for column in columns if column not in known]
    if absent or not columns:
        raise no_column((absent or [asked])[0], known)
    return columns


def named_columns(asked: str) -> tuple[str, ...]:
    """Return the columns of a list written with commas, or as JSON where a name holds one."""
    return tuple(dict.fromkeys(parts(asked, several=True)))


def joined_columns(columns: Sequence[str]) -> str:
    """Write several columns as one setting, as `named_columns` reads it.

    >>> joined_columns(["joy", "anger"]), joined_columns(["joy, pride", "anger"])
    ('joy, anger', '["joy, pride", "anger"]')
    """
    if len(columns) == 1:
        return columns[0]
    plain = ", ".join(columns)
    return plain if named_columns(plain) == tuple(columns) else json.dumps(list(columns))


def no_column(asked: str, known: Sequence[str]) -> DataError:
    """Return the error for a column that is not there, naming those that are."""
    listed = ", ".join(str(column)[:60] for column in known[:12])
    more = f" and {len(known) - 12} more" if len(known) > 12 else ""
    return DataError(f"There is no column {asked!r}: choose one of {listed}{more}.")


def vector_width(cells: Iterable[object], several: bool) -> int:
    """Return the length of vectors of 0 and 1 where every cell is one of the same length, else 0.

    A list of label numbers is told apart by cells of other lengths or other numbers.

    >>> vector_width(["[1, 1, 0]", "[0, 0, 1]"], True), vector_width(["[1, 0]", "[1]"], True)
    (3, 0)
    """
    width = 0
    for cell in cells:
        if missing(cell):
            continue
        if isinstance(cell, Mapping):
            return 0
        found = parts(cell, several)
        width = width or len(found)
        if len(found) != width or width < 2 or not all(b.casefold() in _ON | _OFF for b in found):
            return 0
    return width


def whole_numbers(cells: Sequence[str]) -> list[str]:
    """Write `1.0` as `1` where every cell is a whole number; else leave all as they are.

    >>> whole_numbers(["1.0", "0"]), whole_numbers(["1.0", "1.5"])
    (['1', '0'], ['1.0', '1.5'])
    """
    numbers = [as_number(cell) for cell in cells if cell]
    if any(number is None or not number.is_integer() for number in numbers):
        return list(cells)
    return [str(int(float(cell))) if "." in cell else cell for cell in cells]
