"""What a picture of attention shows: weights with the names and marks of their axes.

A view is cut from a captured Attention without another pass: merged into words, freed of special
tokens or of small weights, or as the difference a mask makes on the tokens of the plain text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..masks.encoding import Encoding
from .axis import Axis, word_numbers
from .capture import Attention
from .difference import difference, placement
from .roles import HeadChange, HeadRole, cross_roles, head_roles


@dataclass(frozen=True, eq=False)
class View:
    """Weights (layers, heads, queries, keys) with one entry per query in each tuple.

    words: the number of the word a token belongs to. absent: a token without a row, since the
    masked text lacks it or nobody asked for it. signed: whether the weights are masked − plain.
    segments: the part of a pair. keys: the tokens attended to, where they are others than the
    queries. method: what made the maps. first: the number of the first layer shown.
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
    first: int = 0

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def rows(self) -> Axis:
        """The axis of the queries."""
        parts = self.segments or (0,) * len(self.tokens)
        return Axis(self.tokens, self.hidden, self.special, self.words, parts)

    @property
    def columns(self) -> Axis:
        """The axis of the keys."""
        return self.keys or self.rows


def view(attention: Attention) -> View:
    """Return one pass as it is."""
    encoding, target = attention.encoding, attention.target
    text = Axis(
        tuple(encoding.tokens),
        tuple(encoding.hidden),
        tuple(encoding.special),
        word_numbers(encoding),
        attention.segments or (0,) * len(encoding),
    )
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
        first=attention.first,
    )


def difference_view(plain: Attention, masked: Attention) -> View:
    """Return masked − plain on the plain tokens; those the mask hides are marked."""
    off = hidden_tokens(plain.encoding, masked.encoding)
    shown = replace(view(plain), weights=difference(plain, masked), signed=True)
    if plain.target is None:
        place = placement(plain.encoding, masked.encoding)  # (plain tokens, masked tokens)
        gone = place.sum(1) == 0
        absent = tuple(bool(a or g) for a, g in zip(shown.absent, gone, strict=True))
        return replace(shown, hidden=off, absent=absent)
    return replace(shown, keys=shown.keys and replace(shown.keys, hidden=off))


def hidden_tokens(plain: Encoding, masked: Encoding) -> tuple[bool, ...]:
    """Return which plain tokens the masked text hides, replaces or leaves out."""
    kept = {s for s, off in zip(masked.source, masked.hidden, strict=True) if not off}
    return tuple(i not in kept and not sp for i, sp in enumerate(plain.special))


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
        f"L{shown.first + i + 1}" + (f" H{h + 1}" if heads > 1 else "")
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


def notes(shown: View, masked: bool = False) -> tuple[tuple[HeadRole | HeadChange, ...], ...]:
    """Return what stands under each head: its role, or how much the mask moves.

    In a masked text a role is what the head looks at from the hidden tokens, where there are any.
    Of maps whose rows do not sum to 1 the shares of each row count.
    """
    if shown.signed:
        return tuple(tuple(HeadChange(float(v)) for v in layer) for layer in moved(shown))
    if shown.keys is not None:
        return cross_roles(shown.weights, shown.special, shown.keys.special, shown.keys.hidden)
    queries: Sequence[bool] | None = shown.hidden if masked and any(shown.hidden) else None
    if any(shown.absent):
        queries = [not gone for gone in shown.absent]
    return head_roles(shown.weights, shown.special, shown.hidden, shown.words, queries)
