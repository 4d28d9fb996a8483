"""Figures with their 95 % intervals."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

RESAMPLES = 1000


@dataclass(frozen=True)
class Figure:
    """A share between 0 and 1 with its 95 % bootstrap interval, and over how many units."""

    name: str
    value: float
    low: float
    high: float
    units: int

    def as_dict(self) -> dict[str, float | int | str]:
        """The figure for `--json`."""
        return asdict(self)

    def as_line(self) -> str:
        """The figure for the table."""
        interval = f"[{100 * self.low:5.1f}, {100 * self.high:5.1f}]"
        return f"{self.name:<52} {100 * self.value:5.1f}  {interval}  n = {self.units}"


def ratio_figure(name: str, hits: np.ndarray, counts: np.ndarray, seed: int = 0) -> Figure:
    """Σhits / Σcounts; whole texts are resampled, as the words of one text are not independent.

    `hits` and `counts` are per text, (texts,).
    """
    rng = np.random.default_rng(seed)
    draws = rng.integers(len(hits), size=(RESAMPLES, len(hits)))
    values = hits[draws].sum(axis=1) / np.maximum(counts[draws].sum(axis=1), 1)
    low, high = np.quantile(values, [0.025, 0.975])
    value = hits.sum() / max(counts.sum(), 1)
    return Figure(name, float(value), float(low), float(high), int(counts.sum()))


def f1_figure(name: str, counts: np.ndarray, seed: int = 0) -> Figure:
    """F1 from true positives, predicted and gold spans per sentence, (sentences, 3)."""
    rng = np.random.default_rng(seed)
    draws = rng.integers(len(counts), size=(RESAMPLES, len(counts)))
    sums = counts[draws].sum(axis=1)  # (resamples, 3)
    values = 2 * sums[:, 0] / np.maximum(sums[:, 1] + sums[:, 2], 1)
    low, high = np.quantile(values, [0.025, 0.975])
    true, predicted, gold = counts.sum(axis=0)
    value = 2 * true / max(predicted + gold, 1)
    return Figure(name, float(value), float(low), float(high), int(gold))
