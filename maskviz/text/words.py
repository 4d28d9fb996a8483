"""Words without a model: maximal runs of characters that are not space or punctuation.

Signs such as $, < and + count as punctuation; emoji are words.
In scripts written without spaces (Han, kana, Thai, Lao, Khmer, Burmese) each character is a
word. Combining marks and joiners stay with the character before them.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

from ..errors import TextError

_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),  # ideographic iteration mark, closing mark and zero
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x4DBF),  # Han, extension A
    (0x4E00, 0x9FFF),  # Han
    (0xF900, 0xFAFF),  # Han, compatibility
    (0x20000, 0x3FFFF),  # Han, supplementary planes
)
_ASCII_WORDS = re.compile(r"[A-Za-z0-9]+").finditer  # what _role says of ASCII, ten times as fast
_OUT, _IN, _ALONE, _EXTEND = range(4)


@lru_cache(maxsize=4096)
def _role(character: str) -> int:
    category = unicodedata.category(character)
    if category in ("Mn", "Mc", "Me", "Cf"):
        return _EXTEND
    if character.isspace() or category[0] in "PZ" or category in ("Cc", "Sc", "Sk", "Sm"):
        return _OUT
    return _ALONE if is_unspaced(character) else _IN


def is_unspaced(character: str) -> bool:
    """Tell whether a character belongs to a script that is written without spaces.

    >>> is_unspaced("影"), is_unspaced("б")
    (True, False)
    """
    code = ord(character)
    return any(low <= code <= high for low, high in _UNSPACED)


def check_unicode(text: str) -> None:
    """Raise TextError where a text holds half of a surrogate pair, as badly decoded bytes do."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise TextError(
            f"Character {error.start} of the text is half of a surrogate pair: "
            "save the text as UTF-8 and try again."
        ) from None


def mended(value: Any) -> Any:
    """Return a JSON value in whose texts each half of a surrogate pair has become U+FFFD.

    >>> mended({"text": ["a\\ud800b", 1]})
    {'text': ['a�b', 1]}
    """
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [mended(item) for item in value]
    if isinstance(value, dict):
        return {mended(key): mended(item) for key, item in value.items()}
    return value


def word_offsets(text: str) -> list[tuple[int, int]]:
    """Return the (start, end) of each word, in order.

    >>> word_offsets("Well, 我们 go")
    [(0, 4), (6, 7), (7, 8), (9, 11)]
    """
    if text.isascii():
        return [match.span() for match in _ASCII_WORDS(text)]
    return _by_character(text)


def _by_character(text: str) -> list[tuple[int, int]]:
    words: list[list[int]] = []
    previous = _OUT
    for i, character in enumerate(text):
        role = _role(character)
        if role == _EXTEND:
            if previous == _OUT:
                continue
            words[-1][1] = i + 1
            continue
        if role == _ALONE or (role == _IN and previous != _IN):
            words.append([i, i + 1])
        elif role == _IN:
            words[-1][1] = i + 1
        previous = role
    return [(start, end) for start, end in words]
