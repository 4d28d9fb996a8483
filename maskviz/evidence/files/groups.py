"""Groups beside each other: how right a model is for each, the worst, and the gaps between them.

Of each group and arm (plain, each strategy, a second model) the mean of a score by row: whether the
answer is right; without labels whether it flips; of a regression the absolute error. A group's own
interval is Wilson's (Student's of errors), over clusters where rows share something. The gap of two
groups has Newcombe's interval (1998, method 10), which joins the intervals of both. Clusters may
hold rows of both: there its error is that over draws of whole clusters (bootstrap, from 20 clusters
on) or Cochran's, with Student's t over the clusters. The worst group and the widest gap are chosen
by what they are, so theirs allow for all groups and all pairs (Bonferroni).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...data.groups import BETWEEN, EMPTY, FEWEST, MOST
from ...errors import DataError
from ...readings.heads import valued
from ...shares import Interval
from ..statistics import Mean
from .breakdown import Column
from .slots import Slots
from .tally import RowResult

_CLUSTERS, _DRAWS = 20, 2000  # from how many clusters on so many draws are made
PLAIN = "plain"


@dataclass(frozen=True)
class Group:
    """A group under one arm: its mean score and interval, and how it differs.

    gap: from all other rows. change: arm − plain in the group's own rows, paired; None of `plain`.
    """

    rows: int
    score: float
    ci95: Interval | None
    gap: float | None
    gap_ci95: Interval | None
    change: float | None = None
    change_ci95: Interval | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Group:
        """Read the values that `dataclasses.asdict` and JSON make of one."""
        known: dict[str, Any] = {n: _tuple(v) for n, v in values.items()}
        return cls(**known)


@dataclass(frozen=True)
class Gaps:
    """The groups of a column under one arm, of which those of ten rows or more are set beside.

    worst, best: the groups; worst_score with an interval that allows for all groups. gap: of best
    and worst, with one that allows for all pairs. None where fewer than two groups have ten rows.
    """

    groups: dict[str, Group]
    worst: str | None = None
    worst_score: float | None = None
    worst_ci95: Interval | None = None
    best: str | None = None
    gap: float | None = None
    gap_ci95: Interval | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Gaps:
        """Read the values that `dataclasses.asdict` and JSON make of one."""
        known: dict[str, Any] = {n: _tuple(v) for n, v in values.items() if n != "groups"}
        groups = {name: Group.from_dict(group) for name, group in values["groups"].items()}
        return cls(groups, **known)


@dataclass(frozen=True)
class GroupGaps:
    """A column's groups: by arm, in what measure, and what is to be known of them."""

    measure: str
    arms: dict[str, Gaps]
    notes: tuple[str, ...] = field(default=())

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> GroupGaps:
        """Read the values that `dataclasses.asdict` and JSON make of one."""
        arms = {name: Gaps.from_dict(gaps) for name, gaps in values["arms"].items()}
        return cls(values["measure"], arms, tuple(values["notes"]))


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def crossed(columns: Sequence[str], groups: Mapping[str, str]) -> dict[str, str]:
    """Return the crossing of all columns beside each of them, where there are several.

    >>> crossed(["a", "b"], {"a": "x", "b": "y"})
    {'a': 'x', 'b': 'y', 'a × b': 'x × y'}
    """
    found = {column: groups[column] for column in columns}
    if len(columns) > 1:
        found[BETWEEN.join(columns)] = BETWEEN.join(found.values())
    return found


def checked_groups(columns: Sequence[str], known: Mapping[str, Column]) -> None:
    """Raise DataError where a column has too many values to be groups."""
    for column in columns:
        found = known[column]
        if found.values > MOST and not found.edges:
            raise DataError(
                f"The column {column!r} has {found.values:,} different values, and groups are at "
                f"most {MOST}: name a column with fewer, or give it as what rows share (cluster)."
            )


class GroupSums:
    """The sums of all groups of some columns, and of their crossing."""

    def __init__(
        self, head: str, columns: Sequence[str], known: Mapping[str, Column], labelled: bool
    ) -> None:
        self._columns, self._known = list(columns), dict(known)
        self._free = head == "regression" and labelled
        self.measure = "error" if self._free else "accuracy" if labelled else "flip rate"
        if valued(head) and not labelled:
            self.measure = "value"
        self._bounds: Interval | None = None if self.measure in ("error", "value") else (0, 1)
        self._slots = Slots()
        # column → arm → group → its mean; → its paired change; → slot → group → n, Σ
        self._means: dict[str, dict[str, dict[str, Mean]]] = {}
        self._changes: dict[str, dict[str, dict[str, Mean]]] = {}
        self._cells: dict[str, dict[str, dict[str, dict[str, list[float]]]]] = {}
        self._labels: dict[str, dict[str, set[str]]] = {}
        self._clustered = False
        self._empty: Counter[str] = Counter()

    def add(self, row: RowResult, other: RowResult | None = None, second: str = "") -> None:
        """Count a row, and the answers of a second model to it."""
        scores = self._scores(row)
        if other is not None:
            named = self._scores(other).items()
            scores |= {f"{second}, {arm}" if arm != PLAIN else second: s for arm, s in named}
        slot = None if row.cluster is None else self._slots.of(row.cluster)
        self._clustered |= slot is not None
        binned = {c: self._known[c].group(row.groups[c]) for c in self._columns}
        self._empty.update(c for c, value in binned.items() if value == EMPTY)
        for column, value in crossed(self._columns, binned).items():
            if row.expected is not None and not self._free:
                self._labels.setdefault(column, {}).setdefault(row.expected, set()).add(value)
            for arm, score in scores.items():
                self._mean(self._means, column, arm, value).add(score, slot)
                if arm != PLAIN and PLAIN in scores:
                    change = score - scores[PLAIN]
                    self._mean(self._changes, column, arm, value, True).add(change, slot)
                if slot is not None:
                    cells = self._cells.setdefault(column, {}).setdefault(arm, {})
                    cell = cells.setdefault(slot, {}).setdefault(value, [0.0, 0.0])
                    cell[0] += 1
                    cell[1] += score

    def _mean(
        self,
        table: dict[str, dict[str, dict[str, Mean]]],
        column: str,
        arm: str,
        value: str,
        change: bool = False,
    ) -> Mean:
        bounds = self._bounds
        if change and bounds is not None:
            bounds = (-1, 1)
        groups = table.setdefault(column, {}).setdefault(arm, {})
        return groups.setdefault(value, Mean(bounds))

    def _scores(self, row: RowResult) -> dict[str, float]:
        """Return arm → score of a row; without labels there is none of the plain answer."""
        effects = row.effects.items()
        if self.measure == "flip rate":
            return {name: float(effect.flip) for name, effect in effects}
        if self.measure == "value":
            return {PLAIN: row.probability} | {n: e.probability for n, e in effects}
        if self.measure == "error":
            truth = float(row.expected or 0)
            plain = {PLAIN: abs(row.probability - truth)}
            return plain | {name: abs(e.probability - truth) for name, e in effects}
        right = {PLAIN: float(row.label == row.expected)}
        return right | {name: float(e.label == row.expected) for name, e in effects}

    def result(self) -> dict[str, GroupGaps]:
        """Return column → its groups; the crossing of all columns under both names."""
        return {
            column: GroupGaps(
                self.measure,
                {arm: self._gaps(column, arm) for arm in arms},
                tuple(self._notes(column, next(iter(arms.values())))),
            )
            for column, arms in self._means.items()
        }

    def _gaps(self, column: str, arm: str) -> Gaps:
        means = _in_order(self._means[column][arm])
        drawn = _Drawn(self._cells[column][arm], list(means)) if self._clustered else None
        groups = {
            value: self._group(column, arm, value, mean, means, drawn)
            for value, mean in means.items()
        }
        enough = {value: mean for value, mean in means.items() if mean.n >= FEWEST}
        if len(enough) < 2:
            return Gaps(groups)
        order = sorted(enough, key=lambda v: (enough[v].mean, v), reverse=not self._more_is_better)
        worst, best = order[0], order[-1]
        level = 1 - 0.05 / len(enough)
        spans = [m.interval(level)[0] for m in enough.values()]
        edge = min if self._more_is_better else max
        known = [s for s in spans if s is not None]
        interval = (edge(s[0] for s in known), edge(s[1] for s in known)) if known else None
        pairs = len(enough) * (len(enough) - 1) / 2
        gap_ci95 = _between(enough[best], enough[worst], 1 - 0.05 / pairs)
        if drawn is not None:
            gap_ci95 = drawn.gap([best], [worst], 1 - 0.05 / pairs) or gap_ci95
        return Gaps(
            groups, worst, enough[worst].mean, interval, best,
            enough[best].mean - enough[worst].mean, gap_ci95,
        )  # fmt: skip

    @property
    def _more_is_better(self) -> bool:
        return self.measure in ("accuracy", "value")

    def _group(
        self, column: str, arm: str, value: str, mean: Mean, means: Mapping[str, Mean],
        drawn: _Drawn | None,
    ) -> Group:  # fmt: skip
        gap, interval = None, None
        rest = [other for other in means if other != value]
        if rest:
            others = Mean(self._bounds)
            for other in rest:
                others.merge(means[other])
            gap, interval = mean.mean - others.mean, _between(mean, others, 0.95)
            if drawn is not None:
                interval = drawn.gap([value], rest, 0.95) or interval
        change = self._changes.get(column, {}).get(arm, {}).get(value)
        changed = (None, None) if change is None else (change.mean, change.interval()[0])
        return Group(mean.n, mean.mean, mean.interval()[0], gap, interval, *changed)

    def _notes(self, column: str, groups: Mapping[str, Mean]) -> list[str]:
        said = []
        if len(groups) == 1:
            said.append(f"All rows have one value of {column!r}: there is nothing beside it.")
        few = [value for value, mean in groups.items() if mean.n < FEWEST]
        if few and len(groups) > 1:
            more = f" and {len(few) - 5} more" if len(few) > 5 else ""
            said.append(
                f"Groups of {column!r} with fewer than {FEWEST} rows are never called worst: "
                f"{', '.join(few[:5])}{more}."
            )
        if len(groups) > MOST:
            said.append(
                f"Of {len(groups):,} groups of {column!r} the {MOST} largest are set beside."
            )
        if self._empty[column]:
            said.append(f"{self._empty[column]:,} rows have no {column!r}: they are {EMPTY}.")
        if len(groups) > 1:
            own = self._labels.get(column, {}).items()
            alone = {label: next(iter(values)) for label, values in own if len(values) == 1}
            said += [
                f"The label {label!r} is in the group {value!r} of {column!r} alone: what sets "
                "that group apart may be the label."
                for label, value in sorted(alone.items())[:3]
            ]
        return said


def _in_order(means: Mapping[str, Mean]) -> dict[str, Mean]:
    """Return the groups, the largest first, at most 200 of them."""
    order = sorted(means, key=lambda v: (-means[v].n, v))
    return {value: means[value] for value in order[:MOST]}


def _between(one: Mean, other: Mean, level: float) -> Interval | None:
    """Return the interval of a difference of independent means from those of both (Newcombe)."""
    first, second = one.interval(level)[0], other.interval(level)[0]
    if first is None or second is None:
        return None
    gap = one.mean - other.mean
    low = ((one.mean - first[0]) ** 2 + (second[1] - other.mean) ** 2) ** 0.5
    high = ((first[1] - one.mean) ** 2 + (other.mean - second[0]) ** 2) ** 0.5
    return gap - low, gap + high


class _Drawn:
    """Groups whose rows lie in clusters: gaps over draws of whole clusters."""

    def __init__(self, cells: Mapping[str, Mapping[str, Sequence[float]]], groups: Sequence[str]):
        import numpy as np

        self._place = {group: i for i, group in enumerate(groups)}
        self._sums = np.zeros((len(cells), len(groups), 2))
        for i, own in enumerate(cells.values()):
            for group, cell in own.items():
                if group in self._place:
                    self._sums[i, self._place[group]] = cell
        self._drawn: Any = None

    def gap(self, one: Sequence[str], other: Sequence[str], level: float) -> Interval | None:
        """Return the interval of a difference; None where the draws, or clusters, do not differ."""
        import numpy as np
        from scipy.stats import t

        count = len(self._sums)
        sides = [self._sums[:, [self._place[g] for g in side]].sum(1) for side in (one, other)]
        if count < 2:
            return None
        if count < _CLUSTERS:
            return _of_clusters(sides[0], sides[1], level)
        if self._drawn is None:
            rng = np.random.default_rng(0)
            self._drawn = rng.multinomial(count, np.full(count, 1 / count), _DRAWS)
        totals = [self._drawn @ side for side in sides]  # (draws, 2)
        there = (totals[0][:, 0] > 0) & (totals[1][:, 0] > 0)
        means = [total[there, 1] / total[there, 0] for total in totals]
        whole = [side.sum(0) for side in sides]
        gap = whole[0][1] / whole[0][0] - whole[1][1] / whole[1][0]
        error = float(np.std(means[0] - means[1], ddof=1))
        reach = float(t.ppf((1 + level) / 2, count - 1)) * error
        return (float(gap - reach), float(gap + reach)) if error > 1e-9 else None


def _of_clusters(one: Any, other: Any, level: float) -> Interval | None:
    """Return Student's interval over clusters of a difference of ratios (Cochran 1977)."""
    import numpy as np
    from scipy.stats import t

    count = len(one)
    means = [side[:, 1].sum() / side[:, 0].sum() for side in (one, other)]
    influence = [
        (side[:, 1] - side[:, 0] * mean) / side[:, 0].sum()
        for side, mean in zip((one, other), means, strict=True)
    ]
    squares = np.square(influence[0] - influence[1]).sum()
    error = float(np.sqrt(count / (count - 1) * squares))
    reach, gap = float(t.ppf((1 + level) / 2, count - 1)) * error, float(means[0] - means[1])
    return (gap - reach, gap + reach) if error > 1e-9 else None
