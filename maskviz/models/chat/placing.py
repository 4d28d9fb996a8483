"""Where each text stands in what a template makes of it: found by tags, proved by equality.

Each character that is no white space is replaced by a character of its own from Unicode's private
areas. What the template makes of the tags, mapped back, must equal what it makes of the texts
themselves: then each tag stands where its character stands, and a text without tags is not there.
A template that looks into a text makes something else of tags; then fewer texts are taken, down to
one with the others as they are: whole, then without the strings that the template itself names
(such as `</think>`), then by letters and digits alone, which JSON does not escape. What fits in
none of these ways is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise

ABSENT, UNKNOWN = -1, -2  # in the place of a place: proved not to be there; not proved to be
_AREAS = ((0xF0000, 0xFFFFD), (0x100000, 0x10FFFD), (0xE000, 0xF8FF))  # for private use
Render = Callable[[Sequence[str]], str]
Places = tuple[int, ...]  # of one text: the place of each of its characters in the rendering


class Unplaced(Exception):
    """The text with this number cannot be placed: it is there more than once, or not to be told.

    A finding, which the caller turns into a sentence.
    """

    def __init__(self, text: int, twice: bool = False) -> None:
        super().__init__(text, twice)
        self.text, self.twice = text, twice


def places_of(
    render: Render, texts: Sequence[str], named: Iterable[str] = ()
) -> tuple[str, tuple[Places, ...]]:
    """Return what the template makes of the texts, and the place of each character of each text.

    render: the template over texts in the place of the contents. named: the strings that it
    compares, splits or strips by. Raises Unplaced.

    >>> places_of(lambda texts: f"[a] {texts[0]}!", ["a b"])
    ('[a] a b!', ((4, 5, 6),))
    """
    real = render(texts)
    whole = _Whole(render, real, tuple(texts), _alphabet([real, *texts]))
    found = [UNKNOWN] * len(whole.text)
    _place(whole, range(len(texts)), [name for name in named if name.strip()], found)
    return real, tuple(_filled(real, text, found[a:b]) for text, (a, b) in whole.parts)


def _alphabet(used: Iterable[str]) -> str:
    """Return private characters that stand in none of the texts."""
    taken = {c for text in used if not text.isascii() for c in text if c >= "\ue000"}
    every = _private()
    return "".join(c for c in every if c not in taken) if taken else every


@lru_cache(maxsize=1)
def _private() -> str:
    return "".join(chr(code) for first, last in _AREAS for code in range(first, last + 1))


@dataclass(frozen=True)
class _Whole:
    """A template over texts, with what it makes of them; characters are counted over all texts."""

    render: Render
    real: str
    texts: tuple[str, ...]
    alphabet: str

    @cached_property
    def text(self) -> str:
        return "".join(self.texts)

    @cached_property
    def parts(self) -> list[tuple[str, tuple[int, int]]]:
        """Each text, with where it begins and ends among all."""
        ends = list(accumulate(map(len, self.texts)))
        return [(t, (e - len(t), e)) for t, e in zip(self.texts, ends, strict=True)]

    def inked(self, k: int) -> list[int]:
        """The characters of a text that are no white space."""
        text, (start, _) = self.parts[k]
        return [i for i, c in enumerate(text, start) if not c.isspace()]

    def placed(self, which: Sequence[int]) -> list[int] | None:
        """Return the place of each of these characters; None where tags make something else.

        Raises Unplaced where a tag is there twice.
        """
        found: list[int] = []
        size = len(self.alphabet)
        for first in range(0, max(1, len(which)), size):
            places = self._tagged(which[first : first + size])
            if places is None:
                return None
            found += places
        return found

    def _tagged(self, which: Sequence[int]) -> list[int] | None:
        tags = self.alphabet[: len(which)]
        changed = list(self.text)
        for i, tag in zip(which, tags, strict=True):
            changed[i] = tag
        written = self.render(["".join(changed[a:b]) for _, (a, b) in self.parts])
        text = self.text
        if written.translate({ord(t): text[i] for t, i in zip(tags, which, strict=True)}) != (
            self.real
        ):
            return None
        number = {tag: n for n, tag in enumerate(tags)}
        found = [ABSENT] * len(which)
        for place, n in enumerate(map(number.get, written)):
            if n is not None:
                if found[n] != ABSENT:
                    raise Unplaced(self._text_of(which[n]), twice=True)
                found[n] = place
        return found

    def _text_of(self, character: int) -> int:
        return next(k for k, (_, (_, end)) in enumerate(self.parts) if character < end)


def _place(whole: _Whole, texts: range, named: Sequence[str], found: list[int]) -> None:
    """Place texts together with the others as they are; what is unequal goes by halves."""
    which: Sequence[int] = [i for k in texts for i in whole.inked(k)]
    places = whole.placed(which)
    if places is None and len(texts) > 1:
        middle = (texts.start + texts.stop) // 2
        for half in (range(texts.start, middle), range(middle, texts.stop)):
            _place(whole, half, named, found)
        return
    if places is None:
        which, places = _alone(whole, texts.start, which, named)
    for i, place in zip(which, places, strict=True):
        found[i] = place


def _alone(
    whole: _Whole, k: int, inked: Sequence[int], named: Sequence[str]
) -> tuple[Sequence[int], list[int]]:
    """Place one text by those of its characters that the template does not look at."""
    text, (start, _) = whole.parts[k]
    kept = _within(text, named)
    for chosen in (
        [i for i in inked if i - start not in kept],
        [i for i in inked if whole.text[i].isalnum()],
    ):
        if chosen and (places := whole.placed(chosen)) is not None:
            return chosen, places
    raise Unplaced(k)


def _within(text: str, named: Sequence[str]) -> frozenset[int]:
    """Return the characters of a text that belong to one of the strings."""
    found: set[int] = set()
    for name in named:
        at = text.find(name)
        while at >= 0:
            found.update(range(at, at + len(name)))
            at = text.find(name, at + 1)
    return frozenset(found)


def _filled(real: str, text: str, places: list[int]) -> Places:
    """Place what stands between two neighbours, where the text there is the same or escaped."""
    known = [i for i, place in enumerate(places) if place >= 0]
    for a, b in pairwise(known):
        if b == a + 1 or ABSENT in places[a + 1 : b]:
            continue
        between, there = text[a + 1 : b], real[places[a] + 1 : places[b]]
        if between == there:
            places[a + 1 : b] = range(places[a] + 1, places[b])
        elif "\\" in there and (steps := _escaped(between, there)) is not None:
            places[a + 1 : b] = [places[a] + 1 + step for step in steps]
    return tuple(places)


def _escaped(text: str, there: str) -> list[int] | None:
    """Return where each character stands where JSON writes the text, None where it does not."""
    written = [json.dumps(c, ensure_ascii=False)[1:-1] for c in text]
    if "".join(written) != there:
        return None
    return [0, *accumulate(map(len, written[:-1]))]
