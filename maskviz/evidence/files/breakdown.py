"""How the values of a column become groups: bins of numbers, the largest and the worst of others.

A first look at the file counts the values. A column of more than 20 different numbers is cut into
ten bins with about as many rows each; of any other the values are kept, up to a thousand of those
with most rows. Of these the result shows the largest and the worst.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...data.groups import EMPTY

OTHER = "(other)"
LARGEST, WORST_VALUES = 30, 10  # values of a column that are shown by themselves
_BINS, _FEW_NUMBERS = 10, 20
_COUNTED, _KEPT = 100_000, 1000  # different values that are counted, and that sums are kept of


@dataclass(frozen=True)
class Column:
    """The values of a column: how many there are, and how they are grouped.

    edges: where each bin but the first begins, in ascending order, with the least and the greatest
    number; empty where the values are no numbers, or few. kept: the values with most rows, None
    where all are.
    """

    values: int
    edges: tuple[float, ...] = ()
    kept: frozenset[str] | None = None

    def group(self, value: str) -> str:
        """Return the group of a value: its bin, itself, or OTHER."""
        number = as_number(value)
        if self.edges and number is not None:
            return self._bin(min(len(self.edges) - 2, max(0, bisect_right(self.edges, number) - 1)))
        return value if self.kept is None or value in self.kept else OTHER

    def _bin(self, index: int) -> str:
        low, high = self.edges[index : index + 2]
        until = "to" if index == len(self.edges) - 2 else "to below"
        return f"{low:g} {until} {high:g}"

    @property
    def bins(self) -> list[str]:
        """The names of the bins in ascending order."""
        return [self._bin(i) for i in range(len(self.edges) - 1)]

    def note(self, column: str) -> str:
        """Say how the numbers of a column are grouped."""
        return f"By {column!r}: {self.values:,} different numbers, in {len(self.bins)} bins."


@dataclass
class Counts:
    """The values of a column as a first look at a file counts them."""

    values: Counter[str] = field(default_factory=Counter)

    def add(self, value: str) -> None:
        """Count one row."""
        if len(self.values) < _COUNTED or value in self.values:
            self.values[value] += 1

    def column(self) -> Column:
        """Return how the values are grouped."""
        numbers = {v: as_number(v) for v in self.values if v != EMPTY}
        if len(numbers) > _FEW_NUMBERS and None not in numbers.values():
            counted = Counter({float(n or 0): self.values[v] for v, n in numbers.items()})
            return Column(len(numbers), _edges(counted))
        kept = None
        if len(self.values) > _KEPT:
            kept = frozenset(value for value, _ in self.values.most_common(_KEPT))
        return Column(len(self.values), kept=kept)


def as_number(value: str) -> float | None:
    """Return a finite number that a value is, None where it is none.

    >>> as_number("12.5"), as_number("12 years")
    (12.5, None)
    """
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _edges(counts: Counter[float]) -> tuple[float, ...]:
    """Return the edges of bins with about as many rows each; a number is never cut in two."""
    ordered, rows = sorted(counts), counts.total()
    edges, before = [ordered[0]], 0
    for number in ordered:
        if before >= rows * len(edges) / _BINS and number > edges[-1]:
            edges.append(number)
        before += counts[number]
    return (*edges, ordered[-1]) if ordered[-1] > edges[-1] else tuple(edges)


def shown_values(
    rows: Mapping[str, int], badness: Mapping[str, float], column: Column | None
) -> tuple[list[str], list[str]]:
    """Return the values that are shown, in order, and those that are folded into OTHER.

    Bins ascend; of others those with most rows come first. `badness` is what the worst have most
    of.
    """
    if column is not None and column.edges:
        order = {name: i for i, name in enumerate(column.bins)}
        return sorted(rows, key=lambda value: (order.get(value, len(order)), value)), []
    by_rows = sorted(rows, key=lambda value: (value == OTHER, -rows[value], value))
    if len(rows) <= LARGEST + WORST_VALUES and OTHER not in rows:
        return by_rows, []
    largest = [value for value in by_rows if value != OTHER][:LARGEST]
    left = [value for value in by_rows if value not in largest and value != OTHER]
    worst = set(
        sorted(left, key=lambda value: (-badness[value], -rows[value], value))[:WORST_VALUES]
    )
    shown = [value for value in by_rows if value in worst or value in largest]
    return shown, [value for value in by_rows if value not in shown]
