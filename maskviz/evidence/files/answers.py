"""Sums over answers that are right or not: how sure they are, and of two which is better."""

from __future__ import annotations

from collections import Counter

from ...shares import Interval, mcnemar, tango
from ..statistics import Mean

# Of paired values: the first's mean, the second's, the difference, its interval and p-value.
Compared = tuple[float | None, float | None, float | None, Interval | None, float | None]
BINS = 15  # of confidence, for the expected calibration error


class Calibration:
    """Confidence in 15 equal bins; ECE = Σ (n_b / n) · |accuracy_b − confidence_b|."""

    def __init__(self) -> None:
        self.counts, self.right, self.confidence = ([0.0] * BINS for _ in range(3))

    def add(self, confidence: float, right: bool) -> None:
        """Count one answer."""
        b = min(BINS - 1, int(confidence * BINS))
        self.counts[b] += 1
        self.right[b] += right
        self.confidence[b] += confidence

    def merge(self, other: Calibration) -> None:
        """Count the answers of another one too."""
        for own, theirs in (
            (self.counts, other.counts), (self.right, other.right),
            (self.confidence, other.confidence),
        ):  # fmt: skip
            own[:] = [a + b for a, b in zip(own, theirs, strict=True)]

    def error(self) -> float | None:
        """Return the expected calibration error, None before the first answer."""
        total = sum(self.counts)
        gaps = (abs(r - c) for r, c in zip(self.right, self.confidence, strict=True))
        return sum(gaps) / total if total else None


class Paired:
    """Two answers to each row, right or not: accuracies, their difference and its test."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[bool, bool]] = Counter()  # first right, second right
        self._change = Mean((-1, 1))

    def add(self, first: bool, second: bool, cluster: str | None) -> None:
        """Count one row."""
        self._counts[first, second] += 1
        self._change.add(float(second) - float(first), cluster)

    def merge(self, other: Paired) -> None:
        """Count the rows of another one too."""
        self._counts += other._counts
        self._change.merge(other._change)

    @property
    def right(self) -> tuple[int, int]:
        """How many second answers are right, and of how many."""
        return sum(n for (_, second), n in self._counts.items() if second), self._counts.total()

    def result(self) -> Compared:
        """Return accuracy first, second, their difference, its interval and p-value.

        Of independent rows Tango's interval and McNemar's test, of clusters Student's t; all are
        None without any row, interval and p-value also of a single one.
        """
        n = self._counts.total()
        if not n:
            return (None,) * 5
        lost, won = self._counts[True, False], self._counts[False, True]
        both = self._counts[True, True]
        tested: tuple[Interval | None, float | None] = tango(lost, won, n), mcnemar(lost, won)
        if self._change.units < 2 or self._change.clustered:
            tested = self._change.interval()
        return (both + lost) / n, (both + won) / n, (won - lost) / n, *tested
