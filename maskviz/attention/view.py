"""What a picture of attention shows: weights with the names and marks of their axes.

A view is cut from a captured Attention without another pass: merged into words, freed of special
tokens, or as the difference a mask makes on the tokens of the plain text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..masks.encoding import Encoding
from .capture import Attention
from .difference import difference, placement
from .roles import HeadChange, HeadRole, head_roles


@dataclass(frozen=True, eq=False)
class View:
    """Weights (layers, heads, n, n) with one entry per token in each tuple.

    words: the number of the word a token belongs to. absent: a plain token that the masked text
    has no row for. signed: whether the weights are masked − plain.
    """

    weights: Any
    tokens: tuple[str, ...]
    hidden: tuple[bool, ...]
    special: tuple[bool, ...]
    words: tuple[int, ...]
    absent: tuple[bool, ...]
    signed: bool = False

    def __len__(self) -> int:
        return len(self.tokens)


def view(attention: Attention) -> View:
    """Return one pass as it is."""
    encoding = attention.encoding
    return View(
        attention.weights,
        tuple(encoding.tokens),
        tuple(encoding.hidden),
        tuple(encoding.special),
        word_numbers(encoding),
        (False,) * len(encoding),
    )


def difference_view(plain: Attention, masked: Attention) -> View:
    """Return masked − plain on the plain tokens; those the mask hides are marked."""
    place = placement(plain.encoding, masked.encoding)  # (plain tokens, masked tokens)
    off = hidden_tokens(plain.encoding, masked.encoding)
    return replace(
        view(plain),
        weights=difference(plain, masked),
        hidden=off,
        absent=tuple((place.sum(1) == 0).tolist()),
        signed=True,
    )


def hidden_tokens(plain: Encoding, masked: Encoding) -> tuple[bool, ...]:
    """Return which plain tokens the masked text hides, replaces or leaves out."""
    kept = {s for s, off in zip(masked.source, masked.hidden, strict=True) if not off}
    return tuple(i not in kept and not sp for i, sp in enumerate(plain.special))


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
    for offset in encoding.offsets:
        at = bisect_right(starts, offset[0]) - 1 if offset else -1
        inside = at >= 0 and offset is not None and offset[0] < words[at][1]
        fresh = max(numbers, default=-1) + 1
        numbers.append(seen.setdefault(at, fresh) if inside else fresh)
    return tuple(numbers)


def merge_words(shown: View) -> View:
    """Merge tokens into words: attention to a word is added, attention from it averaged.

    Rows keep their sum (Clark et al. 2019, section 4.1).
    """
    import numpy as np

    groups = np.array(shown.words)
    member = (np.arange(groups.max() + 1)[:, None] == groups[None, :]).astype(np.float32)  # (w, n)
    rows = member / member.sum(1, keepdims=True)
    firsts = [int(np.flatnonzero(line)[0]) for line in member]
    tokens = [_name(shown, np.flatnonzero(line)) for line in member]
    return View(
        np.stack([rows @ np.asarray(layer, np.float32) @ member.T for layer in shown.weights]),
        tuple(tokens),
        tuple(any(np.array(shown.hidden)[line > 0]) for line in member),
        tuple(shown.special[i] for i in firsts),
        tuple(range(len(member))),
        tuple(bool(np.array(shown.absent)[line > 0].all()) for line in member),
        shown.signed,
    )


def _name(shown: View, members: Any) -> str:
    """Join the tokens of a word, or name it once where a mark such as [MASK] repeats."""
    names = [shown.tokens[i] for i in members]
    if len(set(names)) == 1:
        return names[0]
    return "".join(name.removeprefix("##") for name in names)


def without_special(shown: View) -> View:
    """Leave special tokens out of both axes; the other weights stay as they are."""
    import numpy as np

    keep = np.flatnonzero(~np.array(shown.special, dtype=bool))
    if len(keep) in (0, len(shown)):
        return shown
    pick = lambda values: tuple(values[i] for i in keep)  # noqa: E731
    numbers = {old: new for new, old in enumerate(dict.fromkeys(pick(shown.words)))}
    return View(
        shown.weights[:, :, keep][:, :, :, keep],
        pick(shown.tokens),
        pick(shown.hidden),
        pick(shown.special),
        tuple(numbers[word] for word in pick(shown.words)),
        pick(shown.absent),
        shown.signed,
    )


def moved(shown: View) -> Any:
    """Return how much of each head's attention a mask moves elsewhere, (layers, heads) in [0, 1].

    Half the sum of absolute differences (total variation), averaged over the rows that exist in
    both texts.
    """
    import numpy as np

    rows = ~np.array(shown.absent, dtype=bool)
    change = np.abs(np.asarray(shown.weights, dtype=np.float32)[:, :, rows]).sum(-1) / 2
    return change.mean(-1)


def notes(shown: View, masked: bool = False) -> tuple[tuple[HeadRole | HeadChange, ...], ...]:
    """Return what stands under each head: its role, or how much the mask moves.

    In a masked text a role is what the head looks at from the hidden tokens, where there are any.
    """
    if shown.signed:
        return tuple(tuple(HeadChange(float(v)) for v in layer) for layer in moved(shown))
    queries = shown.hidden if masked and any(shown.hidden) else None
    return head_roles(shown.weights, shown.special, shown.hidden, shown.words, queries)
