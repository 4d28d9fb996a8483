"""Numbers whole: of a licence or a card the half that is left tells the other."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

_LONGEST = 64  # characters on either side that are looked at
_PART = r"[\p{Latin}\p{Cyrillic}\p{Greek}\p{Nd}*]"  # other scripts write words against a number
# A full stop ends a sentence as well: it joins two digits alone.
_REST = (
    rf"(?:(?<={_PART}){_PART}+)?"
    rf"(?:[-‐‑–_](?={_PART}*[\d*]){_PART}+|(?<=\d)[./:](?=\d){_PART}+)*"
)


def whole_number(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the (start, end) of a hit with the rest of the number that it is a part of.

    Letters and digits that touch belong to it, and behind a hyphen what has a digit or an asterisk.
    A hit without a digit, such as a name, stays as it is.

    >>> whole_number("No. D1234-56789-led", 4, 9)
    (4, 15)
    """
    if not any(map(str.isdigit, text[start:end])):
        return start, end
    first = max(0, start - _LONGEST)
    behind = _length(text[start : end + _LONGEST], end - start)
    before = _length(text[first:end][::-1], end - start)
    return start - before, end + behind


def _length(text: str, place: int) -> int:
    """Return how many characters from a place on are the rest of a number."""
    rest = _expression().match(text, place)
    return int(rest.end() - place) if rest else 0


@lru_cache(maxsize=1)
def _expression() -> Any:
    import regex

    return regex.compile(_REST)
