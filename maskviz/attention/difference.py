"""What a mask does to attention: masked − plain, on the tokens of the plain text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..masks.encoding import Encoding
from .capture import Attention
from .view import View, view


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


def arms(plain: Attention, masked: Attention) -> dict[str, View]:
    """Return both passes over a text and what the mask moves, by the names of what is shown."""
    moved = difference_view(plain, masked)
    return {"plain": view(plain), "masked": view(masked), "difference": moved}


def hidden_tokens(plain: Encoding, masked: Encoding) -> tuple[bool, ...]:
    """Return which plain tokens the masked text hides, replaces or leaves out."""
    kept = {s for s, off in zip(masked.source, masked.hidden, strict=True) if not off}
    return tuple(i not in kept and not sp for i, sp in enumerate(plain.special))


def difference(plain: Attention, masked: Attention) -> Any:
    """Return masked − plain as float32 (layers, heads, queries, keys) on the plain tokens.

    A masked token stands on the plain token it came from, a placeholder on the first token it
    replaces: attention to several such tokens is added, attention from them averaged. Nobody
    attends to a deleted token, and its own row, which does not exist, is 0.
    """
    import numpy as np

    written = plain.target is not None
    keys = _standing(plain, masked, written and plain.part == "decoder")  # (plain, masked keys)
    place = _standing(plain, masked, written)  # (plain queries, masked queries)
    count = place.sum(1, keepdims=True)
    rows = place / np.maximum(count, 1)
    moved = np.empty(plain.weights.shape, np.float32)
    for i, (before, after) in enumerate(zip(plain.weights, masked.weights, strict=True)):
        # Where nothing moves, as under the operator mask, the products are left out.
        after = after.astype(np.float32)
        after = after if _same(rows) else rows @ after
        moved[i] = (after if _same(keys) else after @ keys.T) - before
    moved[:, :, count[:, 0] == 0] = 0
    if plain.asked is not None:
        moved[:, :, [i for i in range(len(count)) if i not in plain.asked]] = 0
    return moved


def _standing(plain: Attention, masked: Attention, of_target: bool) -> Any:
    """Return where masked tokens stand; a target is the same in both."""
    import numpy as np

    if of_target:
        return np.eye(len(plain.queries), dtype=np.float32)
    return placement(plain.encoding, masked.encoding)


def _same(place: Any) -> bool:
    import numpy as np

    return place.shape[0] == place.shape[1] and bool((place == np.eye(len(place))).all())


def placement(plain: Encoding, masked: Encoding) -> Any:
    """Return float32 (plain tokens, masked tokens): 1 where a masked one stands on a plain one."""
    import numpy as np

    place = np.zeros((len(plain), len(masked)), dtype=np.float32)
    for j, i in enumerate(standing(plain, masked)):
        if i is not None:
            place[i, j] = 1
    return place


def standing(plain: Encoding, masked: Encoding) -> list[int | None]:
    """Return the plain token that each masked one stands on; None where it stands on none."""
    pairs = zip(masked.source, masked.offsets, strict=True)
    return [_first_at(plain, at) if source is None else source for source, at in pairs]


def _first_at(plain: Encoding, span: tuple[int, int] | None) -> int | None:
    for i, offset in enumerate(plain.offsets):
        if span and offset and offset[0] < span[1] and offset[1] > span[0]:
            return i
    return None
