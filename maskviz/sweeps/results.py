"""What a sweep found: each setting over its seeds, beside the plain baseline and its control.

The setting that does best was picked after its figures were seen, so it looks better than it is:
what the finding says of the best of k settings rests on intervals of 1 − 0.05/k (Bonferroni; Dunn
1961, https://doi.org/10.1080/01621459.1961.10482090). Tables give each setting its own 95 %.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import ParameterError
from ..evidence.intervals import difference, mean_interval
from ..training.folder import Run
from ..training.loop.ending import unequal
from .service import Sweep
from .spec import PLAIN, Cell
from .written import change_said, figure_said, number_said, unit_of

Interval = tuple[float, float, float]
WORST = "worst-group accuracy"
# What is measured → the metric on masked and on plain inputs; the first one that a run has counts.
MEASURES = {
    "accuracy": ("accuracy_masked", "accuracy_plain"),
    "accuracy on plain text": ("accuracy_plain",),
    "macro-F1": ("macro_f1_masked", "macro_f1_plain"),
    "accuracy reversed": ("accuracy_reversed_masked", "accuracy_reversed_plain"),
    WORST: ("worst_group_accuracy_masked", "worst_group_accuracy_plain"),
    "reliance": ("reliance_masked", "reliance_plain"),
    "loss": ("loss_masked", "loss_plain"),
}
LOWER_IS_BETTER = ("reliance", "loss")


@dataclass(frozen=True)
class Group:
    """One setting over its seeds.

    values: seed → figure of the runs that are done. interval: (mean, low, high), Student's t over
    seeds, within what the measure can be. plain, control: seed → figure of the plain baseline and
    of its random control, empty where it has none. realised: share of words hidden.
    """

    strategy: str
    operator: str
    ratio: float | None
    role: str
    realised: float
    values: Mapping[int, float]
    interval: Interval
    plain: Mapping[int, float] = field(default_factory=dict)
    control: Mapping[int, float] = field(default_factory=dict)

    @property
    def against_plain(self) -> Interval | None:
        """Its figures − the plain ones, paired by seed; None where nothing pairs."""
        return _paired(self.plain, self.values)

    @property
    def against_control(self) -> Interval | None:
        """Its figures − those of its control, paired by seed; None where nothing pairs."""
        return _paired(self.control, self.values)

    @property
    def name(self) -> str:
        """The setting as a person says it."""
        return _name(self.role, self.strategy, self.operator, self.ratio, self.realised)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values."""
        return {
            "strategy": self.strategy, "operator": self.operator, "ratio": self.ratio,
            "role": self.role, "realised_ratio": self.realised,
            "values": {str(seed): value for seed, value in self.values.items()},
            "mean": self.interval[0], "ci95": list(self.interval[1:]),
            "against_plain": _listed(self.against_plain),
            "against_control": _listed(self.against_control),
        }  # fmt: skip


def name_of(sweep: Sweep, cell: Cell) -> str:
    """Return a cell's setting as a person says it."""
    return _name(cell.role, *cell.setting, _realised(sweep, cell))


def _name(role: str, strategy: str, operator: str, ratio: float | None, realised: float) -> str:
    if role == "plain":
        return "plain"
    if role == "control":  # its ratio says little: at least a word of each row is hidden
        return f"random control, {realised:.1%}, {operator}"
    return f"{strategy}{'' if ratio is None else f' {ratio:.3g}'}, {operator}"


def _listed(interval: Interval | None) -> list[float] | None:
    return None if interval is None else list(interval)


@dataclass(frozen=True)
class Results:
    """All groups of a sweep under one measure; `plain` is None for the task mlm.

    early: a sentence on runs that ended before their steps, which makes them unlike the others.
    """

    measure: str
    groups: tuple[Group, ...]
    seeds: int
    early: str = ""

    @property
    def plain(self) -> Group | None:
        """The plain baseline."""
        return next((g for g in self.groups if g.role == "plain"), None)

    @property
    def grid(self) -> tuple[Group, ...]:
        """What was asked for, without baseline and controls."""
        return tuple(g for g in self.groups if g.role == "grid")

    @property
    def finding(self) -> str:
        """Say which setting does best, and whether it differs from plain and from its control."""
        return f"{_finding(self)} {self.early}".strip()


def measures(sweep: Sweep) -> list[str]:
    """Return what can be measured of a sweep: of groups only where columns name them."""
    grouped = bool(sweep.spec.base.data.group_columns)
    return [name for name in MEASURES if grouped or name != WORST]


def results(sweep: Sweep, measure: str = "accuracy") -> Results:
    """Return the figures of the cells that are done; raises ParameterError without groups.

    >>> results(load_sweep("ratio-1a2b3c4d")).finding           # doctest: +SKIP
    'attribute 0.15, mask has the highest mean of 6 settings: accuracy 84.1 % ...'
    """
    if measure not in measures(sweep):
        raise ParameterError(
            f"The measure {measure!r} needs groups, and this sweep names none: start one with "
            "--set group_columns=COLUMN."
        )
    runs = sweep.runs()
    values: dict[tuple[str, str, float | None], dict[int, float]] = {}
    for cell in sweep.cells:
        own = values.setdefault(cell.setting, {})
        found = figure_of(runs[cell], measure)
        if found is not None:
            own[cell.seed] = found
    plain = values.get((PLAIN, "mask", None), {})
    first = {cell.setting: cell for cell in reversed(sweep.cells)}
    groups = []
    for setting, cell in sorted(first.items(), key=lambda item: _order(sweep, item[1])):
        control = sweep.control_of(cell)
        groups.append(
            Group(
                *setting, role=cell.role, realised=_realised(sweep, cell),
                values=values[setting], interval=_possible(values[setting], measure),
                plain={} if cell.role == "plain" else plain,
                control=values[control] if control else {},
            )
        )  # fmt: skip
    early = unequal([run for run in runs.values() if run is not None])
    return Results(measure, tuple(groups), sweep.spec.seeds, early)


def bounds(measure: str) -> tuple[float, float]:
    """Return the least and the most that a measure can be."""
    if measure == "loss":
        return 0.0, math.inf
    return (-1.0 if measure == "reliance" else 0.0), 1.0


def _possible(values: Mapping[int, float], measure: str) -> Interval:
    """Return the mean with its interval; that of few seeds would reach beyond what can be."""
    mean, low, high = mean_interval(list(values.values()))
    least, most = bounds(measure)
    return (mean, low, high) if low != low else (mean, max(low, least), min(high, most))


def _order(sweep: Sweep, cell: Cell) -> tuple[Any, ...]:
    role = ("plain", "grid", "control").index(cell.role)
    place = sweep.spec.strategies.index(cell.strategy) if role == 1 else 0
    return role, place, cell.operator, cell.ratio or 0.0


def _realised(sweep: Sweep, cell: Cell) -> float:
    if cell.setting in sweep.controls:
        return sweep.controls[cell.setting].realised
    served = [c.realised for c in sweep.controls.values() if c.ratio == cell.ratio]
    return served[0] if cell.role == "control" and served else cell.ratio or 0.0


def figure_of(run: Run | None, measure: str) -> float | None:
    """Return a run's figure, on inputs as it was trained; None while it is not done."""
    if run is None or run.state != "done":
        return None
    return next((run.metrics[k] for k in MEASURES[measure] if k in run.metrics), None)


def _paired(
    first: Mapping[int, float], second: Mapping[int, float], settings: int = 1
) -> Interval | None:
    """Return second − first over the seeds of both, for the best of so many settings."""
    both = sorted(set(first) & set(second))
    if not both:
        return None
    return difference([first[s] for s in both], [second[s] for s in both], 1 - 0.05 / settings)


def _finding(found: Results) -> str:
    rated = [g for g in found.grid if g.values]
    if not rated:
        alone = found.plain is not None and bool(found.plain.values)
        return "Only plain text is finished yet." if alone else "No cell is finished yet."
    pick = min if found.measure in LOWER_IS_BETTER else max
    best = pick(rated, key=lambda g: g.interval[0])
    plain = found.plain.interval[0] if found.plain and found.plain.values else math.nan
    where = " that hide words" if pick(plain, best.interval[0]) == plain else ""
    lowest = "lowest" if pick is min else "highest"
    of = f" of {len(rated)} settings"
    lead = f"{best.name} has the {lowest} mean{of}{where}" if len(rated) > 1 else best.name
    said = f"{lead}: {found.measure} {_with_interval(found.measure, best)}"
    count = len(rated)
    parts = [
        _other_ratios(rated, best),
        _against("plain", _paired(best.plain, best.values, count), found),
        _against("its random control", _paired(best.control, best.values, count), found),
    ]
    return "; ".join([said, *filter(None, parts)]) + "."


def _other_ratios(rated: Sequence[Group], best: Group) -> str:
    """Say which other ratios of the best strategy do as well, as far as can be told."""
    same = (best.strategy, best.operator)
    others = [g for g in rated if g is not best and (g.strategy, g.operator) == same]
    as_good, told = [], 0
    for group in sorted(others, key=lambda g: g.ratio or 0.0):
        interval = _paired(best.values, group.values, len(rated))
        if interval is None or interval[1] != interval[1]:
            continue
        told += 1
        if interval[1] <= 0 <= interval[2]:
            as_good.append("its own" if group.ratio is None else f"{group.ratio:.3g}")
    if not told:
        return ""
    if not as_good:
        return "every other ratio does worse" if told == len(others) else ""
    return f"the ratio{'s' * (len(as_good) > 1)} {', '.join(as_good)} cannot be told from it"


def _against(name: str, interval: Interval | None, found: Results) -> str:
    if interval is None:
        return ""
    mean, low, high = interval
    if low != low:
        return f"{change_said(found.measure, mean)} against {name}, of too few seeds to tell"
    least, most = bounds(found.measure)
    low, high = max(low, least - most), min(high, most - least)
    settings = sum(1 for group in found.grid if group.values)
    best_of = f", as the best of {settings}" if settings > 1 else ""
    ends = (number_said(found.measure, end, signed=True) for end in (low, high))
    limits = f"({' to '.join(ends)}{best_of})"
    if low <= 0 <= high:
        return f"no difference from {name} can be told {limits}"
    return f"{change_said(found.measure, mean)} against {name} {limits}"


def _with_interval(measure: str, group: Group) -> str:
    mean, low, high = group.interval
    said = figure_said(measure, mean)
    if low != low:
        return said
    if high - low < 1e-9:  # Student's t says nothing of seeds that do not differ
        return f"{said} (in each of {len(group.values)} seeds)"
    written = figure_said if unit_of(measure) == "%" else number_said
    ends = f"{written(measure, low)} to {written(measure, high)}"
    return f"{said} ({ends}, {len(group.values)} seeds)"
