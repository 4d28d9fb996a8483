"""Interpolated modified Kneser–Ney over token ids (Chen & Goodman 1998), to measure others by.

p_k(w | h) = max(c(hw) − D(c(hw)), 0) / Σ_v c(hv) + γ(h) p_{k−1}(w | h without its first token)

c counts occurrences at the highest order; below it, and unless the n-gram begins a document, in
how many different tokens the n-gram follows. D takes one of three values, for counts of 1, 2 and
more, estimated from how many n-grams have counts 1 to 4; γ(h) is the mass that they free. Unigrams
are interpolated with a uniform distribution over the tokens that can follow at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Order:
    """The n-grams of one order: packed keys in ascending order, discounted counts, contexts."""

    keys: np.ndarray  # (N,) uint64
    kept: np.ndarray  # (N,) counts less their discounts
    contexts: np.ndarray  # (C,) uint64, packed
    totals: np.ndarray  # (C,) Σ of the counts behind a context
    freed: np.ndarray  # (C,) Σ of the discounts behind a context


class KneserNey:
    """A language model of `order` tokens over documents that begin with the token `begin`."""

    def __init__(self, stream: np.ndarray, begin: int, vocab_size: int, order: int = 5) -> None:
        self.begin, self.order = begin, order
        self.bits = max(1, int(vocab_size - 1).bit_length())
        if self.bits * order > 64:
            raise ValueError(f"{order} tokens of a vocabulary of {vocab_size} do not fit 64 bits.")
        self.uniform = 1.0 / (vocab_size - 1)  # no document begins inside another
        raw = [self._counted(stream, length) for length in range(1, order + 1)]
        self.orders = [self._order(raw, length) for length in range(1, order + 1)]

    def _packed(self, stream: np.ndarray, length: int) -> np.ndarray:
        """Every n-gram of the stream; the last token lies in the lowest bits."""
        ids = stream.astype(np.uint64)
        keys = np.zeros(max(0, len(ids) - length + 1), dtype=np.uint64)
        for place in range(length):
            keys = (keys << np.uint64(self.bits)) | ids[place : place + len(keys)]
        return keys

    def _counted(self, stream: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
        """The n-grams within documents and how often they occur."""
        begins = np.flatnonzero(stream == self.begin)
        keys = self._packed(stream, length)
        inside = np.ones(len(keys), dtype=bool)
        # An n-gram may start with a document's first token, and have it nowhere else.
        for place in range(1, length):
            starts = begins - place
            inside[starts[(starts >= 0) & (starts < len(keys))]] = False
        if length == 1:
            inside = stream != self.begin
        return np.unique(keys[inside], return_counts=True)

    def _order(self, raw: list[tuple[np.ndarray, np.ndarray]], length: int) -> Order:
        keys, counts = raw[length - 1]
        counts = counts.astype(np.float64)
        if length < self.order:
            longer = raw[length][0] & np.uint64((1 << self.bits * length) - 1)
            suffixes, followed = np.unique(longer, return_counts=True)
            first = keys >> np.uint64(self.bits * (length - 1))
            later = first != self.begin
            places = np.searchsorted(suffixes, keys[later])
            counts[later] = followed[places]
        discounts = _discounts(counts)
        taken = discounts[np.minimum(counts, 3).astype(int)]
        before = keys >> np.uint64(self.bits)
        contexts, starts = np.unique(before, return_index=True)
        return Order(
            keys,
            counts - taken,
            contexts,
            np.add.reduceat(counts, starts),
            np.add.reduceat(taken, starts),
        )

    def probabilities(self, document: np.ndarray) -> np.ndarray:
        """p of each token of a document but its first, `begin`, given all before it; (T - 1,)."""
        return self.following(document, np.arange(1, len(document)))

    def following(self, ids: np.ndarray, places: np.ndarray) -> np.ndarray:
        """p of the tokens at `places`, given up to `order` - 1 before them since `begin`."""
        ids = ids.astype(np.uint64)
        found = np.full(len(places), self.uniform)
        keys = np.zeros(len(places), dtype=np.uint64)
        for length in range(1, self.order + 1):
            reached = places - length + 1 >= 0
            first = ids[np.maximum(places - length + 1, 0)]
            keys = np.where(reached, keys | (first << np.uint64(self.bits * (length - 1))), keys)
            found = np.where(reached, self._mixed(self.orders[length - 1], keys, found), found)
        return found

    def _mixed(self, order: Order, keys: np.ndarray, lower: np.ndarray) -> np.ndarray:
        """One order's share, mixed with the lower order's probabilities."""
        kept = _looked_up(order.keys, order.kept, keys)
        before = keys >> np.uint64(self.bits)
        totals = _looked_up(order.contexts, order.totals, before)
        freed = _looked_up(order.contexts, order.freed, before)
        seen = totals > 0
        totals = np.where(seen, totals, 1.0)
        return np.where(seen, kept / totals + freed / totals * lower, lower)


def _looked_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Values of the wanted keys, 0 where there is none; `keys` ascend."""
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, values[places], 0.0)


def _discounts(counts: np.ndarray) -> np.ndarray:
    """D for counts of 0, 1, 2 and more; (4,).

    Where a corpus is too small for the estimate, the discounts are 0, 1/2, 1 and 3/2.
    """
    n = np.array([np.count_nonzero(counts == k) for k in range(1, 5)], dtype=np.float64)
    if (n == 0).any():
        return np.array([0.0, 0.5, 1.0, 1.5])
    y = n[0] / (n[0] + 2 * n[1])
    found = np.array([0.0, *(k - (k + 1) * y * n[k] / n[k - 1] for k in (1, 2, 3))])
    return np.clip(found, 0.0, [0.0, 1.0, 2.0, 3.0])
