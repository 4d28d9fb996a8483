"""Chance over a file: what random masks of the same size do to the same rows.

For each row and strategy as many words are hidden at random as the strategy hides there, once or
more. The rate of these masks, with an interval over the rows, is what a strategy must beat; how far
it goes beyond is the mean of paired differences, row by row (strategy − mean of the row's draws),
so what is easy or hard in a row counts for neither side.

Of a long file the rows carry the uncertainty: the variance of the rate is (between rows + within
rows / draws) / rows, so one draw a row is enough there. Few rows get more: 20 each up to 50 rows,
else 1,000 in all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import ParameterError
from ...masks.choose import mask as choose_mask
from ...masks.mask import Mask
from ...text.document import Document
from ..statistics import bootstrap_of_counts, paired_t

_IN_ALL, _MOST = 1000, 20
_APART = 1_000_003  # between the seeds of one row's masks
# Fewer rows tell nothing, however much they differ: all on one side, an exact two-sided sign test
# of five says p = 0.06, of six p = 0.03. An interval over so few is too short.
FEWEST = 6

Interval = tuple[float, float]


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


def random_masks(mask: Mask, draws: int, seed: int) -> list[Mask]:
    """Return masks that hide as many words at random as `mask` does; none where that is none.

    Their seeds lie far from `seed` and from each other: the rows of a file have neighbouring ones.
    """
    if not mask.hidden_words:
        return []
    ratio = mask.realised_ratio
    seeds = (seed + _APART * i for i in range(1, 1 + draws))
    document = Document(mask.text)  # whose words are found once
    return [choose_mask(document, "random", ratio=ratio, seed=one) for one in seeds]


@dataclass(frozen=True)
class ChanceResult:
    """What random masks of the same size do to the same rows, with 95 % intervals over the rows.

    change: accuracy (of a regression the mean absolute error, without labels the value) under them
    − plain, None where a classifier's rows have no labels. flip_beyond, beyond: the strategy's flip
    rate or change − theirs, paired by row. rows: how many these are.
    """

    flip_rate: float
    flip_ci95: Interval
    flip_beyond: float
    flip_beyond_ci95: Interval
    change: float | None = None
    ci95: Interval | None = None
    beyond: float | None = None
    beyond_ci95: Interval | None = None
    rows: int = 0

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
        return self._beyond(self.beyond_ci95 or self.flip_beyond_ci95)

    @property
    def flips_surpassed(self) -> bool:
        """Whether the strategy flips more, or fewer, rows than chance."""
        return self._beyond(self.flip_beyond_ci95)

    @property
    def few(self) -> bool:
        """Whether there are too few rows to tell a strategy from chance."""
        return self.rows < FEWEST

    def _beyond(self, interval: Interval) -> bool:
        return not self.few and (interval[0] > 0 or interval[1] < 0)


class _Mean:
    """The mean of paired values with its interval; what is kept does not grow with the rows."""

    def __init__(self, counted: bool) -> None:
        self._counts: Counter[float] | None = Counter() if counted else None
        self.n, self._total, self._squares = 0, 0.0, 0.0

    def add(self, value: float) -> None:
        if self._counts is not None:
            self._counts[value] += 1
        self.n += 1
        self._total += value
        self._squares += value**2

    def result(self) -> tuple[float | None, Interval | None]:
        """Return mean and interval: bootstrap of a few kinds of values, Student's t of any."""
        if not self.n:
            return None, None
        if self._counts is not None:
            return self._total / self.n, bootstrap_of_counts(dict(sorted(self._counts.items())))
        return self._total / self.n, paired_t(self.n, self._total, self._squares)[0]


class ChanceTally:
    """The sums of one strategy's random masks."""

    def __init__(self, regression: bool) -> None:
        self._flips, self._flips_beyond = _Mean(True), _Mean(True)
        self._change, self._beyond = _Mean(not regression), _Mean(not regression)

    def add_flips(self, chance: float, strategy: bool) -> None:
        """Count a row: the share of random masks that flip it, and whether the strategy does."""
        self._flips.add(chance)
        self._flips_beyond.add(strategy - chance)

    def add_score(self, plain: float, chance: float, strategy: float) -> None:
        """Count a row with a label: right or not (of a regression the error), mean of the draws."""
        self._change.add(chance - plain)
        self._beyond.add(strategy - chance)

    def result(self) -> ChanceResult | None:
        """Return what the sums say, None before the first row."""
        flips, flips_ci = self._flips.result()
        beyond, beyond_ci = self._flips_beyond.result()
        if flips is None or flips_ci is None or beyond is None or beyond_ci is None:
            return None
        return ChanceResult(
            flips, flips_ci, beyond, beyond_ci, *self._change.result(),
            *self._beyond.result(), self._flips.n,
        )  # fmt: skip
