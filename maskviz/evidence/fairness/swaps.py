"""Counterfactual texts: the same text with he for she, one name for another, and so on.

The word pairs are in `swaps.tsv`; the two words of a pair begin alike, vowel or consonant, so that
`a` and `an` stay right.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ...errors import UnknownNameError
from ...masks.spans import MaskSpan

# Behind one of these, or at the end, "her" is him; before any other word it is his.
_AFTER_HIM = (
    " a an the and or but nor so yet to for from in on at by with of about after before as than "
    "that this is was be were has had will would could should again away back down off out over "
    "up who when while because if very too not now then here there "
)


@dataclass(frozen=True)
class Pair:
    """Two texts that should be answered alike; `category` says in what they differ."""

    row: int
    first: str
    second: str
    category: str = ""


def categories() -> tuple[str, ...]:
    """Return the categories of words that can be swapped."""
    return tuple(_pairs())


def swap(text: str, category: str) -> str | None:
    """Return the text with each word of the category swapped, None where it has none.

    >>> swap("He told his wife.", "gender")
    'She told her husband.'
    """
    swapped = _swapped(text, category)
    return swapped[0] if swapped else None


def swapped_pair(row: int, text: str, category: str) -> Pair | None:
    """Return the text and its counterfactual, None where nothing can be swapped.

    The first text is the one whose first swapped word is of the first group of the list.
    """
    swapped = _swapped(text, category)
    if swapped is None:
        return None
    other, of_first_group = swapped
    return Pair(row, *((text, other) if of_first_group else (other, text)), category)


def _swapped(text: str, category: str) -> tuple[str, bool] | None:
    import regex

    if category not in _pairs():
        raise UnknownNameError.of("category to swap", category, _pairs())
    to_second, to_first, cased = _tables(category)
    pieces, end, group = [], 0, None
    for match in regex.finditer(r"\p{L}+", text):
        word = match.group()
        key = word if cased else word.casefold()
        new = to_second.get(key) or to_first.get(key)
        if new is None:
            continue
        group = key in to_second if group is None else group
        if key == "her":
            new = _him_or_his(text[match.end() :])
        elif key == "his" and not regex.match(r"\s*\p{L}", text[match.end() :]):
            new = "hers"
        pieces += [text[end : match.start()], new if cased else _cased_like(word, new)]
        end = match.end()
    return None if group is None else ("".join([*pieces, text[end:]]), group)


def _him_or_his(rest: str) -> str:
    import regex

    following = regex.match(r"\s+(\p{L}+)", rest)
    return "his" if following and f" {following[1].casefold()} " not in _AFTER_HIM else "him"


def _cased_like(word: str, new: str) -> str:
    if word.isupper() and len(word) > 1:
        return new.upper()
    return new[:1].upper() + new[1:] if word[:1].isupper() else new


@lru_cache(maxsize=1)
def _pairs() -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for line in (Path(__file__).parent / "swaps.tsv").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            category, first, second = line.split("\t")
            found.setdefault(category, []).append((first, second))
    return found


@lru_cache(maxsize=8)
def _tables(category: str) -> tuple[dict[str, str], dict[str, str], bool]:
    """Return first → second, second → first, and whether case is part of the word."""
    cased = category in ("names", "nationality", "religion")
    pairs = _pairs()[category]
    forth: dict[str, str] = {}
    back: dict[str, str] = {}
    for first, second in pairs:
        forth.setdefault(first, second)
        back.setdefault(second, first)
    if category == "gender":
        back["hers"] = "his"
    if category == "religion":
        for first, second in pairs:
            if first.islower():
                forth[first.capitalize()] = second.capitalize()
                back[second.capitalize()] = first.capitalize()
    return forth, back, cased


def differences(first: str, second: str) -> tuple[tuple[MaskSpan, ...], tuple[MaskSpan, ...]]:
    """Return the spans of each text that the other does not have, word by word."""
    from difflib import SequenceMatcher

    one, other = _units(first), _units(second)
    matcher = SequenceMatcher(None, [u[2] for u in one], [u[2] for u in other], autojunk=False)
    spans: tuple[list[MaskSpan], list[MaskSpan]] = ([], [])
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            for side, units in ((0, one[a:b]), (1, other[c:d])):
                spans[side].extend(_spans(units))
    return tuple(spans[0]), tuple(spans[1])


def _units(text: str) -> list[tuple[int, int, str]]:
    import regex

    return [(m.start(), m.end(), m.group()) for m in regex.finditer(r"\w+|[^\w\s]", text)]


def _spans(units: Iterable[tuple[int, int, str]]) -> list[MaskSpan]:
    return [MaskSpan(start, end, "differs from the other text") for start, end, _ in units]
