"""What a person marked in a text, as a file's cell says it: places, or the words themselves.

A cell is a list, or its JSON: `[[0, 4], [10, 15]]` or `[{"start": 0, "end": 4}]`, characters
[start, end) of the row's text (of a conversation those of all its contents, with a blank line
between two); or `["Rome", "It rained all day."]`, each wherever it stands as whole words.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..errors import DataError
from .span import Span
from .words import word_offsets

_FORMS = 'give [[start, end], …] or ["word", …]'


def read_marks(cell: Any, text: str, shift: int = 0) -> tuple[Span, ...]:
    """Return the stretches of `text` that a cell marks; none for a cell that says nothing.

    shift: how many characters of the text stand before the first one that the cell counts, below
    0 where some were trimmed. Raises DataError for what is no list of places or words, a place
    outside the text, and words that do not stand in it.

    >>> read_marks('["Rome"]', "To Rome")
    (Span(start=3, end=7, label=''),)
    """
    listed = _listed(cell)
    found = [span for item in listed for span in _spans(item, text, shift)]
    return tuple(sorted(found, key=lambda span: (span.start, span.end)))


def _listed(cell: Any) -> list[Any]:
    if hasattr(cell, "tolist"):
        cell = cell.tolist()
    if cell is None or (isinstance(cell, float) and cell != cell):
        return []
    if isinstance(cell, str):
        if not cell.strip():
            return []
        try:
            cell = json.loads(cell)
        except ValueError:
            raise DataError(f"The marks {cell[:40]!r} are no JSON list: {_FORMS}.") from None
    if not isinstance(cell, list | tuple):
        raise DataError(f"The marks are {str(cell)[:40]!r} and must be a list: {_FORMS}.")
    return list(cell)


def _spans(item: Any, text: str, shift: int) -> Iterator[Span]:
    if isinstance(item, str):
        yield from _words(item, text)
        return
    if isinstance(item, dict):
        item = [item.get("start"), item.get("end")]
    item = item.tolist() if hasattr(item, "tolist") else item
    whole = isinstance(item, list | tuple) and len(item) == 2 and all(map(_is_whole, item))
    if not whole:
        raise DataError(f"The mark {str(item)[:40]!r} is neither a place nor a word: {_FORMS}.")
    start, end = int(item[0]) + shift, int(item[1]) + shift
    if not 0 <= start < end <= len(text):
        raise DataError(
            f"The mark [{item[0]}, {item[1]}) lies outside the text, which has the characters "
            f"[{max(0, -shift)}, {len(text) - shift}): correct it."
        )
    yield Span(start, end)


def _is_whole(number: Any) -> bool:
    if isinstance(number, float):
        return number.is_integer()
    return isinstance(number, int) and not isinstance(number, bool)


def _words(said: str, text: str) -> Iterator[Span]:
    """Yield each place where the words stand, not inside longer words. Raises DataError."""
    wanted, at, found = said.strip(), 0, False
    edges = {edge for offsets in word_offsets(text) for edge in offsets}
    inside = {c for start, end in word_offsets(text) for c in range(start + 1, end)} - edges
    while wanted and (at := text.find(wanted, at)) >= 0:
        end = at + len(wanted)
        if at not in inside and end not in inside:
            yield Span(at, end)
            found, at = True, end
        else:
            at += 1
    if not found:
        raise DataError(f"The marked words {said[:40]!r} do not stand in the text: correct them.")
