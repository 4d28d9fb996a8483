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
from itertools import accumulate
from typing import Any

ABSENT, UNKNOWN = -1, -2  # in the place of a place: proved not to be there; not proved to be
_AREAS = ((0xF0000, 0xFFFFD), (0x100000, 0x10FFFD), (0xE000, 0xF8FF))  # for private use
_CODES = 0x110000  # of Unicode
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
    import numpy as np

    real = render(texts)
    whole = _Whole(render, real, tuple(texts))
    found = np.full(len(whole.text), UNKNOWN)
    _place(whole, range(len(texts)), [name for name in named if name.strip()], found)
    return real, tuple(_filled(whole, a, b, found[a:b]) for a, b in whole.parts)


@dataclass(frozen=True)
class _Whole:
    """A template over texts, with what it makes of them; characters are counted over all texts."""

    render: Render
    real: str
    texts: tuple[str, ...]

    @cached_property
    def text(self) -> str:
        return "".join(self.texts)

    @cached_property
    def codes(self) -> Any:
        """The characters of all texts, (characters,)."""
        return _codes(self.text)

    @cached_property
    def real_codes(self) -> Any:
        """The characters of the rendering, (places,)."""
        return _codes(self.real)

    @cached_property
    def parts(self) -> list[tuple[int, int]]:
        """Where each text begins and ends among all."""
        ends = list(accumulate(map(len, self.texts)))
        return [(end - len(text), end) for text, end in zip(self.texts, ends, strict=True)]

    @cached_property
    def tags(self) -> Any:
        """The private characters that stand in none of the texts."""
        import numpy as np

        every = np.concatenate([np.arange(first, last + 1) for first, last in _AREAS])
        return every[~np.isin(every, np.concatenate([self.codes, self.real_codes]))]

    def inked(self, texts: range) -> Any:
        """Return the characters of some texts that are no white space."""
        import numpy as np

        first, last = self.parts[texts[0]][0], self.parts[texts[-1]][1]
        return first + np.flatnonzero(~np.isin(self.codes[first:last], _spaces()))

    def placed(self, which: Any) -> Any:
        """Return the place of each of these characters; None where tags make something else.

        Raises Unplaced where a tag is there twice.
        """
        import numpy as np

        size = len(self.tags)
        parts = [self._tagged(which[i : i + size]) for i in range(0, max(1, len(which)), size)]
        return None if any(part is None for part in parts) else np.concatenate(parts)

    def _tagged(self, which: Any) -> Any:
        import numpy as np

        changed, tags = self.codes.copy(), self.tags[: len(which)]
        changed[which] = tags
        said = _text(changed)
        written = _codes(self.render([said[a:b] for a, b in self.parts]))
        number = np.full(_CODES, -1)
        number[tags] = np.arange(len(which))
        numbers = number[written]
        at = np.flatnonzero(numbers >= 0)
        tagged = numbers[at]
        written[at] = self.codes[which[tagged]]
        if not np.array_equal(written, self.real_codes):
            return None
        times = np.bincount(tagged, minlength=len(which))
        if times.max(initial=0) > 1:
            self._refuse_twice(int(which[times.argmax()]))
        found = np.full(len(which), ABSENT)
        found[tagged] = at
        return found

    def _refuse_twice(self, character: int) -> None:
        raise Unplaced(next(k for k, (_, end) in enumerate(self.parts) if character < end), True)


def _codes(text: str) -> Any:
    import numpy as np

    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.int64)


def _text(codes: Any) -> str:
    return str(codes.astype("<u4").tobytes().decode("utf-32-le"))


@lru_cache(maxsize=1)
def _spaces() -> Any:
    import numpy as np

    return np.array([code for code in range(0x3001) if chr(code).isspace()])


def _place(whole: _Whole, texts: range, named: Sequence[str], found: Any) -> None:
    """Place texts together with the others as they are; what is unequal goes by halves."""
    which = whole.inked(texts)
    places = whole.placed(which)
    if places is None and len(texts) > 1:
        middle = (texts.start + texts.stop) // 2
        for half in (range(texts.start, middle), range(middle, texts.stop)):
            _place(whole, half, named, found)
        return
    if places is None:
        which, places = _alone(whole, texts.start, which, named)
    found[which] = places


def _alone(whole: _Whole, k: int, inked: Any, named: Sequence[str]) -> tuple[Any, Any]:
    """Place one text by those of its characters that the template does not look at."""
    import numpy as np

    kept = np.array([whole.parts[k][0] + i for i in _within(whole.texts[k], named)], dtype=int)
    for chosen in (
        inked[~np.isin(inked, kept)],
        np.array([i for i in inked if whole.text[i].isalnum()], dtype=int),
    ):
        if len(chosen) and (places := whole.placed(chosen)) is not None:
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


def _filled(whole: _Whole, start: int, end: int, places: Any) -> Places:
    """Place what stands between two neighbours, where the text there is the same or escaped.

    places: of the characters from `start` to `end`, as far as they are proved.
    """
    import numpy as np

    known = np.flatnonzero(places >= 0)
    if len(known) > 1:
        between = np.arange(known[0] + 1, known[-1])
        between = between[places[between] < 0]
        gap = np.searchsorted(known, between) - 1  # the neighbour before each of them
        there = np.minimum(places[known[gap]] + between - known[gap], len(whole.real) - 1)
        same = whole.real_codes[there] == whole.codes[start + between]
        same &= places[between] == UNKNOWN
        same &= np.diff(places[known])[gap] == np.diff(known)[gap]
        wrong = np.bincount(gap, ~same, minlength=len(known))
        kept = wrong[gap] == 0
        for n in np.flatnonzero(wrong).tolist():
            _fill_escaped(whole, start, places, int(known[n]), int(known[n + 1]))
        places[between[kept]] = there[kept]
    return tuple(places.tolist())


def _fill_escaped(whole: _Whole, start: int, places: Any, a: int, b: int) -> None:
    """Place the characters between two neighbours where JSON writes them otherwise."""
    there = whole.real[places[a] + 1 : places[b]]
    if "\\" in there and not (places[a + 1 : b] == ABSENT).any():
        steps = _escaped(whole.text[start + a + 1 : start + b], there)
        if steps is not None:
            places[a + 1 : b] = [places[a] + 1 + step for step in steps]


def _escaped(text: str, there: str) -> list[int] | None:
    """Return where each character stands where JSON writes the text, None where it does not."""
    written = [json.dumps(c, ensure_ascii=False)[1:-1] for c in text]
    if "".join(written) != there:
        return None
    return [0, *accumulate(map(len, written[:-1]))]
