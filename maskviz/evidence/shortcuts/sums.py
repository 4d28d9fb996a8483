"""Running sums over the half that is measured on: what is kept does not grow with the rows."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ...readings.heads import valued
from ..files.answers import Paired
from ..files.tally import WORST
from ..statistics import Mean
from .measured import Measured, Moved


class Sums:
    """The sums of one candidate over the rows that have it, all or of a group."""

    def __init__(self, head: str) -> None:
        free = valued(head)
        self.rows = 0
        self.strength, self.reference, self.beyond = Mean(), Mean(), Mean()
        self.flips, self.flips_beyond = Mean((0, 1)), Mean((-1, 1))
        self.change = Mean(None if free else (-1, 1))
        self.pairs = Paired()

    def add(self, row: Measured, moved: Moved, slot: str) -> None:
        """Count a row."""
        self.rows += 1
        self.flips.add(float(moved.flip), slot)
        self.change.add(moved.change, slot)
        if row.right is not None and moved.right is not None:
            self.pairs.add(row.right, moved.right, slot)
        if moved.reference is None or moved.reference_flip is None:
            return
        self.strength.add(moved.strength, slot)
        self.reference.add(moved.reference, slot)
        self.beyond.add(moved.strength - moved.reference, slot)
        self.flips_beyond.add(float(moved.flip) - float(moved.reference_flip), slot)

    @property
    def score(self) -> float:
        """How many standard errors the effect lies beyond that of other masks; 0 of a few rows."""
        interval, _ = self.beyond.interval() if self.beyond.n > 1 else (None, None)
        if interval is None:
            return 0.0
        reach = (interval[1] - interval[0]) / 4
        return self.beyond.mean / reach if reach else 0.0


class Leaned:
    """All that is kept of one candidate: its sums, by group, by place, and the worst rows."""

    def __init__(self, head: str) -> None:
        self._head = head
        self.all = Sums(head)
        self.groups: dict[str, dict[str, Sums]] = {}
        self.gained: list[float] = []
        self.inside: Counter[str] = Counter()
        self._heap: list[tuple[bool, float, int, Measured]] = []

    def add(
        self, row: Measured, moved: Moved, slot: str, groups: dict[str, str], name: str
    ) -> None:
        """Count a row that has the candidate `name`."""
        self.all.add(row, moved, slot)
        for column, value in groups.items():
            own = self.groups.setdefault(column, {})
            own.setdefault(value, Sums(self._head)).add(row, moved, slot)
        if moved.gained:
            before = self.gained or [0.0] * len(moved.gained)
            self.gained = [a + b for a, b in zip(before, moved.gained, strict=True)]
        self.inside.update(moved.inside)
        item = (moved.flip, moved.strength, -row.row, row)
        push = heapq.heappush if len(self._heap) < WORST else heapq.heappushpop
        push(self._heap, item)

    def worst(self) -> list[Measured]:
        """Return the rows that move most, those that flip first."""
        return [item[-1] for item in sorted(self._heap, key=lambda i: i[:3], reverse=True)]


class Strata:
    """Values in two arms within strata: their difference as if the strata were equally mixed.

    The gap Σ_s w_s (mean of arm 1 − mean of arm 0 in s), w_s the share of the rows in s, over the
    strata that have both arms. Its variance is that of the clusters' influence (Cochran 1977).
    """

    def __init__(self) -> None:
        self._sums: dict[str, dict[tuple[str, bool], list[float]]] = {}  # slot → cell → n, Σ…

    def add(self, stratum: str, arm: bool, values: Iterable[float], slot: str) -> None:
        """Count a row."""
        given = [1.0, *values]
        cells = self._sums.setdefault(slot, {})
        before = cells.get((stratum, arm))
        cells[stratum, arm] = given if before is None else [
            a + b for a, b in zip(before, given, strict=True)
        ]  # fmt: skip

    def gap(self, value: int, fewest: int = 1) -> dict[str, Any] | None:
        """Return gap, its 95 % interval, p-value and rows; None where an arm has too few rows."""
        import numpy as np
        from scipy.stats import t

        totals: dict[tuple[str, bool], list[float]] = {}
        for cells in self._sums.values():
            for cell, sums in cells.items():
                own = totals.setdefault(cell, [0.0, 0.0])
                own[0] += sums[0]
                own[1] += sums[1 + value]
        both = sorted(s for s, arm in totals if arm and (s, False) in totals)
        arms = [sum(totals[s, arm][0] for s in both) for arm in (False, True)]
        if not both or min(arms) < max(2, fewest):
            return None
        rows = sum(arms)
        weight = {s: (totals[s, False][0] + totals[s, True][0]) / rows for s in both}
        mean = {cell: total[1] / total[0] for cell, total in totals.items()}
        gap = sum(weight[s] * (mean[s, True] - mean[s, False]) for s in both)
        influence = [
            sum(
                (1 if arm else -1) * weight[s] * (sums[1 + value] - sums[0] * mean[s, arm])
                / totals[s, arm][0]
                for (s, arm), sums in cells.items()
                if s in weight
            )
            for cells in self._sums.values()
            if any(s in weight for s, _ in cells)
        ]  # fmt: skip
        count = len(influence)
        error = float(np.sqrt(count / (count - 1) * np.square(influence).sum())) if count > 1 else 0
        found: dict[str, Any] = {"gap": gap, "rows": int(rows), "strata": len(both)}
        found |= {"ci95": None, "p_value": None}
        if error > 1e-12:
            reach = float(t.ppf(0.975, count - 1)) * error
            found["ci95"] = [gap - reach, gap + reach]
            found["p_value"] = float(2 * t.sf(abs(gap) / error, count - 1))
        return found
