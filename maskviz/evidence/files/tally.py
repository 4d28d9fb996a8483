"""Running sums over the rows of a file: what is kept does not grow with the rows."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from ...readings.heads import valued
from ...shares import wilson
from ..statistics import Mean
from .answers import Calibration, Compared, Paired
from .breakdown import LARGEST, OTHER, WORST_VALUES, Column, shown_values
from .chance import ChanceResult, ChanceTally, beside_each_other

WORST = 20  # rows kept for each strategy


@dataclass(frozen=True)
class RowEffect:
    """What one strategy does to one row.

    label, probability: the answer to the masked text, and the probability of that label.
    delta: p(masked) − p(plain) of the plain text's label; of a regression the value's change.
    kl: nats, None for a regression. hidden: the types of what is hidden, such as PERSON;
    hidden_words: what is hidden, in the order of the text. roles: who says what is hidden in a
    conversation, None of a plain text.
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
    roles: tuple[str, ...] | None = None
    hidden_words: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RowEffect:
        """Read the values that `dataclasses.asdict` and JSON make of one."""
        roles = values.get("roles")
        read = {name: tuple(values.get(name, ())) for name in ("hidden", "hidden_words")}
        return cls(**{**values, **read, "roles": roles and tuple(roles)})

    def to_dict(self) -> dict[str, Any]:
        """Return a flat record, as a table shows it."""
        values = asdict(self) | {
            "hidden": " ".join(self.hidden), "hidden_words": " | ".join(self.hidden_words),
        }  # fmt: skip
        roles = values.pop("roles")
        return values if roles is None else {**values, "roles": " ".join(roles)}


@dataclass(frozen=True)
class RowResult:
    """One row: the plain answer, and the effect of each strategy. `row` counts from 1.

    expected: the true label (several with commas), a regression's true value as text, or None.
    groups: column → value, of the columns that the rows are broken down by. seed: of its masks.
    cluster: what the row shares with others, None where it stands for itself. conversation: whose
    contents the text is, as `read_conversation` takes it; None of a plain text.
    """

    row: int
    text: str
    expected: str | None
    label: str
    probability: float
    effects: dict[str, RowEffect]
    groups: dict[str, str] = field(default_factory=dict)
    seed: int | None = None
    cluster: str | None = None
    conversation: dict[str, Any] | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RowResult:
        """Read the values that `dataclasses.asdict` and JSON make of one."""
        effects = {n: RowEffect.from_dict(effect) for n, effect in values["effects"].items()}
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
            **({} if self.cluster is None else {"cluster": self.cluster}),
        }
        for name, effect in self.effects.items():
            record |= {f"{name}: {key}": value for key, value in effect.to_dict().items()}
        return record


@dataclass(frozen=True)
class StrategyResult:
    """One strategy over all rows; what needs true labels is None without them.

    delta_accuracy: masked − plain, with its 95 % interval `ci95` (Tango's score interval) and the
    p-value of McNemar's exact test. flip_ci95: Wilson's interval of the flip rate. mean_kl: nats.
    mean_delta: mean change of the probability of the plain label (of a regression of the value),
    with its 95 % interval `delta_ci95` (Student's t). ece_*: expected calibration error over 15
    bins of confidence (Guo et al. 2017, https://arxiv.org/abs/1706.04599). Of a regression accuracy
    is the mean absolute error `error_*`, with a paired t interval and p-value. chance: what random
    masks of the same size do to the same rows, None where none were drawn. Where rows share a
    cluster all is over the `clusters`, so many; an interval of a single one is None. rows_hiding:
    in how many rows anything is hidden.
    """

    rows: int
    flip_rate: float
    flip_ci95: tuple[float, float] | None
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
    clusters: int | None = None
    rows_hiding: int | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> StrategyResult:
        """Read the values that `dataclasses.asdict` and JSON make of one."""
        names = {f.name for f in fields(cls)}
        known: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k in names
        }
        chance = values.get("chance")
        return cls(**{**known, "chance": chance and ChanceResult.from_dict(chance)})


class Tally:
    """The sums of one strategy and of its random masks.

    `head` is what the model's outputs are, see `head_of`.
    """

    def __init__(self, head: str) -> None:
        self.head = head
        self.chance = ChanceTally(valued(head))
        self.kl, self.ratio, self.hiding = 0.0, 0.0, 0
        self.flips, self.delta = Mean((0, 1)), Mean(None if valued(head) else (-1, 1))
        self.pairs = Paired()
        self.plain, self.masked = Calibration(), Calibration()
        self.errors = [0.0] * 2  # Σ plain, Σ masked
        self.change = Mean()  # of the error

    @property
    def rows(self) -> int:
        """How many rows were counted."""
        return self.flips.n

    def add(self, row: RowResult, effect: RowEffect) -> None:
        """Count one row."""
        self.flips.add(float(effect.flip), row.cluster)
        self.kl += effect.kl or 0.0
        self.ratio += effect.realised_ratio
        self.hiding += effect.realised_ratio > 0
        self.delta.add(effect.delta, row.cluster)
        if effect.chance_flips is not None:
            self.chance.add_flips(effect.chance_flips, effect.flip, row.cluster)
        if row.expected is None:
            if valued(self.head):
                self._add_chance(row.probability, effect, effect.probability, row.cluster)
            return
        if self.head == "regression":
            self._add_errors(row, effect)
            return
        before, after = row.label == row.expected, effect.label == row.expected
        self.pairs.add(before, after, row.cluster)
        self._add_chance(before, effect, after, row.cluster)
        if self.head == "single":
            self.plain.add(row.probability, before)
            self.masked.add(effect.probability, after)

    def merge(self, other: Tally) -> None:
        """Count the rows of another one too."""
        self.kl += other.kl
        self.hiding += other.hiding
        self.ratio += other.ratio
        self.errors = [a + b for a, b in zip(self.errors, other.errors, strict=True)]
        self.chance.merge(other.chance)
        self.flips.merge(other.flips)
        self.delta.merge(other.delta)
        self.change.merge(other.change)
        self.pairs.merge(other.pairs)
        self.plain.merge(other.plain)
        self.masked.merge(other.masked)

    def _add_errors(self, row: RowResult, effect: RowEffect) -> None:
        truth = float(row.expected or 0)
        before, after = abs(row.probability - truth), abs(effect.probability - truth)
        self._add_chance(before, effect, after, row.cluster)
        self.errors = [self.errors[0] + before, self.errors[1] + after]
        self.change.add(after - before, row.cluster)

    def _add_chance(
        self, before: float, effect: RowEffect, after: float, cluster: str | None
    ) -> None:
        if effect.chance_score is not None:
            self.chance.add_score(before, effect.chance_score, after, cluster)

    @property
    def badness(self) -> float:
        """How bad the masked answers are beyond doubt: a group of few rows is never the worst.

        The share of wrong answers that is sure at 95 %; without labels of flips; of a regression
        the mean error, where more than one row has one.
        """
        if self.change.n > 1:
            return self.errors[1] / self.change.n
        right, counted = self.pairs.right
        wrong, n = (counted - right, counted) if counted else (round(self.flips.total), self.rows)
        return wilson(wrong, n)[0]

    def result(self) -> StrategyResult:
        """Return what the sums say."""
        n = self.rows
        return StrategyResult(
            n,
            self.flips.mean,
            self.flips.interval()[0],
            *self.pairs.result(),
            None if valued(self.head) else self.kl / n,
            self.ratio / n,
            self.delta.mean,
            self.plain.error(),
            self.masked.error(),
            *self._errors(),
            self.chance.result(),
            self.delta.interval()[0],
            self.flips.units if self.flips.clustered else None,
            self.hiding,
        )

    def _errors(self) -> Compared:
        n = self.change.n
        if not n:
            return (None,) * 5
        before, after = self.errors
        return before / n, after / n, self.change.mean, *self.change.interval()


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
    """All sums of a model over a file: per strategy, and per strategy and group.

    columns: what is known of the values of the columns that rows are broken down by.
    """

    def __init__(
        self, head: str, strategies: Iterable[str], columns: Mapping[str, Column] | None = None
    ) -> None:
        self.head, self.names = head, list(strategies)
        self.all = {name: Tally(head) for name in self.names}
        self.worst = {name: Worst() for name in self.names}
        self.groups: dict[str, dict[str, dict[str, Tally]]] = {}
        self._columns = dict(columns or {})

    def add(self, row: RowResult) -> None:
        """Count one row everywhere it belongs."""
        own = {} if valued(self.head) else {"label": row.expected or row.label}
        for name, effect in row.effects.items():
            self.all[name].add(row, effect)
            self.worst[name].add(row, effect)
            for column, value in (own | row.groups).items():
                known = self._columns.get(column)
                self._tally(column, known.group(value) if known else value, name).add(row, effect)
            for kind in set(effect.hidden):
                self._tally("hidden", kind, name).add(row, effect)
            for role in effect.roles or ():
                self._tally("hidden role", role, name).add(row, effect)

    def _tally(self, column: str, value: str, name: str) -> Tally:
        values = self.groups.setdefault(column, {})
        return values.setdefault(value, {}).setdefault(name, Tally(self.head))

    def results(self) -> dict[str, StrategyResult]:
        """Return the result of each strategy."""
        (found,) = _beside_each_other([self.all])
        return found

    def group_results(self) -> dict[str, dict[str, dict[str, StrategyResult]]]:
        """Return column → value → strategy → result, in order or the largest first.

        Of many values those with most rows and the worst are kept, the others folded into one.
        """
        found = {}
        for column, values in self.groups.items():
            shown, folded = self._shown(column)
            kept = {value: values[value] for value in shown}
            if folded:
                kept[OTHER] = self._folded([values[value] for value in folded])
            found[column] = dict(zip(kept, _beside_each_other(list(kept.values())), strict=True))
        return found

    def _shown(self, column: str) -> tuple[list[str], list[str]]:
        values = self.groups[column]
        rows = {value: max(t.rows for t in tallies.values()) for value, tallies in values.items()}
        bad = {v: max(t.badness for t in tallies.values()) for v, tallies in values.items()}
        return shown_values(rows, bad, self._columns.get(column))

    def _folded(self, groups: Iterable[dict[str, Tally]]) -> dict[str, Tally]:
        merged: dict[str, Tally] = {}
        for tallies in groups:
            for name, tally in tallies.items():
                merged.setdefault(name, Tally(self.head)).merge(tally)
        return merged

    def notes(self) -> list[str]:
        """Return a sentence for each column of which not every value is shown by itself."""
        said = []
        for column in self.groups:
            known, (shown, folded) = self._columns.get(column), self._shown(column)
            said += [known.note(column)] if known and known.edges else []
            if folded:
                beyond = known.values - len(shown) if known else len(folded)
                said.append(
                    f"By {column!r}: the {LARGEST} values with most rows and the {WORST_VALUES} "
                    f"worst stand for themselves, {beyond:,} others are folded into {OTHER}."
                )
        return said


def _beside_each_other(tables: Sequence[Mapping[str, Tally]]) -> list[dict[str, StrategyResult]]:
    """Return the results of tallies that stand on one screen, their verdicts allowing for all."""
    found = [{name: tally.result() for name, tally in table.items()} for table in tables]
    told = iter(beside_each_other(r.chance for results in found for r in results.values()))
    return [{n: replace(r, chance=next(told)) for n, r in results.items()} for results in found]
