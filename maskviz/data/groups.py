"""Columns that say whom a row is about: their values, and how many can be told apart."""

from __future__ import annotations

import hashlib

EMPTY = "(empty)"  # the group of rows whose cell says nothing
MOST = 200  # values of a column, or of a crossing, that can be groups
FEWEST = 10  # rows, of a group that may be called the worst
BETWEEN = " × "  # the values of several columns
_MISSING = ("", "nan", "none", "null")
_LONGEST = 80  # characters of a group's name


def group_value(value: object) -> str:
    """Return a cell as the name of a group, at most 80 characters of it.

    Of a longer one its beginning with a mark of the whole: two addresses may begin alike.

    >>> group_value(3.0), group_value(" Spain "), group_value(None)
    ('3', 'Spain', '(empty)')
    """
    text = str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()
    if len(text) > _LONGEST:
        mark = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
        return f"{text[: _LONGEST - 9]}…{mark}"
    return EMPTY if text.casefold() in _MISSING else text


def named_columns(written: str) -> list[str]:
    """Return the columns of a list with commas, each once.

    >>> named_columns("country, gender,country")
    ['country', 'gender']
    """
    return list(dict.fromkeys(name.strip() for name in written.split(",") if name.strip()))
