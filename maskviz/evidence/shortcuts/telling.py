"""Words that tell labels, or the model's answers, apart: counted on the half that is chosen on.

Of classes it is keyness over rows (`words.keyness`); of values the difference of their means with
and without the word in standard errors (Welch 1947).
"""

from __future__ import annotations

import math
from collections import Counter

from ..words.keyness import scores_of_counts
from .candidates import units

_KEPT, _CLASSES = 200_000, 50  # different words and classes that are counted


class Telling:
    """Counts of words by class, and sums of values."""

    def __init__(self) -> None:
        self.rows: Counter[str] = Counter()  # word → rows
        self._classes: dict[str, Counter[str]] = {}
        self._values: dict[str, list[float]] = {}  # word → Σ v, Σ v²
        self._all = [0.0] * 3  # values: n, Σ v, Σ v²

    def add(self, text: str, classes: set[str], value: float | None = None) -> None:
        """Count a row; `classes` are what it is labelled, and answered with."""
        found = units(text)
        self.rows.update(found)
        for name in classes:
            if name in self._classes or len(self._classes) < _CLASSES:
                self._classes.setdefault(name, Counter()).update(found)
        if value is not None:
            self._all = [self._all[0] + 1, self._all[1] + value, self._all[2] + value**2]
            for unit in found:
                sums = self._values.setdefault(unit, [0.0, 0.0])
                sums[0] += value
                sums[1] += value**2
        if len(self.rows) > _KEPT:
            self._forget()

    def _forget(self) -> None:
        """Drop what was seen once: only words of many rows can be told from chance."""
        kept = {word for word, rows in self.rows.items() if rows > 1}
        self.rows = Counter({word: self.rows[word] for word in kept})
        self._values = {word: v for word, v in self._values.items() if word in kept}
        for name, own in self._classes.items():
            self._classes[name] = Counter({w: n for w, n in own.items() if w in kept})

    def most(self, count: int, fewest: int) -> list[str]:
        """Return the most telling words of at least so many rows, the most telling first."""
        scores = self._scores()
        known = [word for word, rows in self.rows.items() if rows >= fewest]
        return sorted(known, key=lambda word: (-scores.get(word, 0.0), word))[:count]

    def _scores(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for family in ("expected", "answer"):
            own = {n: c for n, c in self._classes.items() if n.startswith(f"{family} ")}
            for scores in scores_of_counts(own).values() if len(own) > 1 else ():
                for word, score in scores.items():
                    found[word] = max(found.get(word, 0.0), abs(score))
        for word, sums in self._values.items():
            found[word] = max(found.get(word, 0.0), self._difference(word, sums))
        return found

    def _difference(self, word: str, sums: list[float]) -> float:
        """Return |mean with − mean without| in standard errors."""
        n, rest = self.rows[word], self._all[0] - self.rows[word]
        if n < 2 or rest < 2:
            return 0.0
        total, squares = self._all[1] - sums[0], self._all[2] - sums[1]
        means = sums[0] / n, total / rest
        variance = (sums[1] - n * means[0] ** 2) / (n - 1) / n
        variance += (squares - rest * means[1] ** 2) / (rest - 1) / rest
        return abs(means[0] - means[1]) / math.sqrt(variance) if variance > 1e-18 else 0.0
