"""The gap between the two texts of pairs, as running sums of one arm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...shares import Interval
from ..statistics import Mean


@dataclass(frozen=True)
class Gap:
    """What one arm, plain or masked, shows over all pairs.

    flip_ci95: Wilson's 95 % interval. ctf_gap, mean_difference: with 95 % intervals from Student's
    t; p_value: of the paired t-test. All over the clusters, where pairs share one; None where there
    is a single one, or all are alike. same_input: share of pairs that are the same to the model,
    whose gap is exactly 0. clusters: how many there are, None where every pair stands alone.
    """

    pairs: int
    flip_rate: float
    flip_ci95: Interval | None
    ctf_gap: float
    ctf_ci95: Interval | None
    mean_difference: float
    ci95: Interval | None
    p_value: float | None
    same_input: float
    clusters: int | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Gap:
        """Read the values that `dataclasses.asdict` and JSON make of one."""
        read: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        return cls(**read)


class Sums:
    """Running sums of one arm over pairs; their differences lie between `bounds`.

    by_row: pairs share their row alone, so that clusters come one after the other. exact: what is
    the same to the model in every pair is so by construction.
    """

    def __init__(self, bounds: Interval | None, by_row: bool, exact: bool = False) -> None:
        self.same, self._exact = 0, exact
        self.flips = Mean((0, 1), by_row)
        self.absolute = Mean(bounds and (0, bounds[1]), by_row)
        self.signed = Mean(bounds, by_row)

    def add(self, difference: float, flip: bool, same: bool, cluster: str | None) -> None:
        self.same += same
        self.flips.add(float(flip), cluster)
        self.absolute.add(abs(difference), cluster)
        self.signed.add(difference, cluster)

    def gap(self) -> Gap:
        n = self.signed.n
        sums = (self.flips, self.absolute, self.signed)
        flip, absolute, signed = (
            (None, None) if self._exact and self.same == n else s.interval() for s in sums
        )
        return Gap(
            n,
            self.flips.mean,
            flip[0],
            self.absolute.mean,
            absolute[0],
            self.signed.mean,
            *signed,
            self.same / n,
            self.signed.units if self.signed.clustered else None,
        )
