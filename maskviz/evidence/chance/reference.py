"""The reference set of a mask: masks of the same kind and size, of which it is one.

Chance is worth as much as what it is drawn from. A mask of two words is set against other two
words, a sentence against other sentences with their full stops, a name of two words against other
runs of two words; as many of them, tokens within ± 20 %, only where the model reads. Of at most
200 such masks all are taken, of more as many as asked are drawn without repetition.
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, combinations, pairwise
from math import comb, prod

from ...errors import MaskvizError
from ...masks.mask import Mask
from ...masks.registry import shuffled
from ...masks.spans import MaskSpan, joined, normalise
from ...models.model import Model
from ...text.document import Document
from .turns import in_turns

WHOLE = 200  # masks of a set that are all taken
_LISTED = 5000  # masks that are written down to see which belong to the set
_TRIES = 40  # for each mask that is drawn
_NEAR = 0.2  # how far the number of tokens may differ
Place = tuple[int, int]  # characters


@dataclass(frozen=True)
class Reference:
    """What a mask is set against.

    unit: `word`, `run of words`, `sentence`, `turn` or `token` (also of signs alone, which are no
    words); number: how many are hidden.
    masks: the others, without the mask itself. whole: whether these are all there are.
    """

    unit: str
    number: int
    masks: tuple[Mask, ...]
    whole: bool

    @property
    def said(self) -> str:
        """The size in words: `3 words`, `1 sentence`."""
        first, _, rest = self.unit.partition(" ")
        return f"{self.number} {first}{'s' * (self.number != 1)}{' ' * bool(rest)}{rest}"


@dataclass(frozen=True)
class _Shape:
    """A hidden span in units: how many, and whether punctuation before and behind goes with it.

    plain: whether nothing but space stands between its units.
    """

    units: int
    before: bool
    behind: bool
    plain: bool
    label: str


def reference_set(
    mask: Mask, model: Model, long: str = "cut", draws: int = 99, seed: int = 0
) -> Reference:
    """Return what `mask` is set against, as `model` reads its text (`long` is `cut` or `windows`).

    >>> from maskviz import load_model, mask
    >>> found = reference_set(mask("A dull story.", "pattern", pattern="dull"), load_model())
    >>> (found.said, len(found.masks), found.whole)
    ('1 word', 2, True)
    """
    unit, drawing = _drawing(mask, model, long)
    masks, whole = drawing.masks(draws, seed)
    return Reference(unit, len(drawing.shapes), masks, whole)


def drawn_beside(mask: Mask, model: Model, long: str, draws: int, seed: int) -> tuple[Mask, ...]:
    """Return `draws` other masks of the set of `mask`, fewer where there are not as many."""
    if not draws:
        return ()
    _, drawing = _drawing(mask, model, long)
    return drawing.some(draws, seed)


def drawn_alike(mask: Mask, model: Model, long: str, draws: int, seed: int) -> tuple[Mask, ...]:
    """Return `drawn_beside`, or runs of as many tokens where no other unit is as long.

    Over a file a rare word of three tokens would else be set beside nothing in most rows. Such a
    run holds nothing of what the mask hides.
    """
    found = drawn_beside(mask, model, long, draws, seed)
    if found or not draws or model.conversation(mask.text) is not None:
        return found
    offsets = {o for o in model.tokenise(mask.text).offsets if o is not None and o[0] < o[1]}
    places, spans = sorted(offsets), [s for s in mask.spans if s.start < max(offsets)[1]]
    shapes = [shape for span in spans if (shape := _shape(mask.text, span, places))]
    shapes = [replace(shape, before=False, behind=False, plain=False) for shape in shapes]
    starts = _token_starts(model, mask.text, "cut")
    own = [i for i, o in enumerate(places) if any(s.start < o[1] and o[0] < s.end for s in spans)]
    free = [place for i, place in enumerate(places) if i not in set(own)]
    borders = tuple(places[i][0] for i in own)  # no run reaches over what the mask hides
    return _Drawing(mask, shapes, free, starts, spans, borders).some(draws, seed)


def _drawing(mask: Mask, model: Model, long: str) -> tuple[str, _Drawing]:
    """Return what the mask hides, as a unit, and where else that could stand."""
    read = model.tokenise(mask.text)
    end = len(mask.text) if long == "windows" or read.truncated_at is None else read.truncated_at
    spans = tuple(s for s in mask.spans if s.start < end)
    spoken = model.conversation(mask.text)
    unit, places = _units(mask, spans, model, end)
    if spoken is not None:
        unit, places = in_turns(spoken, mask, spans, read, unit, places)
    shapes = [shape for span in spans if (shape := _shape(mask.text, span, places))]
    if unit == "word" and any(shape.units > 1 for shape in shapes):
        unit = "run of words"
    borders = () if spoken is None else tuple(piece.start for piece in spoken.pieces)
    tokens = _token_starts(model, mask.text, long)
    return unit, _Drawing(mask, shapes, places, tokens, spans, borders)


def _units(
    mask: Mask, spans: Sequence[MaskSpan], model: Model, end: int
) -> tuple[str, list[Place]]:
    """Return what the spans are made of, and where all of these stand that the model reads."""
    words = [word for word in mask.words if word[0] < end]
    edges = {edge for word in words for edge in range(word[0] + 1, word[1])}
    without = not any(w[0] < s.end and w[1] > s.start for s in spans for w in words)
    if any(s.start in edges or s.end in edges for s in spans) or (spans and without):
        offsets = model.tokenise(mask.text).offsets
        return "token", sorted({o for o in offsets if o is not None and o[0] < o[1]})
    if any(_ends_a_sentence(mask.text, span) for span in spans):
        sentences = _sentences(mask.text)
        if spans and all((s.start, s.end) in sentences for s in spans):
            return "sentence", [place for place in sentences if place[0] < end]
    return "word", words


def _ends_a_sentence(text: str, span: MaskSpan) -> bool:
    """Tell whether a span holds a mark behind its last word: only then it may be a sentence."""
    return not text[span.end - 1].isalnum()


def _sentences(text: str) -> list[Place]:
    try:
        return [(s.start, s.end) for s in Document(text).sentences]
    except MaskvizError:  # no pipeline is here: words will do
        return []


def _shape(text: str, span: MaskSpan, places: Sequence[Place]) -> _Shape | None:
    """Return a span in units, None where it holds none."""
    inside = [p for p in places if p[0] < span.end and p[1] > span.start]
    if not inside:
        return None
    first, last = inside[0][0], inside[-1][1]
    between = "".join(text[a[1] : b[0]] for a, b in pairwise(inside))
    return _Shape(len(inside), span.start < first, span.end > last, not between.strip(), span.label)


def _token_starts(model: Model, text: str, long: str) -> list[int]:
    offsets = model.tokenise(text).offsets
    starts = sorted(o[0] for o in offsets if o is not None and o[0] < o[1])
    return starts if long == "cut" else []  # read in windows: words count, tokens are not at hand


@dataclass(frozen=True)
class _Piece:
    """A shape at one place.

    end: the first unit behind it. hidden: the (start, end) of what it really hides, counted in
    characters that are no white space. tokens: how many begin there.
    """

    end: int
    span: MaskSpan
    hidden: tuple[Place, ...]
    tokens: int


class _Drawing:
    """Places of the same shapes elsewhere in a text.

    Thousands of them are looked at where a few are asked about: a `Mask` is made of those alone,
    and what a shape hides at a place is found once.
    """

    def __init__(
        self,
        mask: Mask,
        shapes: list[_Shape],
        places: list[Place],
        tokens: list[int],
        spans: Sequence[MaskSpan],
        borders: Sequence[int] = (),
    ) -> None:
        self.mask, self.shapes, self.places, self.tokens = mask, shapes, places, tokens
        self.borders = borders  # of turns, which no run reaches over
        self.hidden = self._tokens([(s.start, s.end) for s in spans])
        self.inked = list(accumulate((not c.isspace() for c in mask.text), initial=0))
        self.own = joined(map(self._inked, mask.spans))
        self.distinct = list(dict.fromkeys(shapes))
        self.kinds = list(map(self.distinct.index, shapes))
        self.pieces: dict[tuple[int, int], _Piece | None] = {}

    def masks(self, draws: int, seed: int) -> tuple[tuple[Mask, ...], bool]:
        """Return the other masks, and whether they are all."""
        if self.none:
            return (), True
        if self._count() > _LISTED:
            return self._some(draws, seed), False
        every = self._listed()
        if len(every) <= WHOLE:
            return tuple(map(self._mask, every)), True
        rng = random.Random(seed)  # noqa: S311  repeatable, not secret
        return tuple(map(self._mask, shuffled(every, rng)[:draws])), False

    def some(self, draws: int, seed: int) -> tuple[Mask, ...]:
        """Return so many other masks, or all where there are fewer: nothing is listed in vain."""
        found = () if self.none else self._some(draws, seed)
        if len(found) < draws and not self.none and self._count() <= _LISTED:
            rng = random.Random(seed)  # noqa: S311  repeatable, not secret
            return tuple(map(self._mask, shuffled(self._listed(), rng)[:draws]))
        return found

    @property
    def none(self) -> bool:
        """Whether there is nothing to place, or no room for it."""
        return not self.shapes or len(self.places) < sum(s.units for s in self.shapes)

    def _listed(self) -> list[tuple[MaskSpan, ...]]:
        """Return the spans of all other masks."""
        found: dict[tuple[Place, ...], tuple[MaskSpan, ...]] = {}
        for pieces in filter(None, map(self._fitting, self._every())):
            found.setdefault(_hidden(pieces), tuple(piece.span for piece in pieces))
        found.pop(self.own, None)
        return list(found.values())

    def _some(self, draws: int, seed: int) -> tuple[Mask, ...]:
        """Draw other masks until there are so many, or hardly any new ones come."""
        rng = random.Random(seed)  # noqa: S311  repeatable, not secret
        found: dict[tuple[Place, ...], tuple[MaskSpan, ...]] = {}
        for _ in range(_TRIES * draws):
            pieces = self._fitting(self._drawn(rng))
            if pieces is not None and (hidden := _hidden(pieces)) != self.own:
                found.setdefault(hidden, tuple(piece.span for piece in pieces))
            if len(found) == draws:
                break
        return tuple(map(self._mask, found.values()))

    def _mask(self, spans: tuple[MaskSpan, ...]) -> Mask:
        return Mask(self.mask.text, spans, "reference", seed=self.mask.seed)

    def _count(self) -> int:
        """Return about how many places there are for all shapes together."""
        n = len(self.places)
        if len({s.units for s in self.shapes}) == 1:
            return comb(n - self.shapes[0].units + 1, len(self.shapes))
        return prod(n - s.units + 1 for s in self.shapes)

    def _every(self) -> Iterator[tuple[int, ...]]:
        """Yield the first unit of each shape, for every way to place them."""
        n, sizes = len(self.places), [s.units for s in self.shapes]
        if len(set(sizes)) == 1:
            yield from combinations(range(n - sizes[0] + 1), len(sizes))
            return

        def behind(chosen: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
            if len(chosen) == len(sizes):
                yield chosen
                return
            for start in range(n - sizes[len(chosen)] + 1):
                yield from behind((*chosen, start))

        yield from behind(())

    def _drawn(self, rng: random.Random) -> tuple[int, ...]:
        """Return one way to place the shapes without overlap, all equally probable."""
        free = len(self.places) - sum(s.units for s in self.shapes)
        items = [*range(len(self.shapes)), *([-1] * free)]
        at, starts = 0, [0] * len(self.shapes)
        for item in shuffled(items, rng):
            if item >= 0:
                starts[item] = at
            at += self.shapes[item].units if item >= 0 else 1
        return tuple(starts)

    def _fitting(self, starts: tuple[int, ...]) -> list[_Piece] | None:
        """Return what stands at these places; None where they meet, or are unlike the own ones."""
        pieces: list[_Piece] = []
        reach = count = 0
        for start, kind in sorted(zip(starts, self.kinds, strict=True)):
            piece = None if start < reach else self._piece(start, kind)
            if piece is None:
                return None
            reach = piece.end
            count += piece.tokens
            pieces.append(piece)
        return None if abs(count - self.hidden) > _NEAR * self.hidden else pieces

    def _piece(self, start: int, kind: int) -> _Piece | None:
        if (start, kind) not in self.pieces:
            self.pieces[start, kind] = self._laid(start, self.distinct[kind])
        return self.pieces[start, kind]

    def _laid(self, start: int, shape: _Shape) -> _Piece | None:
        """Return a shape from its first unit on, None where it does not fit there."""
        if (span := self._span(start, shape)) is None:
            return None
        hidden = joined(map(self._inked, normalise(self.mask.text, [span])))
        tokens = self._tokens([(span.start, span.end)])
        return _Piece(start + shape.units, span, hidden, tokens)

    def _inked(self, span: MaskSpan) -> Place:
        return self.inked[span.start], self.inked[span.end]

    def _span(self, start: int, shape: _Shape) -> MaskSpan | None:
        text, units = self.mask.text, self.places[start : start + shape.units]
        gaps = "".join(text[a[1] : b[0]] for a, b in pairwise(units))
        if shape.plain and gaps.strip():
            return None
        first, last = units[0][0], units[-1][1]
        if bisect_right(self.borders, first) != bisect_right(self.borders, last - 1):
            return None
        while shape.before and first and not (text[first - 1].isspace() or self._inside(first - 1)):
            first -= 1
        while shape.behind and last < len(text) and not (
            text[last].isspace() or self._inside(last)
        ):  # fmt: skip
            last += 1
        return MaskSpan(first, last, label=shape.label)

    def _inside(self, character: int) -> bool:
        i = bisect_right(self.places, (character, len(self.mask.text))) - 1
        return i >= 0 and self.places[i][0] <= character < self.places[i][1]

    def _tokens(self, spans: Sequence[Place]) -> int:
        """Return how many tokens begin in the spans; without tokens at hand, one a span."""
        if not self.tokens:
            return len(spans)
        return sum(bisect_left(self.tokens, e) - bisect_left(self.tokens, s) for s, e in spans)


def _hidden(pieces: Iterable[_Piece]) -> tuple[Place, ...]:
    """Return what pieces hide together: equal where they hide the same characters."""
    return joined(sorted(stretch for piece in pieces for stretch in piece.hidden))
