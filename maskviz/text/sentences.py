"""Where sentences begin and end, from what a pipeline says of it.

A pipeline may begin a sentence at the quotation mark that closes the one before, inside a name or
behind a short form (`short_forms`), or run on over the end of a paragraph. Which side of a straight
mark its quotation is on is told by the white space around it; where that does not tell, by whether
one is open.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from .short_forms import goes_on
from .words import word_offsets

_OPEN = frozenset("([{（【「『《〈¿¡")
_CLOSE = frozenset(")]}）】」』》〉")
_POINTS = frozenset(".,;:!?…。！？、，")
_ITEM = re.compile(r"\(?(?:\d{1,3}|[a-z]|[ivx]{1,4})[.)]")
_LONGEST_NUMBER = 4  # tokens
_BY_SPACE = {  # mark → whether it closes where white space does not tell; None: by what is open
    '"': None, "'": None, "''": True, "``": False, "“": False, "‘": False, "„": False, "‚": False,
    "”": True, "’": True, "«": False, "‹": False, "»": True, "›": True,
}  # fmt: skip


def sentences_of(doc: Any, borders: Sequence[int] = ()) -> list[Any]:
    """Return the sentences of a spaCy Doc as spans.

    borders: the indices of tokens with which a paragraph begins.
    """
    if not len(doc):
        return []
    fixed = {0, *borders}
    inside = {i for name in doc.ents for i in range(name.start + 1, name.end)} - fixed
    found = (
        {s.start for s in doc.sents} - inside if doc.has_annotation("SENT_START") else set[int]()
    )
    closes = _closing_marks(doc, fixed) if found else {}
    found |= (_behind_quoted(doc, closes) | _before_quoted(doc, closes)) - inside
    starts = {_beside_marks(doc, i, fixed, closes) for i in found}
    text = doc.text  # joined anew each time it is asked for
    starts = {
        i for i in starts if not _goes_on(doc, i, closes) and not _is_short(doc, i, text)
    } | fixed
    return _with_words(doc, sorted(starts - {len(doc)}), fixed)


def _behind_quoted(doc: Any, closes: dict[int, bool]) -> set[int]:
    """Return the tokens that begin a sentence behind a quoted one, which a pipeline may not see.

    A point before the closing mark ends it: where "dull," is said the sentence goes on.
    """
    ends = [
        i
        for i in range(1, len(doc) - 1)
        if closes.get(i) and doc[i].text in _BY_SPACE and doc[i].whitespace_
        if doc[i - 1].text == "." and not doc[i - 1].whitespace_
    ]
    return {i + 1 for i in ends if _begins(doc, i + 1, closes)}


def _before_quoted(doc: Any, closes: dict[int, bool]) -> set[int]:
    """Return the marks that open a quotation behind an ended sentence, where a pipeline runs on.

    A point that is a token of its own ends one: that of an abbreviation is part of its word.
    """
    ends = [
        i
        for i in range(len(doc) - 1)
        if doc[i].text in ".?!" and doc[i].whitespace_ and doc[i + 1].text in _BY_SPACE
        if closes.get(i + 1) is False
    ]
    return {i + 1 for i in ends if _begins(doc, i + 1, closes)}


def _goes_on(doc: Any, i: int, closes: dict[int, bool]) -> bool:
    """Tell whether behind a quotation its sentence goes on: “Really?” he asked."""
    quoted = 0 < i < len(doc) and doc[i - 1].text in _BY_SPACE and closes.get(i - 1)
    return bool(quoted and doc[i].text[0].islower())


def _is_short(doc: Any, i: int, text: str) -> bool:
    """Tell whether a short form's full stop stands before a token: et al., Fig., Dr."""
    return 0 < i < len(doc) and goes_on(text, doc[i].idx)


def _begins(doc: Any, i: int, closes: dict[int, bool]) -> bool:
    """Tell whether a token begins with a capital letter, behind marks that open."""
    while i < len(doc) and closes.get(i) is False:
        i += 1
    return i < len(doc) and bool(doc[i].text[0].isupper())


def _closing_marks(doc: Any, fixed: set[int]) -> dict[int, bool]:
    """Return for each mark, by its token's index, whether it belongs to what stands before it."""
    closes: dict[int, bool] = {}
    is_open: dict[str, bool] = {}
    for token in doc:
        mark, i = token.text, token.i
        if i in fixed:
            is_open.clear()
        if mark in _OPEN:
            closes[i] = False
        elif mark in _CLOSE:
            closes[i] = True
        elif _POINTS.issuperset(mark):
            if i not in fixed and not doc[i - 1].whitespace_:
                closes[i] = True
        elif mark in _BY_SPACE:
            closes[i] = _closes(doc, i, fixed, is_open)
            is_open[mark] = not closes[i]
    return closes


def _closes(doc: Any, i: int, fixed: set[int], is_open: dict[str, bool]) -> bool:
    before = i in fixed or bool(doc[i - 1].whitespace_)
    after = i + 1 == len(doc) or i + 1 in fixed or bool(doc[i].whitespace_)
    if before != after:
        return after
    usual = _BY_SPACE[doc[i].text]
    return is_open.get(doc[i].text, False) if usual is None else usual


def _beside_marks(doc: Any, start: int, fixed: set[int], closes: dict[int, bool]) -> int:
    """Return where a sentence begins: behind the marks that close, before those that open."""
    if start in fixed:
        return start
    moved = start
    while moved < len(doc) and moved not in fixed and closes.get(moved):
        moved += 1
    while moved == start and start not in fixed and closes.get(start - 1) is False:
        start = moved = start - 1
    return moved


def _with_words(doc: Any, starts: list[int], fixed: set[int]) -> list[Any]:
    """Return the sentences; one without a word joins its neighbour of the same paragraph.

    So does the number of a list item, "1." before "Wash it".
    """
    kept: list[int] = []
    wordless = False
    for start, end in pairwise([*starts, len(doc)]):
        if start in fixed or not (wordless or not _has_word(doc, start, end)):
            kept.append(start)
        numbered = end - start < _LONGEST_NUMBER and _ITEM.fullmatch(doc[start:end].text)
        wordless = start in fixed and (bool(numbered) or not _has_word(doc, start, end))
    return [doc[start:end] for start, end in pairwise([*kept, len(doc)])]


def _has_word(doc: Any, start: int, end: int) -> bool:
    return any(word_offsets(doc[i].text) for i in range(start, end))
