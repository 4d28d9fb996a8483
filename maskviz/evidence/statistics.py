"""The statistics of paired answers: bootstrap intervals, McNemar's test, KL divergence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def kl_divergence(p: Iterable[float], q: Iterable[float]) -> float:
    """Return KL(p ‖ q) = Σ p·ln(p/q) in nats; probabilities under 1e-12 count as 1e-12.

    >>> round(kl_divergence([0.5, 0.5], [0.9, 0.1]), 4)
    0.5108
    """
    import numpy as np

    p, q = (np.clip(np.fromiter(x, float), 1e-12, None) for x in (p, q))
    return max(0.0, float((p * np.log(p / q)).sum())) if len(p) > 1 else 0.0


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
    rng = np.random.default_rng(seed)
    kinds, counts = np.unique(values, return_counts=True)
    if len(kinds) <= 64:
        means = rng.multinomial(len(values), counts / len(values), size=draws) @ kinds / len(values)
    else:
        picks = (rng.integers(0, len(values), len(values)) for _ in range(draws))
        means = np.array([values[pick].mean() for pick in picks])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p-value of McNemar's test (1947) from the discordant pairs.

    >>> mcnemar(1, 8) == mcnemar(8, 1)
    True
    """
    from scipy.stats import binomtest

    pairs = only_first + only_second
    return float(binomtest(only_first, pairs, 0.5).pvalue) if pairs else 1.0
