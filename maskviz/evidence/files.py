"""A file at a time: what each strategy changes over all its rows, in constant memory."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

from ..data.rows import iter_rows
from ..errors import DataError, MaskError, TextError, UnknownNameError
from ..masks.choose import mask as choose_mask
from ..masks.expression import is_expression, needs
from ..masks.mask import Mask, MaskSpan
from ..masks.operators import OPERATORS, apply
from ..masks.registry import STRATEGIES
from ..models.model import Model, load_model
from ..models.predict import chosen_labels, head_of
from ..text.pipelines import BUNDLED, annotated
from .reading import answers_of, checked_long, encodings_of
from .rows import (
    FileCheck,
    Row,
    check_file,
    cut_note,
    joined,
    label_matcher,
    notes,
    usable_rows,
    why_left_out,
)
from .statistics import divergence
from .tally import RowEffect, RowResult, StrategyResult, Tallies, accuracies

__all__ = ["FileComparison", "StrategyResult", "compare_file", "label_matcher"]

_ROWS_AT_ONCE = 64
Masked = tuple[Row, list[Mask], list[Any]]  # a row, its masks, and its encodings by each model
Groups = dict[str, dict[str, dict[str, StrategyResult]]]


@dataclass(frozen=True)
class Beside:
    """A second model over the same rows and masks.

    agreement: share of rows on which both give the same answer to the plain text. paired: for
    `plain` and each strategy accuracy of the first, of the second, second − first with its 95 %
    paired bootstrap interval, and McNemar's p-value; empty without labels.
    """

    model: str
    strategies: dict[str, StrategyResult]
    agreement: float
    paired: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class FileComparison:
    """What each strategy changes over a file; `notes` say what was left out.

    groups: column → value → strategy → result; `label` is the true label (the predicted one
    without labels), `hidden` the type of what was hidden. worst: strategy → the rows that change
    most. complete: whether every row was read.
    """

    rows: int
    model: str
    operator: str
    strategies: dict[str, StrategyResult]
    worst: dict[str, list[RowResult]] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    groups: Groups = field(default_factory=dict, repr=False)
    beside: Beside | None = None
    complete: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values; the keys are the command line's."""
        return {**asdict(self), "notes": list(self.notes)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FileComparison:
        """Read a result back that was written as JSON."""
        given = dict(values)
        given["strategies"] = _strategies(given["strategies"])
        given["notes"] = tuple(given["notes"])
        given["groups"] = {
            column: {value: _strategies(results) for value, results in found.items()}
            for column, found in given["groups"].items()
        }
        given["worst"] = {n: [_row(r) for r in rows] for n, rows in given["worst"].items()}
        if given["beside"]:
            other = given["beside"]
            paired = {
                name: {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
                for name, values in other["paired"].items()
            }
            read = {"strategies": _strategies(other["strategies"]), "paired": paired}
            given["beside"] = Beside(**{**other, **read})
        return cls(**given)


def _strategies(values: Mapping[str, Any]) -> dict[str, StrategyResult]:
    return {name: StrategyResult.from_dict(result) for name, result in values.items()}


def _row(values: Mapping[str, Any]) -> RowResult:
    effects = {
        n: RowEffect(**{**e, "hidden": tuple(e["hidden"])}) for n, e in values["effects"].items()
    }
    return RowResult(**{**values, "effects": effects})


def compare_file(
    source: str | Path | bytes,
    strategies: Iterable[str] | Mapping[str, Mapping[str, Any]],
    *,
    text_column: str,
    label_column: str | None = None,
    model: Model | str = "mini",
    operator: str = "mask",
    ratio: float | None = None,
    seed: int = 0,
    name: str | None = None,
    by: Sequence[str] = (),
    beside: Model | str | None = None,
    long: str = "cut",
    limit: int | None = None,
    each: Callable[[RowResult], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> FileComparison:
    """Classify every row plain and masked by each strategy.

    `strategies` names them, or maps each to its parameters. `by` are columns to break the result
    down by, `beside` is a second model for the same rows and masks, `limit` takes the first rows
    only. `each` gets every row's result, `progress` the rows done and the rows in all; where
    `stop` says so, the result is that of the rows so far. Rows without a word or a label, and
    rows a strategy hides whole, are left out and counted in `notes`. Raises DataError before
    anything runs where a column is missing or its labels are not the model's.
    """
    work = FileWork(
        source, strategies, text_column=text_column, label_column=label_column, model=model,
        operator=operator, ratio=ratio, seed=seed, name=name, by=by, beside=beside, long=long,
        limit=limit,
    )  # fmt: skip
    for rows in work.steps():
        for row in rows:
            if each:
                each(row)
        if progress:
            progress(work.done, work.total)
        if stop and stop():
            break
    return work.result()


class FileWork:
    """A comparison over a file on its way: checked, run in steps, with a result at any time."""

    def __init__(
        self,
        source: str | Path | bytes,
        strategies: Iterable[str] | Mapping[str, Mapping[str, Any]],
        *,
        text_column: str,
        label_column: str | None = None,
        model: Model | str = "mini",
        operator: str = "mask",
        ratio: float | None = None,
        seed: int = 0,
        name: str | None = None,
        by: Sequence[str] = (),
        beside: Model | str | None = None,
        long: str = "cut",
        limit: int | None = None,
        patience: float | None = None,
    ) -> None:
        """Check everything that can be checked without asking the model.

        `patience` ends a step early after so many seconds of choosing masks.
        """
        self.models = [load_model(m) for m in (model, beside) if m is not None]
        asked = strategies if isinstance(strategies, Mapping) else {s: {} for s in strategies}
        if not asked:
            raise DataError("No strategy is chosen: name at least one, such as random,entity.")
        if operator not in OPERATORS:
            raise UnknownNameError.of("operator", operator, OPERATORS)
        for loaded in self.models:
            loaded.require("classify")
        self._notes = _same_task(self.models)
        self.jobs = {
            key: masking_job(key, given, ratio, self.models[0]) for key, given in asked.items()
        }
        self._pipelines = {
            str(given.get("pipeline") or BUNDLED)
            for key, given in asked.items()
            if "pipeline" in needs(key)
        }
        self.operator, self.seed, self.long = operator, seed, checked_long(long)
        for loaded in self.models:  # a model without a mask token says so now, not on the way
            apply(Mask("one word", (MaskSpan(0, 3),)), operator, loaded)
        self._source, self._name, self._limit = source, name, limit
        self._patience = patience
        self._columns = (text_column, label_column, tuple(by))
        self.check: FileCheck = check_file(
            source, self.models[0], text_column, label_column, tuple(by), name
        )
        if not self.check.usable:
            raise DataError(
                "No row of the file can be compared: "
                f"{' '.join(self.check.notes) or 'it has no rows.'}"
            )
        self.total = min(self.check.usable, limit or self.check.usable)
        self.done = 0
        self.tallies = [Tallies(head_of(m.config), self.jobs) for m in self.models]
        self._left_out: dict[str, list[int]] = {}
        self._cut: list[int] = []
        self._agree: Counter[bool] = Counter()
        self._paired: dict[str, Counter[tuple[bool, bool]]] = {}

    def steps(self) -> Iterator[list[RowResult]]:
        """Compare 64 rows at a time; yield the first model's results of each step."""
        text, label, by = self._columns
        rows = iter_rows(self._source, self._name)
        usable = usable_rows(rows, self.models[0], text, label, by, self._left_out)
        usable = annotated(islice(usable, self._limit), attrgetter("text"), self._pipelines)
        while kept := self._masked(usable):
            yield self._compare([row for row in kept if row is not None])

    @property
    def tallied(self) -> int:
        """How many rows the sums hold so far."""
        return next(iter(self.tallies[0].all.values())).rows

    def _compare(self, kept: list[Masked]) -> list[RowResult]:
        if not kept:
            return []
        sides = [self._read(model, kept) for model in self.models]
        for tallies, results in zip(self.tallies, sides, strict=True):
            for result in results:
                tallies.add(result)
        if len(sides) == 2:
            for one, other in zip(*sides, strict=True):
                self._pair(one, other)
        return sides[0]

    def _masked(self, rows: Iterator[Row]) -> list[Masked | None]:
        """Choose and apply the masks of the next rows; None stands for one that is left out."""
        found: list[Masked | None] = []
        begin = time.monotonic()
        for row in islice(rows, _ROWS_AT_ONCE):
            found.append(self._masked_row(row))
            self.done += 1
            if self._patience is not None and time.monotonic() - begin > self._patience:
                break
        return found

    def _masked_row(self, row: Row) -> Masked | None:
        try:
            masks = [job(row.text, self.seed) for job in self.jobs.values()]
            sides = [self._pieces(model, row.text, masks) for model in self.models]
        except (TextError, MaskError) as error:
            self._left_out.setdefault(why_left_out(error, row.text), []).append(row.number)
            return None
        if sides[0][0][0].truncated_at is not None:
            self._cut.append(row.number)
        return row, masks, sides

    def _pieces(self, model: Model, text: str, masks: list[Mask]) -> list[Any]:
        plain = encodings_of(Mask(text), "attention", model, self.long)
        return [plain, *(encodings_of(m, self.operator, model, self.long) for m in masks)]

    def _read(self, model: Model, kept: list[Masked]) -> list[RowResult]:
        side = self.models.index(model)
        answers = answers_of(model, [p for _, _, pieces in kept for p in pieces[side]])
        width = 1 + len(self.jobs)
        return [
            _result(row, masks, self.models[0], answers.probabilities[i * width :], self.jobs)
            for i, (row, masks, _) in enumerate(kept)
        ]

    def _pair(self, one: RowResult, other: RowResult) -> None:
        self._agree[one.label == other.label] += 1
        if one.expected is None or self.tallies[0].head == "regression":
            return
        answers = {"plain": (one.label, other.label)} | {
            name: (one.effects[name].label, other.effects[name].label) for name in self.jobs
        }
        for name, (first, second) in answers.items():
            counts = self._paired.setdefault(name, Counter())
            counts[first == one.expected, second == one.expected] += 1

    def result(self) -> FileComparison:
        """Return what the rows so far say; raises DataError where there are none."""
        first, rows = self.tallies[0], self.tallied
        cut = cut_note(self._cut, self.models[0])
        left_out = [*self._notes, *notes(self._left_out), *cut]
        if not rows:
            raise DataError(f"No row of the file can be compared: {' '.join(left_out)}")
        complete = self.done >= self.total
        if not complete:
            left_out.append(f"These are the first {self.done:,} of {self.total:,} rows.")
        return FileComparison(
            rows,
            self.models[0].name,
            self.operator,
            first.results(),
            {name: worst.rows() for name, worst in first.worst.items()},
            tuple(left_out),
            first.group_results(),
            self._beside(),
            complete,
        )

    def _beside(self) -> Beside | None:
        if len(self.models) == 1:
            return None
        keys = ("accuracy_first", "accuracy_second", "delta_accuracy", "ci95", "p_value")
        return Beside(
            self.models[1].name,
            self.tallies[1].results(),
            self._agree[True] / self._agree.total(),
            {n: dict(zip(keys, accuracies(c), strict=True)) for n, c in self._paired.items()},
        )


Job = Callable[[str, int], Mask]


def masking_job(
    strategy: str, parameters: Mapping[str, Any], ratio: float | None, model: Model
) -> Job:
    """Return what masks one text; the strategy's own ratio counts for exhaustive ones."""
    given = dict(parameters)
    if is_expression(strategy):
        given.setdefault("model", model.name)
        return lambda text, seed: choose_mask(text, strategy, ratio=ratio, seed=seed, **given)
    entry = STRATEGIES[strategy]
    if any(p.name == "model" for p in entry.parameters):
        given.setdefault("model", model.name)
    share = given.pop("ratio", None if entry.kind == "exhaustive" else ratio)
    return lambda text, seed: choose_mask(text, strategy, ratio=share, seed=seed, **given)


def _same_task(models: Sequence[Model]) -> list[str]:
    """Return a note where two models name their labels differently; refuse different tasks."""
    if len(models) == 1 or models[0].labels == models[1].labels:
        return []
    one, other = models
    named = f"{one.name!r} ({', '.join(one.labels)}) and {other.name!r} ({', '.join(other.labels)})"
    if len(one.labels) != len(other.labels) or head_of(one.config) != head_of(other.config):
        raise DataError(f"The labels of {named} differ: compare two models of the same task.")
    return [f"The labels of {named} are taken as the same, in this order."]


def _result(
    row: Row, masks: list[Mask], model: Model, probabilities: Any, names: Iterable[str]
) -> RowResult:
    """Return one row's result from its answers (1 + masks, labels): plain first, then each mask."""
    head, plain = head_of(model.config), probabilities[0]
    index = 0 if head == "regression" else int(plain.argmax())
    before = chosen_labels(model, plain)
    effects = {}
    for name, mask, masked in zip(names, masks, probabilities[1:], strict=False):
        after = chosen_labels(model, masked)
        effects[name] = RowEffect(
            joined(model, after),
            float(masked[0] if head == "regression" else masked.max()),
            float(masked[index] - plain[index]),
            after != before,
            divergence(head, plain, masked),
            mask.realised_ratio,
            tuple(sorted({span.label for span in mask.spans if span.label})),
        )
    label = joined(model, before)
    return RowResult(
        row.number, row.text, row.expected, label, float(plain[index]), effects, row.groups
    )
