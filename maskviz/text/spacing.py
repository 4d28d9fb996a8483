"""A text as a pipeline reads it: one space between words, and places that lead back.

A pipeline learns from sentences with a single space between words; a second space, a tab, a
no-break space or a character that is not seen hides a name from it. So whatever looks for names,
numbers or words of a list reads the text through here, and its places are led back. A line that
ends is white space like any other; a paragraph that ends is a border that no sentence crosses.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field

# Not seen and not joining anything: soft hyphen, zero-width space, byte-order mark, directions.
_UNSEEN = "\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
_RUN = re.compile(rf"[\s{_UNSEEN}]+")
_ANY_UNSEEN = re.compile(f"[{_UNSEEN}]")
_LINE_END = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_PAGE_END = re.compile(r"[\f\x1c-\x1e\u2029]")
_BULLET = re.compile(r"(?:[-*+•‣⁃◦▪▫●○∙·–—]|#{1,6})\s+\S")
_NUMBER = re.compile(r"(?:\(?(\d{1,3}|[a-z]|[ivx]{1,4})\)|(\d{1,3})\.)\s+\S")
_HEADING = re.compile(r"#{1,6}\s")
_STOPS = ".:;,!?…"


@dataclass(frozen=True)
class Spaced:
    """A text with one space between its words.

    text: without white space around it. lines: the same at the same places, with a line break
    where there was one. borders: the places in `text`, beside 0, where a paragraph, a list item or
    a heading begins. places, shifts: from each place in `text` on, how far the source is ahead.
    """

    source: str
    text: str
    lines: str
    borders: tuple[int, ...] = ()
    places: tuple[int, ...] = field(default=(0,), repr=False)
    shifts: tuple[int, ...] = field(default=(0,), repr=False)

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return where `text[start:end]` stands in the source, with what is not seen behind it.

        >>> spaced("from  Oslo").original(5, 9)
        (6, 10)
        """
        return self._at(start), self.original_end(end) if end > start else self._at(start)

    def original_end(self, end: int) -> int:
        """Return the place in the source behind the character that ends at `end`."""
        place = self._at(end - 1) + 1
        while place < len(self.source) and _ANY_UNSEEN.match(self.source, place):
            place += 1
        return place

    def _at(self, place: int) -> int:
        return place + self.shifts[bisect_right(self.places, place) - 1]


def spaced(source: str) -> Spaced:
    """Return a text as a pipeline reads it.

    >>> spaced("The film\\n\\nis\\u00a0 dull.").text, spaced("The film\\n\\nis dull.").borders
    ('The film is dull.', (9,))
    """
    if " ".join(source.split()) == source and (source.isascii() or not _ANY_UNSEEN.search(source)):
        return Spaced(source, source, source)
    return _replaced(source)


def _replaced(source: str) -> Spaced:
    parts: list[str] = []
    lines: list[str] = []
    borders, places, shifts = [], [0], [0]
    at = end = line = 0  # in the text, in the source, where the source's line begins
    for run in _RUN.finditer(source):
        parts.append(source[end : run.start()])
        lines.append(source[end : run.start()])
        at += run.start() - end
        between = _between(source, run.group()) if at and run.end() < len(source) else ""
        parts.append(" " if between else "")
        lines.append(between)
        at, end = at + len(between), run.end()
        if between == "\n":
            if _is_border(source, line, run):
                borders.append(at)
            line = end
        if at == places[-1]:
            shifts[-1] = end - at
        elif shifts[-1] != end - at:
            places.append(at)
            shifts.append(end - at)
    parts.append(source[end:])
    lines.append(source[end:])
    return Spaced(
        source, "".join(parts), "".join(lines), tuple(borders), tuple(places), tuple(shifts)
    )


def _between(source: str, run: str) -> str:
    """Return what stands for a run: a line break, a space, or nothing."""
    if run == " ":
        return run
    if _LINE_END.search(run):
        return "\n"
    return " " if any(map(str.isspace, run)) else ""


def _is_border(source: str, line: int, run: re.Match[str]) -> bool:
    """Tell whether a paragraph ends: a blank line, a page's end, a list item, a heading."""
    if len(_LINE_END.findall(run.group())) > 1 or _PAGE_END.search(run.group()):
        return True
    if _BULLET.match(source, run.end()) or _HEADING.match(source, line):
        return True
    number = _NUMBER.match(source, run.end())
    if not number:
        return False
    # A line may wrap before "(81) lives": a list begins with its first or goes on from another.
    first = (number[1] or number[2]) in ("1", "a", "i")
    stops = source[run.start() - 1] in _STOPS
    return first or stops or bool(_NUMBER.match(source, line))


def seen(text: str) -> str:
    """Return a text without the characters that are not seen.

    >>> seen("Os\u00adlo")
    'Oslo'
    """
    return text if text.isascii() else _ANY_UNSEEN.sub("", text)
