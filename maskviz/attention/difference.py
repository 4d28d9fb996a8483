"""What a mask does to attention: masked − plain, on the tokens of the plain text."""

from __future__ import annotations

from typing import Any

from ..masks.encoding import Encoding
from .capture import Attention


def difference(plain: Attention, masked: Attention) -> Any:
    """Return masked − plain as float32 (layers, heads, tokens, tokens) on the plain tokens.

    A masked token stands on the plain token it came from, a placeholder on the first token it
    replaces: attention to several such tokens is added, attention from them averaged. Nobody
    attends to a deleted token, and its own row, which does not exist, is 0.
    """
    import numpy as np

    place = placement(plain.encoding, masked.encoding)  # (plain tokens, masked tokens)
    count = place.sum(1, keepdims=True)
    rows = place / np.maximum(count, 1)
    moved = rows @ masked.weights.astype(np.float32) @ place.T  # (layers, heads, plain, plain)
    return np.where(count > 0, moved - plain.weights.astype(np.float32), 0.0)


def placement(plain: Encoding, masked: Encoding) -> Any:
    """Return float32 (plain tokens, masked tokens): 1 where a masked one stands on a plain one."""
    import numpy as np

    place = np.zeros((len(plain), len(masked)), dtype=np.float32)
    for j, source in enumerate(masked.source):
        i = _first_at(plain, masked.offsets[j]) if source is None else source
        if i is not None:
            place[i, j] = 1
    return place


def _first_at(plain: Encoding, span: tuple[int, int] | None) -> int | None:
    for i, offset in enumerate(plain.offsets):
        if span and offset and offset[0] < span[1] and offset[1] > span[0]:
            return i
    return None
