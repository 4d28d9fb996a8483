"""The sign-flip test over clusters, and the false discovery rate of many of them.

Under the hypothesis that hiding a unit moves the answer no further than hiding another of its kind,
the difference of both is as often negative as positive: the signs of the clusters' sums are
flipped at random, and p is the share of the flips whose sum is as large (Fisher 1935). Of up to 14
clusters all flips are counted; else they are drawn, until 50 were as large (Besag and Clifford
1991, whose p-value is valid wherever the drawing stops) or 100,000 were drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_LISTED = 14  # clusters of which every flip is counted
_DRAWS, _AT_ONCE, _ENOUGH = 99_999, 2_000, 50
_SAME = 1e-9  # of the largest sum: two flips that are the same number may differ by rounding


def sign_flip(sums: Sequence[float], seed: int = 0) -> float:
    """Return the one-sided p-value that the sums of clusters are above 0 beyond chance.

    >>> sign_flip([1.0, 2.0, 3.0])
    0.125
    """
    import numpy as np

    values = np.asarray(sums, float)
    if not len(values) or not values.any():
        return 1.0
    observed = values.sum() - _SAME * np.abs(values).sum()
    if len(values) <= _LISTED:
        flips = np.array([[1 - 2 * (i >> bit & 1) for bit in range(len(values))]
                          for i in range(2 ** len(values))])  # fmt: skip
        return float((flips @ values >= observed).mean())
    return _drawn(values, float(observed), np.random.default_rng(seed))


def _drawn(values: Any, observed: float, rng: Any) -> float:
    """Return the p-value from drawn flips; see above for where drawing stops."""
    import numpy as np

    drawn = larger = 0
    while drawn < _DRAWS:
        count = min(_AT_ONCE, _DRAWS - drawn)
        bits = rng.integers(0, 256, (count, -(-len(values) // 8)), dtype=np.uint8)
        minus = np.unpackbits(bits, axis=1, count=len(values)) @ values
        as_large = np.flatnonzero(values.sum() - 2 * minus >= observed)
        if larger + len(as_large) >= _ENOUGH:
            last = int(as_large[_ENOUGH - larger - 1])
            return _ENOUGH / (drawn + last + 1)
        larger += len(as_large)
        drawn += count
    return (1 + larger) / (1 + drawn)


def benjamini_yekutieli(values: Sequence[float]) -> list[float]:
    """Return the q-values of p-values that may depend on each other (Benjamini, Yekutieli 2001).

    >>> [round(q, 4) for q in benjamini_yekutieli([0.01, 0.04])]
    [0.03, 0.06]
    """
    count = len(values)
    factor = sum(1 / i for i in range(1, count + 1))
    adjusted, least = [1.0] * count, 1.0
    for rank, place in zip(
        range(count, 0, -1),
        sorted(range(count), key=lambda i: -values[i]),
        strict=True,
    ):
        least = min(least, values[place] * count * factor / rank)
        adjusted[place] = least
    return adjusted
