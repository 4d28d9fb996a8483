"""Many conversations: JSON Lines, and cells of a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ...errors import DataError, TextError
from .conversation import Conversation
from .reading import read_conversation


def conversation_lines(text: str | bytes) -> Iterator[Conversation]:
    """Yield the conversation of each line of JSON Lines; lines without anything are passed over.

    Raises DataError, which names the line, as `read_conversation` does.

    >>> [c.text for c in conversation_lines('{"prompt": "Hi", "response": "Yo"}\\n\\n')]
    ['Hi\\n\\nYo']
    """
    said = text.decode("utf-8-sig", "replace") if isinstance(text, bytes) else text
    for number, line in enumerate(said.split("\n"), 1):  # U+2028 may stand in a line
        if line.strip():
            yield _numbered(line, f"Line {number}")


def in_cells(cells: Iterable[Any]) -> Iterator[Conversation]:
    """Yield the conversation of each cell of a column. Raises DataError, which names the row."""
    for number, cell in enumerate(cells, 1):
        yield _numbered(cell, f"Row {number}")


def _numbered(said: Any, where: str) -> Conversation:
    try:
        return read_conversation(said)
    except (DataError, TextError) as error:
        raise DataError(f"{where}: {error}") from None
