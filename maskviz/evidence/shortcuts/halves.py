"""A file in two halves that share no cluster and no text: one to choose on, one to measure on."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from ..files.rows import Row

CHOOSING, MEASURING = False, True


def halves(rows: Iterable[Row]) -> Any:
    """Return for each row whether it is of the half that is measured on, a bool array (rows,).

    Rows that share a cluster or a text (letter case and white space aside) hang together, and what
    hangs together lies in one half: the largest first, each into the half that is smaller. Of a row
    some 25 bytes are kept.
    """
    import numpy as np

    texts: list[int] = []
    clusters: list[int] = []
    for row in rows:
        text = " ".join(row.text.casefold().split())
        texts.append(_number(text))
        clusters.append(_number(text if row.cluster is None else f"cluster {row.cluster}"))
    together = _together(np.array(texts, np.uint64), np.array(clusters, np.uint64))
    return _shared_out(together, np.array(texts, np.uint64)) if texts else np.zeros(0, bool)


def _number(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(errors="replace"), digest_size=8).digest(), "big")


def _together(texts: Any, clusters: Any) -> Any:
    """Return for each row the number of what hangs together with it, (rows,) int."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(texts):
        return np.zeros(0, int)
    text = np.unique(texts, return_inverse=True)[1]
    cluster = np.unique(clusters, return_inverse=True)[1] + text.max() + 1
    size = int(cluster.max()) + 1
    edges = coo_array((np.ones(len(text), bool), (text, cluster)), (size, size))
    return connected_components(edges, directed=False)[1][text]


def _shared_out(together: Any, texts: Any) -> Any:
    """Put what hangs together into the smaller half, the largest first; equals in hash order."""
    import numpy as np

    names, counts = np.unique(together, return_counts=True)
    order_of = np.full(len(names), np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(order_of, together, texts)
    half, sizes = np.zeros(len(names), bool), [0, 0]
    for i in np.lexsort((order_of, -counts)):
        smaller = int(sizes[1] < sizes[0])
        half[i] = bool(smaller)
        sizes[smaller] += int(counts[i])
    return half[together]
