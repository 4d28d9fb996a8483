"""Running sums over the rows of a file: what is kept does not grow with the rows."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ..statistics import bootstrap_of_counts, mcnemar, paired_t
from .chance import ChanceResult, ChanceTally, Interval

BINS = 15  # of confidence, for the expected calibration error
WORST = 20  # rows kept for each strategy
OTHER = "(other)"
_VALUES = 40  # of a column that rows are broken down by
# Of paired values: the first's mean, the second's, the difference, its interval and p-value.
Paired = tuple[float | None, float | None, float | None, Interval | None, float | None]


@dataclass(frozen=True)
class RowEffect:
    """What one strategy does to one row.

    label, probability: the answer to the masked text, and the probability of that label.
    delta: p(masked) − p(plain) of the plain text's label; of a regression the value's change.
    kl: nats, None for a regression. hidden: the types of what is hidden, such as PERSON.
    chance_flips, chance_score: of random masks of the same size the share that flips, and the share
    whose answer is right (of a regression the mean absolute error, without labels the mean value);
    None where none was drawn.
    """

    label: str
    probability: float
    delta: float
    flip: bool
    kl: float | None
    realised_ratio: float
    hidden: tuple[str, ...] = ()
    chance_flips: float | None = None
    chance_score: float | None = None


@dataclass(frozen=True)
class RowResult:
    """One row: the plain answer, and the effect of each strategy. `row` counts from 1.

    expected: the true label (several with commas), a regression's true value as text, or None.
    groups: column → value, of the columns that the rows are broken down by. seed: of its masks.
    """

    row: int
    text: str
    expected: str | None
    label: str
    probability: float
    effects: dict[str, RowEffect]
    groups: dict[str, str] = field(default_factory=dict)
    seed: int | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RowResult:
        """Read the values that `dataclasses.asdict` and JSON make of one."""
        effects = {
            name: RowEffect(**{**effect, "hidden": tuple(effect["hidden"])})
            for name, effect in values["effects"].items()
        }
        return cls(**{**values, "effects": effects})

    def to_dict(self) -> dict[str, Any]:
        """Return one flat record, as a table shows it."""
        record: dict[str, Any] = {
            "row": self.row,
            "seed": self.seed,
            "text": self.text,
            "expected": self.expected,
            "predicted": self.label,
            "probability": self.probability,
            **self.groups,
        }
        for name, effect in self.effects.items():
            values = {**asdict(effect), "hidden": " ".join(effect.hidden)}
            record |= {f"{name}: {key}": value for key, value in values.items()}
        return record


@dataclass(frozen=True)
class StrategyResult:
    """One strategy over all rows; what needs true labels is None without them.

    delta_accuracy: masked − plain, with its 95 % paired bootstrap interval `ci95` and the p-value
    of McNemar's exact test. flip_ci95: interval of the flip rate. mean_kl: nats. mean_delta: mean
    change of the probability of the plain label (of a regression of the value), with its 95 %
    interval `delta_ci95` (Student's t). ece_*: expected calibration error over 15 bins
    of confidence (Guo et al. 2017, https://arxiv.org/abs/1706.04599). Of a regression accuracy is
    the mean absolute error `error_*`, with a paired t interval and p-value. chance: what random
    masks of the same size do to the same rows, None where none were drawn.
    """

    rows: int
    flip_rate: float
    flip_ci95: tuple[float, float]
    accuracy_original: float | None
    accuracy_masked: float | None
    delta_accuracy: float | None
    ci95: tuple[float, float] | None
    p_value: float | None
    mean_kl: float | None
    realised_ratio: float
    mean_delta: float = 0.0
    ece_original: float | None = None
    ece_masked: float | None = None
    error_original: float | None = None
    error_masked: float | None = None
    delta_error: float | None = None
    error_ci95: tuple[float, float] | None = None
    error_p_value: float | None = None
    chance: ChanceResult | None = None
    delta_ci95: tuple[float, float] | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> StrategyResult:
        """Read the values that `dataclasses.asdict` and JSON make of one."""
        names = {f.name for f in fields(cls)}
        known: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k in names
        }
        chance = values.get("chance")
        return cls(**{**known, "chance": chance and ChanceResult.from_dict(chance)})


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

    def error(self) -> float | None:
        """Return the expected calibration error, None before the first answer."""
        total = sum(self.counts)
        gaps = (abs(r - c) for r, c in zip(self.right, self.confidence, strict=True))
        return sum(gaps) / total if total else None


class Tally:
    """The sums of one strategy and of its random masks.

    `head` is what the model's outputs are, see `head_of`.
    """

    def __init__(self, head: str) -> None:
        self.head, self.rows = head, 0
        self.chance = ChanceTally(head == "regression")
        self.flips, self.kl, self.ratio, self.delta, self.squares = 0, 0.0, 0.0, 0.0, 0.0
        self.pairs: Counter[tuple[bool, bool]] = Counter()  # right plain, right masked
        self.plain, self.masked = Calibration(), Calibration()
        self.errors = [0.0] * 4  # Σ plain, Σ masked, Σ difference, Σ difference²

    def add(self, row: RowResult, effect: RowEffect) -> None:
        """Count one row."""
        self.rows += 1
        self.flips += effect.flip
        self.kl += effect.kl or 0.0
        self.ratio += effect.realised_ratio
        self.delta += effect.delta
        self.squares += effect.delta**2
        if effect.chance_flips is not None:
            self.chance.add_flips(effect.chance_flips, effect.flip)
        if row.expected is None:
            if self.head == "regression":
                self._add_chance(row.probability, effect, effect.probability)
            return
        if self.head == "regression":
            self._add_errors(row, effect)
            return
        before, after = row.label == row.expected, effect.label == row.expected
        self.pairs[before, after] += 1
        self._add_chance(before, effect, after)
        if self.head == "single":
            self.plain.add(row.probability, before)
            self.masked.add(effect.probability, after)

    def _add_errors(self, row: RowResult, effect: RowEffect) -> None:
        truth = float(row.expected or 0)
        before, after = abs(row.probability - truth), abs(effect.probability - truth)
        self._add_chance(before, effect, after)
        change = after - before
        for i, value in enumerate((before, after, change, change**2)):
            self.errors[i] += value

    def _add_chance(self, before: float, effect: RowEffect, after: float) -> None:
        if effect.chance_score is not None:
            self.chance.add_score(before, effect.chance_score, after)

    def result(self) -> StrategyResult:
        """Return what the sums say."""
        n = self.rows
        return StrategyResult(
            n,
            self.flips / n,
            bootstrap_of_counts({0.0: n - self.flips, 1.0: self.flips}),
            *accuracies(self.pairs),
            None if self.head == "regression" else self.kl / n,
            self.ratio / n,
            self.delta / n,
            self.plain.error(),
            self.masked.error(),
            *self._errors(),
            self.chance.result(),
            paired_t(n, self.delta, self.squares)[0],
        )

    def _errors(self) -> Paired:
        if self.head != "regression" or not (self.errors[0] or self.errors[1]):
            return (None,) * 5
        n = self.rows
        before, after, change, squares = self.errors
        return before / n, after / n, change / n, *paired_t(n, change, squares)


def accuracies(pairs: Counter[tuple[bool, bool]]) -> Paired:
    """Return accuracy first, second, their difference, its interval and McNemar's p-value.

    `pairs` counts (first right, second right); all are None without any.
    """
    n = pairs.total()
    if not n:
        return (None,) * 5
    lost, won = pairs[True, False], pairs[False, True]
    return (
        (pairs[True, True] + lost) / n,
        (pairs[True, True] + won) / n,
        (won - lost) / n,
        bootstrap_of_counts({-1.0: lost, 0.0: n - lost - won, 1.0: won}),
        mcnemar(lost, won),
    )


class Worst:
    """The rows that one strategy changes most: flips first, then by the size of the change."""

    def __init__(self, size: int = WORST) -> None:
        self.size = size
        self._heap: list[tuple[bool, float, int, RowResult]] = []

    def add(self, row: RowResult, effect: RowEffect) -> None:
        """Keep the row if it is among the worst."""
        item = (effect.flip, abs(effect.delta), -row.row, row)
        if len(self._heap) < self.size:
            heapq.heappush(self._heap, item)
        else:
            heapq.heappushpop(self._heap, item)

    def rows(self) -> list[RowResult]:
        """Return them, the worst first."""
        return [item[-1] for item in sorted(self._heap, key=lambda item: item[:3], reverse=True)]


class Tallies:
    """All sums of a model over a file: per strategy, and per strategy and group."""

    def __init__(self, head: str, strategies: Iterable[str]) -> None:
        self.head, self.names = head, list(strategies)
        self.all = {name: Tally(head) for name in self.names}
        self.worst = {name: Worst() for name in self.names}
        self.groups: dict[str, dict[str, dict[str, Tally]]] = {}

    def add(self, row: RowResult) -> None:
        """Count one row everywhere it belongs."""
        own = {} if self.head == "regression" else {"label": row.expected or row.label}
        for name, effect in row.effects.items():
            self.all[name].add(row, effect)
            self.worst[name].add(row, effect)
            for column, value in (own | row.groups).items():
                self._tally(column, value, name).add(row, effect)
            for kind in set(effect.hidden):
                self._tally("hidden", kind, name).add(row, effect)

    def _tally(self, column: str, value: str, name: str) -> Tally:
        values = self.groups.setdefault(column, {})
        if value not in values and len(values) >= _VALUES:
            value = OTHER
        return values.setdefault(value, {}).setdefault(name, Tally(self.head))

    def results(self) -> dict[str, StrategyResult]:
        """Return the result of each strategy."""
        return {name: tally.result() for name, tally in self.all.items()}

    def group_results(self) -> dict[str, dict[str, dict[str, StrategyResult]]]:
        """Return column → value → strategy → result, the values with most rows first."""
        return {
            column: {
                value: {name: tally.result() for name, tally in tallies.items()}
                for value, tallies in sorted(values.items(), key=_by_rows)
            }
            for column, values in self.groups.items()
        }


def _by_rows(item: tuple[str, dict[str, Tally]]) -> tuple[bool, int, str]:
    value, tallies = item
    return value == OTHER, -max(t.rows for t in tallies.values()), value
