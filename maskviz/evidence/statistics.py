"""The statistics of paired answers: intervals of rows and clusters, McNemar's test, KL divergence.

Rows that share something, such as the template they were made from, say less than as many that do
not: their interval is over the clusters they come in. Σ y / Σ n over G clusters has the variance
G / (G − 1) · Σ (y_g − mean · n_g)² / (Σ n)² (Cochran 1977, 6.13), with Student's t of G − 1 degrees
of freedom; in simulations it covers as often as a bootstrap of clusters, or oftener. A share has
Wilson's interval of as many independent rows as would have this variance. No interval is a point:
where nothing differs, the spread is not known, but bounded for what itself is bounded.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..readings.heads import valued
from ..shares import Interval, share_of, wilson


def kl_divergence(p: Iterable[float], q: Iterable[float]) -> float:
    """Return KL(p ‖ q) = Σ p·ln(p/q) in nats; probabilities under 1e-12 count as 1e-12.

    >>> round(kl_divergence([0.5, 0.5], [0.9, 0.1]), 4)
    0.5108
    """
    import numpy as np

    first, second = (np.clip(np.fromiter(x, float), 1e-12, None) for x in (p, q))
    return max(0.0, float((first * np.log(first / second)).sum())) if len(first) > 1 else 0.0


def divergence(head: str, p: Any, q: Any) -> float | None:
    """Return KL(p ‖ q) of two answers (labels,) in nats; None for values without bounds.

    A multi-label head's answer is one Bernoulli distribution for each label: their KL add up.
    """
    if valued(head):
        return None
    if head == "multi":
        return sum(kl_divergence((a, 1 - a), (b, 1 - b)) for a, b in zip(p, q, strict=True))
    return kl_divergence(p, q)


def bootstrap_interval(
    values: Any, draws: int = 2000, seed: int = 0, level: float = 0.95
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the mean of `values` (n,) (Efron 1979).

    For paired data give the differences of the pairs: rows are then drawn in pairs. Values of
    few kinds, such as −1, 0 and 1, are drawn as counts, so memory does not grow with n.
    """
    import numpy as np

    values = np.asarray(values, dtype=float)
    kinds, counts = np.unique(values, return_counts=True)
    if len(kinds) <= 64:
        return bootstrap_of_counts(dict(zip(kinds, counts, strict=True)), draws, seed, level)
    rng = np.random.default_rng(seed)
    picks = (rng.integers(0, len(values), len(values)) for _ in range(draws))
    return _middle([values[pick].mean() for pick in picks], level)


def bootstrap_of_counts(
    counts: Mapping[float, int], draws: int = 2000, seed: int = 0, level: float = 0.95
) -> tuple[float, float]:
    """Return the same interval from how often each value occurs: value → count."""
    import numpy as np

    kinds, times = np.array(list(counts), float), np.array(list(counts.values()))
    total = times.sum()
    rng = np.random.default_rng(seed)
    return _middle(rng.multinomial(total, times / total, size=draws) @ kinds / total, level)


def _middle(means: Any, level: float) -> tuple[float, float]:
    import numpy as np

    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def paired_t(
    count: int, total: float, squares: float, level: float = 0.95
) -> tuple[Interval | None, float | None]:
    """Return the interval of a mean difference and the p-value of the paired t-test.

    From n, Σd and Σd² of the differences d; None where n < 2, or all d are equal: the spread of
    what was measured once, or never differs, is not known.
    """
    from scipy.stats import t

    mean = total / count
    variance = (squares - count * mean**2) / (count - 1) if count > 1 else 0.0
    if variance <= 1e-18:
        return None, None
    error = (variance / count) ** 0.5
    reach = float(t.ppf((1 + level) / 2, count - 1)) * error
    return (mean - reach, mean + reach), float(2 * t.sf(abs(mean) / error, count - 1))


class Mean:
    """The mean of values by row or cluster, its interval and p-value; rows are not kept.

    bounds: between which every value lies, where that is known. consecutive: the rows of a cluster
    come one after the other, so that clusters need not be kept either.
    """

    def __init__(self, bounds: Interval | None = None, consecutive: bool = False) -> None:
        self.n, self.total, self._squares = 0, 0.0, 0.0
        self._bounds = None if bounds is None else (float(bounds[0]), float(bounds[1]))
        self._consecutive = consecutive
        self._low, self._high, self._whole = math.inf, -math.inf, True
        self._open: dict[str, tuple[int, float]] = {}  # cluster → rows, Σ
        self._closed = [0.0] * 4  # clusters, Σ rows², Σ rows · sum, Σ sum²

    def add(self, value: float, cluster: str | None = None) -> None:
        """Count the value of a row; rows of one cluster share it."""
        self.n += 1
        self.total += value
        self._squares += value**2
        self._low, self._high = min(self._low, value), max(self._high, value)
        self._whole = self._whole and value in (0, 1)
        if cluster is None:
            return
        if self._consecutive and cluster not in self._open:
            self._closed, self._open = self._moments(), {}
        count, total = self._open.get(cluster, (0, 0.0))
        self._open[cluster] = (count + 1, total + value)

    def merge(self, other: Mean) -> None:
        """Count the rows of another one too; the clusters of both must be kept."""
        self.n += other.n
        self.total += other.total
        self._squares += other._squares
        self._low, self._high = min(self._low, other._low), max(self._high, other._high)
        self._whole = self._whole and other._whole
        for cluster, (count, total) in other._open.items():
            before = self._open.get(cluster, (0, 0.0))
            self._open[cluster] = (before[0] + count, before[1] + total)

    def _moments(self) -> list[float]:
        found = list(self._closed)
        for count, total in self._open.values():
            for i, value in enumerate((1, count**2, count * total, total**2)):
                found[i] += value
        return found

    @property
    def mean(self) -> float:
        """The mean over all rows."""
        return self.total / self.n

    @property
    def units(self) -> int:
        """How many independent things were measured: clusters, else rows."""
        return int(self._closed[0]) + len(self._open) or self.n

    @property
    def sums(self) -> list[float]:
        """The sum of each cluster that is kept."""
        return [total for _, total in self._open.values()]

    @property
    def clustered(self) -> bool:
        """Whether rows share anything."""
        return self.units < self.n

    def interval(self, level: float = 0.95) -> tuple[Interval | None, float | None]:
        """Return the interval and the two-sided p-value against 0; None of one unit alone."""
        if self.units < 2:
            return None, None
        if self._high - self._low < 1e-9:
            return self._alike(level), None
        if self.clustered:
            return self._of_clusters(level)
        interval, p = paired_t(self.n, self.total, self._squares, level)
        if self._bounds == (0.0, 1.0) and self._whole:
            return wilson(round(self.total), self.n, level), p
        return self._inside(interval), p

    def _inside(self, interval: Interval | None) -> Interval | None:
        """Return an interval without what lies beyond the bounds of every value."""
        if interval is None or self._bounds is None:
            return interval
        return max(self._bounds[0], interval[0]), min(self._bounds[1], interval[1])

    def _alike(self, level: float) -> Interval | None:
        """Return how far the mean may lie from the one value that all units have."""
        if self._bounds is None:
            return None
        (low, high), reach = self._bounds, wilson(0, self.units, level)[1]
        return self.mean - reach * (self.mean - low), self.mean + reach * (high - self.mean)

    def _of_clusters(self, level: float) -> tuple[Interval | None, float | None]:
        from scipy.stats import t

        groups, counts, products, sums = self._moments()
        spread = sums - 2 * self.mean * products + self.mean**2 * counts
        error = math.sqrt(max(0.0, groups / (groups - 1) * spread)) / self.n
        if error < 1e-9:  # the clusters are alike, though their rows are not
            return self._alike(level), None
        p = float(2 * t.sf(abs(self.mean) / error, groups - 1))
        reach = float(t.ppf((1 + level) / 2, groups - 1))
        if self._bounds == (0.0, 1.0):
            return share_of(self.mean, error, self.mean * (1 - self.mean) / error**2, reach), p
        return self._inside((self.mean - reach * error, self.mean + reach * error)), p


def kendall(first: Sequence[float], second: Sequence[float]) -> tuple[float | None, float | None]:
    """Return Kendall's τ-b and its p-value; None where one of the two has only ties.

    >>> kendall([1, 1, 1], [1, 2, 3])
    (None, None)
    """
    from scipy.stats import kendalltau

    if len(set(first)) < 2 or len(set(second)) < 2:
        return None, None
    found = kendalltau(first, second)
    return float(found.statistic), float(found.pvalue)
