"""Each head and layer in four numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .roles import shares_of
from .view import View


@dataclass(frozen=True, eq=False)
class Summary:
    """Four numbers per head, each (layers, heads), averaged over the queries that are not special.

    entropy: of a row, in bits: 0 looks at one token, log2(keys) at all alike. special, hidden:
    share of the attention on special and on hidden tokens, in [0, 1]. distance: mean |key −
    query| in positions, or None where keys and queries are different texts.
    """

    entropy: Any
    special: Any
    hidden: Any
    distance: Any


def summarise(shown: View) -> Summary:
    """Return the numbers of every head of a view that is no difference (Clark et al. 2019).

    >>> from maskviz.attention import attend
    >>> from maskviz.attention.view import view
    >>> summarise(view(attend("A short text."))).entropy.ndim  # layers, heads
    2
    """
    import numpy as np

    if shown.exact is not None and shown.exact.summary is not None:
        return shown.exact.summary
    rows, columns = shown.rows.ordinary(), shown.columns
    distance = np.abs(np.arange(len(columns))[None, :] - np.array(rows)[:, None])
    special, hidden = (np.array(m, np.float32) for m in (columns.special, columns.hidden))
    numbers: list[list[Any]] = [[], [], [], []]
    for layer in shown.weights:  # one layer at a time, to hold only one in float32
        read = shares_of(np.asarray(layer, np.float32)[:, rows])  # (heads, queries, keys)
        bits = -(read * np.log2(np.maximum(read, 1e-12))).sum(-1).mean(-1)
        values = (bits, (read @ special).mean(-1), (read @ hidden).mean(-1))
        far = (read * distance).sum(-1).mean(-1)
        for kept, value in zip(numbers, (*values, far), strict=True):
            kept.append(value)
    entropy, on_special, on_hidden, far = (np.stack(kept) for kept in numbers)
    return Summary(np.maximum(entropy, 0), on_special, on_hidden, None if shown.keys else far)
