"""The statistics of paired answers: bootstrap intervals, McNemar's test, KL divergence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def kl_divergence(p: Iterable[float], q: Iterable[float]) -> float:
    """Return KL(p ‖ q) = Σ p·ln(p/q) in nats; probabilities under 1e-12 count as 1e-12.

    >>> round(kl_divergence([0.5, 0.5], [0.9, 0.1]), 4)
    0.5108
    """
    import numpy as np

    first, second = (np.clip(np.fromiter(x, float), 1e-12, None) for x in (p, q))
    return max(0.0, float((first * np.log(first / second)).sum())) if len(first) > 1 else 0.0


def divergence(head: str, p: Any, q: Any) -> float | None:
    """Return KL(p ‖ q) of two answers (labels,) in nats; None for a regression.

    A multi-label head's answer is one Bernoulli distribution for each label: their KL add up.
    """
    if head == "regression":
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


def paired_t(count: int, total: float, squares: float) -> tuple[tuple[float, float], float]:
    """Return the 95 % interval of a mean difference and the p-value of the paired t-test.

    From n, Σd and Σd² of the differences d; with n < 2, or all d equal, the interval is a point.
    """
    from scipy.stats import t

    mean = total / count
    variance = (squares - count * mean**2) / (count - 1) if count > 1 else 0.0
    if variance <= 1e-18:
        return (mean, mean), 1.0 if abs(mean) < 1e-12 or count < 2 else 0.0
    error = (variance / count) ** 0.5
    reach = float(t.ppf(0.975, count - 1)) * error
    return (mean - reach, mean + reach), float(2 * t.sf(abs(mean) / error, count - 1))


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p-value of McNemar's test (1947) from the discordant pairs.

    >>> mcnemar(1, 8) == mcnemar(8, 1)
    True
    """
    from scipy.stats import binomtest

    pairs = only_first + only_second
    return float(binomtest(only_first, pairs, 0.5).pvalue) if pairs else 1.0


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
