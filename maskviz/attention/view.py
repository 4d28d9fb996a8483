"""What a picture of attention shows: weights with the names and marks of their axes.

A view is cut from a captured Attention without another pass: merged into words, freed of special
tokens or of small weights, or as the difference a mask makes on the tokens of the plain text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..masks.encoding import Encoding
from .capture import Attention, row_of
from .roles import HeadChange, HeadRole, cross_roles, head_roles

Notes = tuple[tuple[HeadRole | HeadChange, ...], ...]  # layers, heads


@dataclass(frozen=True)
class Display:
    """How a view is drawn: with special tokens, in whole words, weights under `least` as 0."""

    special: bool = True
    words: bool = False
    least: float = 0.0


@dataclass(frozen=True)
class Axis:
    """Tokens, which of them are hidden or special, the word and the part that they are in.

    parts: what the parts are called, by number; empty where they are those of a pair. backwards:
    they run from the last token to the first.
    """

    tokens: tuple[str, ...]
    hidden: tuple[bool, ...]
    special: tuple[bool, ...]
    words: tuple[int, ...]
    segments: tuple[int, ...]
    parts: tuple[str, ...] = ()
    backwards: bool = False

    def __len__(self) -> int:
        return len(self.tokens)

    def mirrored(self) -> Axis:
        """Return the axis from its last token to its first."""
        return replace(
            self,
            tokens=self.tokens[::-1],
            hidden=self.hidden[::-1],
            special=self.special[::-1],
            words=self.words[::-1],
            segments=self.segments[::-1],
            backwards=not self.backwards,
        )

    def membership(self) -> Any:
        """Return 1 where a token belongs to a word, float32 (words, tokens)."""
        import numpy as np

        groups = np.array(self.words)
        return (np.arange(groups.max() + 1)[:, None] == groups[None, :]).astype(np.float32)

    def merged(self) -> Axis:
        """Return the axis with one entry for each word."""
        members: list[list[int]] = [[] for _ in range(max(self.words) + 1)]
        for i, word in enumerate(self.words):
            members[word].append(i)
        return Axis(
            tuple(self._name(group) for group in members),
            tuple(any(self.hidden[i] for i in group) for group in members),
            tuple(self.special[group[0]] for group in members),
            tuple(range(len(members))),
            tuple(self.segments[group[0]] for group in members),
            self.parts,
        )

    def _name(self, members: Sequence[int]) -> str:
        """Join the tokens of a word, or name it once where a mark such as [MASK] repeats."""
        names = [self.tokens[i] for i in members]
        if len(set(names)) == 1:
            return names[0]
        return "".join(name.removeprefix("##") for name in names)

    def ordinary(self) -> list[int]:
        """Return which tokens are not special, or all where there are no others."""
        keep = [i for i, special in enumerate(self.special) if not special]
        return keep or list(range(len(self)))

    def picked(self, keep: Sequence[int]) -> Axis:
        """Return the axis with these entries alone; words are numbered anew."""
        words = [self.words[i] for i in keep]
        numbers = {old: new for new, old in enumerate(dict.fromkeys(words))}
        return Axis(
            tuple(self.tokens[i] for i in keep),
            tuple(self.hidden[i] for i in keep),
            tuple(self.special[i] for i in keep),
            tuple(numbers[word] for word in words),
            tuple(self.segments[i] for i in keep),
            self.parts,
        )


@dataclass(frozen=True, eq=False)
class Exact:
    """What is known token by token of a view in blocks.

    notes: on each head. summary: their numbers, a Summary; None of a difference. turns: what goes
    from turn to turn of a conversation.
    """

    notes: Notes
    summary: Any = None
    turns: View | None = None


@dataclass(frozen=True, eq=False)
class View:
    """Weights (layers, heads, queries, keys) with one entry per query in each tuple.

    words: the number of the word a token belongs to. absent: a token without a row, since the
    masked text lacks it or nobody asked for it. signed: whether the weights are masked − plain.
    segments, parts: as `Axis` has them. keys: the tokens attended to, where others than the
    queries. method: what made the maps. numbers: the network's own number of each layer,
    from 0; empty where one map is made of all, or where they are those of the rows. block: how
    many tokens each entry stands for, of a long text; exact: what is known of it token by token.
    """

    weights: Any
    tokens: tuple[str, ...]
    hidden: tuple[bool, ...]
    special: tuple[bool, ...]
    words: tuple[int, ...]
    absent: tuple[bool, ...]
    signed: bool = False
    segments: tuple[int, ...] = ()
    keys: Axis | None = None
    method: str = "raw"
    numbers: tuple[int, ...] = ()
    parts: tuple[str, ...] = ()
    block: int = 1
    exact: Exact | None = None

    def __len__(self) -> int:
        return len(self.tokens)

    def number(self, row: int) -> int:
        """Return the network's own number of the layer in a row of the weights, both from 0."""
        return self.numbers[row] if self.numbers else row

    def row(self, number: int) -> int:
        """Return the row of the weights that has a layer, by the network's own number.

        Raises ParameterError where none has.
        """
        return row_of(self.numbers or range(len(self.weights)), number)

    @property
    def from_right(self) -> bool:
        """Whether the keys are read from right to left, so that their axis is drawn mirrored."""
        from ..text.languages import is_written_from_right

        names = zip(self.columns.tokens, self.columns.special, strict=True)
        return is_written_from_right(" ".join(name for name, special in names if not special))

    def drawn(self, weights: Any) -> Any:
        """Return weights (…, keys) in the order in which the keys are drawn."""
        return weights[..., ::-1] if self.from_right else weights

    @property
    def drawn_keys(self) -> Axis | None:
        """The axis of the keys as they are drawn; None where it is that of the queries."""
        return self.columns.mirrored() if self.from_right else self.keys

    @property
    def rows(self) -> Axis:
        """The axis of the queries."""
        segments = self.segments or (0,) * len(self.tokens)
        return Axis(self.tokens, self.hidden, self.special, self.words, segments, self.parts)

    @property
    def columns(self) -> Axis:
        """The axis of the keys."""
        return self.keys or self.rows


def text_axis(
    encoding: Encoding, segments: tuple[int, ...] = (), parts: tuple[str, ...] = ()
) -> Axis:
    """Return the axis of a text as a model reads it, with its parts where it has some."""
    return Axis(
        tuple(encoding.tokens),
        tuple(encoding.hidden),
        tuple(encoding.special),
        word_numbers(encoding),
        segments or (0,) * len(encoding),
        parts,
    )


def word_numbers(encoding: Encoding) -> tuple[int, ...]:
    """Number the words of an encoding: tokens that touch without a space share one.

    Words are runs of letters and digits as in `maskviz.text`; punctuation and special tokens
    stand alone.
    """
    from bisect import bisect_right

    from ..text.words import word_offsets

    words = word_offsets(encoding.text)
    starts = [start for start, _ in words]
    numbers: list[int] = []
    seen: dict[int, int] = {}
    fresh = 0
    for offset in encoding.offsets:
        at = bisect_right(starts, offset[0]) - 1 if offset else -1
        inside = at >= 0 and offset is not None and offset[0] < words[at][1]
        numbers.append(seen.setdefault(at, fresh) if inside else fresh)
        fresh = max(fresh, numbers[-1] + 1)
    return tuple(numbers)


def _axis(attention: Attention) -> Axis:
    return text_axis(attention.encoding, attention.segments, attention.parts)


def view(attention: Attention) -> View:
    """Return one pass as it is."""
    text, target = _axis(attention), attention.target
    rows = text
    if target is not None:
        nothing = len(target.tokens)
        rows = Axis(target.tokens, (False,) * nothing, target.special, target.words, (0,) * nothing)
    return View(
        attention.weights,
        *(rows.tokens, rows.hidden, rows.special, rows.words),
        tuple(attention.asked is not None and i not in attention.asked for i in range(len(rows))),
        segments=rows.segments,
        keys=text if attention.part == "cross" else None,
        method=attention.method,
        numbers=attention.numbers,
        parts=rows.parts,
    )


def displayed(shown: View, display: Display) -> View:
    """Return the view that is drawn; blocks of tokens stay as they are, but for small weights."""
    if shown.block > 1:
        return only_above(shown, display.least)
    shown = shown if display.special else without_special(shown)
    shown = merge_words(shown) if display.words else shown
    return only_above(shown, display.least)


def merge_words(shown: View) -> View:
    """Merge tokens into words: attention to a word is added, attention from it averaged.

    Rows keep their sum (Clark et al. 2019, section 4.1).
    """
    import numpy as np

    from_words, to_words = shown.rows.membership(), shown.columns.membership()  # (words, tokens)
    rows = from_words / from_words.sum(1, keepdims=True)
    absent = np.array(shown.absent)
    merged = shown.rows.merged()
    return replace(
        shown,
        weights=np.stack([rows @ np.asarray(w, np.float32) @ to_words.T for w in shown.weights]),
        **_of(merged),
        absent=tuple(bool(absent[line > 0].all()) for line in from_words),
        keys=shown.keys and shown.keys.merged(),
    )


def without_special(shown: View) -> View:
    """Leave special tokens out of both axes; the other weights stay as they are."""
    rows, columns = shown.rows.ordinary(), shown.columns.ordinary()
    if len(rows) == len(shown) and len(columns) == len(shown.columns):
        return shown
    return replace(
        shown,
        weights=shown.weights[:, :, rows][:, :, :, columns],
        **_of(shown.rows.picked(rows)),
        absent=tuple(shown.absent[i] for i in rows),
        keys=shown.keys and shown.keys.picked(columns),
    )


def only_above(shown: View, least: float) -> View:
    """Set weights under `least`, of either sign, to 0.

    >>> only_above(shown, 0.05)  # doctest: +SKIP
    """
    import numpy as np

    if least <= 0:
        return shown
    weights = np.asarray(shown.weights)
    return replace(
        shown, weights=np.where(np.abs(weights) >= least, weights, weights.dtype.type(0))
    )


def token_over_heads(shown: View, query: int) -> tuple[Any, list[str]]:
    """Return one query's row in every head, (layers · heads, keys), and the names of the heads."""
    layers, heads = shown.weights.shape[:2]
    names = [
        f"L{shown.number(i) + 1}" + (f" H{h + 1}" if heads > 1 else "")
        for i in range(layers)
        for h in range(heads)
    ]
    return shown.weights[:, :, query].reshape(layers * heads, -1), names


def _of(axis: Axis) -> dict[str, Any]:
    """Return an axis as the fields of a view's queries."""
    return {
        "tokens": axis.tokens,
        "hidden": axis.hidden,
        "special": axis.special,
        "words": axis.words,
        "segments": axis.segments,
    }


def moved(shown: View) -> Any:
    """Return how much of each head's attention a mask moves elsewhere, (layers, heads) in [0, 1].

    Half the sum of absolute differences (total variation), averaged over the rows that exist in
    both texts.
    """
    import numpy as np

    rows = ~np.array(shown.absent, dtype=bool)
    layers = (np.abs(np.asarray(w, dtype=np.float32)[:, rows]).sum(-1) / 2 for w in shown.weights)
    return np.stack([layer.mean(-1) for layer in layers])


def notes(shown: View, masked: bool = False) -> Notes:
    """Return what stands under each head: its role, or how much the mask moves.

    In a masked text a role is what the head looks at from the hidden tokens, where there are any.
    Of maps whose rows do not sum to 1 the shares of each row count.
    """
    if shown.exact is not None:
        return shown.exact.notes
    if shown.signed:
        return tuple(tuple(HeadChange(float(v)) for v in layer) for layer in moved(shown))
    if shown.keys is not None:
        return cross_roles(shown.weights, shown.special, shown.keys.special, shown.keys.hidden)
    queries: Sequence[bool] | None = shown.hidden if masked and any(shown.hidden) else None
    if any(shown.absent):
        queries = [not gone for gone in shown.absent]
    return head_roles(shown.weights, shown.special, shown.hidden, shown.words, queries)
