"""Chance over a file: what random masks of the same size do to the same rows.

For each row and strategy other masks of the same kind and size are drawn (`chance.reference`),
once or more. The rate of these masks, with an interval over the rows, is what a strategy must beat;
how far it goes beyond is the mean of paired differences, row by row (strategy − mean of the row's
draws), so what is easy or hard in a row counts for neither side. Where several strategies, or the
values of a column, stand beside each other, a verdict allows for all of them (Holm).

Of a long file the rows carry the uncertainty: the variance of the rate is (between rows + within
rows / draws) / rows, so one draw a row is enough there. Few rows get more: 20 each up to 50 rows,
else 1,000 in all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...errors import ParameterError
from ...shares import Interval
from ..chance.verdict import LEVEL, holm
from ..statistics import Mean

_IN_ALL, _MOST = 1000, 20
APART = 1_000_003  # between the seed of a row's mask and that of those beside it
# Fewer rows tell nothing, however much they differ: all on one side, an exact two-sided sign test
# of five says p = 0.06, of six p = 0.03. An interval over so few is too short.
FEWEST = 6


def draws_for(rows: int) -> int:
    """Return the random masks a row that a file of so many rows is given.

    >>> [draws_for(rows) for rows in (10, 200, 1000, 10_000)]
    [20, 5, 1, 1]
    """
    return min(_MOST, -(-_IN_ALL // max(1, rows)))


def checked_draws(draws: int) -> int:
    """Return the random masks a row that were asked for, or raise ParameterError."""
    if not 0 <= draws <= 100:
        raise ParameterError(f"{draws} random masks a row were asked for: take 0 to 100.")
    return draws


@dataclass(frozen=True)
class ChanceResult:
    """What random masks of the same size do to the same rows, with 95 % intervals over the rows.

    change: accuracy (of a regression the mean absolute error, without labels the value) under them
    − plain, None where a classifier's rows have no labels. flip_beyond, beyond: the strategy's flip
    rate or change − theirs, paired by row, with their p-values (paired t; exact sign test where all
    rows differ alike) and those that allow for what stands beside it. rows: how many these are, of
    clusters the clusters. An interval over a single one is None; a p-value of under six rows, too.
    """

    flip_rate: float
    flip_ci95: Interval | None
    flip_beyond: float
    flip_beyond_ci95: Interval | None
    change: float | None = None
    ci95: Interval | None = None
    beyond: float | None = None
    beyond_ci95: Interval | None = None
    rows: int = 0
    flip_p_value: float | None = None
    p_value: float | None = None
    flip_p_adjusted: float | None = None
    p_adjusted: float | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ChanceResult:
        """Read the values that `dataclasses.asdict` and JSON make of one."""
        known: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        return cls(**known)

    @property
    def surpassed(self) -> bool:
        """Whether the strategy differs from chance: in accuracy or error, else in flips."""
        told = self.flip_p_adjusted if self.p_value is None else self.p_adjusted
        return told is not None and told <= LEVEL

    @property
    def flips_surpassed(self) -> bool:
        """Whether the strategy flips more, or fewer, rows than chance."""
        return self.flip_p_adjusted is not None and self.flip_p_adjusted <= LEVEL

    @property
    def few(self) -> bool:
        """Whether there are too few rows to tell a strategy from chance."""
        return self.rows < FEWEST


def beside_each_other(results: Iterable[ChanceResult | None]) -> list[ChanceResult | None]:
    """Return results with the p-values that allow for all that stand on one screen (Holm)."""
    found = list(results)
    flips = holm([None if r is None else r.flip_p_value for r in found])
    others = holm([None if r is None else r.p_value for r in found])
    return [
        r and replace(r, flip_p_adjusted=flip, p_adjusted=other)
        for r, flip, other in zip(found, flips, others, strict=True)
    ]


class ChanceTally:
    """The sums of one strategy's random masks."""

    def __init__(self, regression: bool) -> None:
        self._flips, self._flips_beyond = Mean((0, 1)), Mean((-1, 1))
        bounds = None if regression else (-1, 1)
        self._change, self._beyond = Mean(bounds), Mean(bounds)

    def add_flips(self, chance: float, strategy: bool, cluster: str | None = None) -> None:
        """Count a row: the share of random masks that flip it, and whether the strategy does."""
        self._flips.add(chance, cluster)
        self._flips_beyond.add(strategy - chance, cluster)

    def add_score(
        self, plain: float, chance: float, strategy: float, cluster: str | None = None
    ) -> None:
        """Count a row with a label: right or not (of a regression the error), mean of the draws."""
        self._change.add(chance - plain, cluster)
        self._beyond.add(strategy - chance, cluster)

    def merge(self, other: ChanceTally) -> None:
        """Count the rows of another one too."""
        self._flips.merge(other._flips)
        self._flips_beyond.merge(other._flips_beyond)
        self._change.merge(other._change)
        self._beyond.merge(other._beyond)

    def result(self) -> ChanceResult | None:
        """Return what the sums say, None before the first row."""
        if not self._flips.n:
            return None
        flips, other = _p(self._flips_beyond), _p(self._beyond)
        return ChanceResult(
            *_told(self._flips), *_told(self._flips_beyond), *_told(self._change),
            *_told(self._beyond), self._flips.units, flips, other, flips, other,
        )  # fmt: skip


def _told(mean: Mean) -> tuple[Any, Any]:
    """Return a mean and its interval, None before the first value."""
    return (mean.mean, mean.interval()[0]) if mean.n else (None, None)


def _p(mean: Mean) -> float | None:
    """Return the p-value of a mean difference, None of too few rows.

    Where all rows differ alike, the exact two-sided sign test: their spread is not known.
    """
    if not mean.n or mean.units < FEWEST:
        return None
    p = mean.interval()[1]
    return p if p is not None else min(1.0, 0.5 ** (mean.units - 1)) if mean.mean else 1.0
