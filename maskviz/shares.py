"""Shares and how sure they are: of independent rows, of rows in clusters, and paired.

Wilson's score interval of a share (1927), Tango's of a paired difference (1998), McNemar's exact
test (1947). Wald's (share ± 1.96 standard errors) covers 63 to 81 of 100 at 30 rows and reaches
beyond 1; these cover about 95, `tests/unit/test_coverage.py` says how often.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Interval = tuple[float, float]


def wilson(hits: int, count: int, level: float = 0.95) -> Interval:
    """Return the interval of a share of independent rows (Wilson 1927); it is never a point.

    >>> [round(x, 3) for x in wilson(0, 20)]
    [0.0, 0.161]
    """
    from scipy.stats import norm

    share = hits / count
    error = math.sqrt(share * (1 - share) / count)
    return share_of(share, error, count, float(norm.ppf((1 + level) / 2)))


def share_of(share: float, error: float, rows: float, reach: float) -> Interval:
    """Return Wilson's interval of a share with its standard error over so many rows.

    reach: the quantile, of the normal distribution or of Student's.
    """
    middle = (share + reach**2 / (2 * rows)) / (1 + reach**2 / rows)
    half = reach * math.sqrt(error**2 + reach**2 / (4 * rows**2)) / (1 + reach**2 / rows)
    return max(0.0, middle - half), min(1.0, middle + half)


def in_clusters(hits: Sequence[int], counts: Sequence[int]) -> Interval:
    """Return the interval of Σ hits / Σ counts, where what is counted comes in clusters.

    Wilson's of as many independent ones as would have the clusters' variance (Cochran 1977, 6.13),
    with Student's t; of two clusters or more. Where all are alike, Wilson's of the clusters.
    """
    from scipy.stats import t

    groups, total = len(counts), sum(counts)
    share = sum(hits) / total
    spread = sum((h - share * n) ** 2 for h, n in zip(hits, counts, strict=True))
    error = math.sqrt(groups / (groups - 1) * spread) / total
    if error < 1e-9:
        return wilson(round(share * groups), groups)
    reach = float(t.ppf(0.975, groups - 1))
    return share_of(share, error, share * (1 - share) / error**2, reach)


def tango(lost: int, won: int, count: int, level: float = 0.95) -> Interval:
    """Return the score interval of (won − lost) / count, a paired difference (Tango 1998).

    Where all agree it still has a width: so many rows leave room for so much.

    >>> [round(x, 3) for x in tango(0, 0, 20)]
    [-0.161, 0.161]
    """
    from scipy.optimize import brentq
    from scipy.stats import norm

    z, difference = float(norm.ppf((1 + level) / 2)), (won - lost) / count

    def score(delta: float) -> float:
        a = 2 * count
        b = -won - lost + (2 * count - won + lost) * delta
        c = -lost * delta * (1 - delta)
        q = (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
        variance = count * (2 * q + delta * (1 - delta))
        return (won - lost - count * delta) / math.sqrt(max(variance, 1e-300))

    edge = 1 - 1e-9
    low = -1.0 if score(-edge) < z else float(brentq(lambda d: score(d) - z, -edge, difference))
    high = 1.0 if score(edge) > -z else float(brentq(lambda d: score(d) + z, difference, edge))
    return low, high


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p-value of McNemar's test (1947) from the discordant pairs.

    >>> mcnemar(1, 8) == mcnemar(8, 1)
    True
    """
    from scipy.stats import binomtest

    pairs = only_first + only_second
    return float(binomtest(only_first, pairs, 0.5).pvalue) if pairs else 1.0
