"""Rows in which people marked words: read against the text, and checked before any is asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ...data.rows import iter_rows
from ...errors import DataError, ParameterError, TextError
from ...masks.expression import needs
from ...text.conversation import Conversation, read_conversation
from ...text.document import Document
from ...text.marked import read_marks
from .rows import Row, usable_rows


def require_column(strategies: Iterable[str], column: str | None) -> None:
    """Raise ParameterError where a strategy hides what is marked and no column marks it."""
    if column is None and any("marks" in needs(name) for name in strategies):
        raise ParameterError(
            "The strategy 'spans' hides what a column of the file marks and none is named: add "
            "--spans-column."
        )


def check_marks(source: Any, name: str | None, text: str, column: str, spoken: bool) -> None:
    """Read the marks of every row once. Raises DataError, which names the row."""
    for row in usable_rows(iter_rows(source, name), text, None, (), {}, spans=column):
        with_marks(row, spoken)


def with_marks(row: Row, conversations: bool) -> Row:
    """Return a row with what its cell marks, in a conversation among all contents.

    Raises DataError, which names the row; one that holds no conversation stays as it is.
    """
    text = row.text
    if conversations:
        try:
            text = read_conversation(row.text).text
        except (DataError, TextError):
            return row
    try:
        return replace(row, marked=read_marks(row.marks, text))
    except DataError as error:
        raise DataError(f"Row {row.number}: {error}") from None


def subject(row: Row) -> str | Conversation | Document:
    """Return what strategies choose in of a row: marks go along with its text."""
    if row.marked is None:
        return row.spoken or row.text
    read = tuple(span for span in row.marked if span.end <= len(row.text))  # no answer is read
    return Document(row.text, conversation=row.spoken, marked=read)
