"""A file at a time: what each strategy changes over all its rows, in constant memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from ...data.label_map import LabelMap
from ...data.rows import iter_rows
from ...errors import DataError
from ...models.model import Model
from ...readings.question import Question, Spec
from ..kept import file_said, kept
from ..on_ray import OnRay, travels
from .answers import Paired
from .chance import checked_draws, draws_for
from .conversations import json_of_each, refuse_turns
from .file_result import Beside, FileComparison, Step
from .groups import GroupSums, checked_groups
from .marked import check_marks, require_column
from .reader import FilePlan
from .rows import (
    FileCheck,
    NoLabels,
    Row,
    check_file,
    cut_note,
    label_reader,
    notes,
    usable_rows,
)
from .said import nothing_hidden, same_task
from .taken import AT_ONCE
from .tally import RowResult, StrategyResult, Tallies

__all__ = ["FileComparison", "StrategyResult", "compare_file", "label_reader"]

_BLOCK = 4 * AT_ONCE  # rows that go to a cluster's worker together


def compare_file(
    source: str | Path | bytes,
    strategies: Iterable[str] | Mapping[str, Mapping[str, Any]],
    *,
    text_column: str,
    label_column: str | None = None,
    model: Model | str | Question = "mini",
    operator: str = "mask",
    ratio: float | None = None,
    seed: int = 0,
    name: str | None = None,
    by: Sequence[str] = (),
    cluster: str | None = None,
    beside: Model | str | None = None,
    long: str = "cut",
    limit: int | None = None,
    draws: int | None = None,
    question: Spec = "labels",
    conversations: bool = False,
    answer_column: str | None = None,
    label_map: LabelMap | None = None,
    group_columns: Sequence[str] = (),
    spans_column: str | None = None,
    engine: OnRay | None = None,
    keep: str | Path | None = None,
    each: Callable[[RowResult], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
    note: Callable[[str], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> FileComparison:
    """Ask about every row plain and masked by each strategy.

    `strategies` names them, or maps each to its parameters; row i takes the seed + i − 1. `by` are
    columns to break the result down by, `cluster` one with what rows share (intervals and tests are
    then over its values), `beside` is a second model for the same rows and masks,
    `limit` takes the first rows only, `draws` are the random masks a row in which chance is seen
    beside each strategy (None: 1,000 in all, 1 to 20 a row; 0: none). `each` gets every row's
    result, `progress` the rows done and the rows in all, `note` what is being read where a row is
    long; where `stop` says so, the result is that of the rows so far. `conversations`: the texts
    are conversations, each asked about without its last answer. `answer_column` holds the answer
    that each row is asked for; without one the question `answer` takes that of each conversation,
    else the model's own. `label_map` says which of the model's labels a label of the file stands
    for (None: its rows are left out), `spans_column` holds what a person marked, for the strategy
    `spans`. `group_columns` are broken down by like `by`, and by their crossing, with the worst
    group and the gaps. `engine` is a cluster that reads blocks of rows (None: this process does);
    models are then names. `keep` is a folder for what each step found: the same call goes on there
    where it was stopped. Rows without a word or a label, and rows a strategy hides whole, are left
    out and counted in `notes`. Raises DataError before anything runs where a column is missing or
    its labels are not the model's.
    """
    given: dict[str, Any] = {
        "text_column": text_column, "label_column": label_column, "model": model,
        "operator": operator, "ratio": ratio, "seed": seed, "name": name, "by": by,
        "cluster": cluster, "beside": beside, "long": long, "limit": limit, "draws": draws,
        "question": question, "conversations": conversations, "answer_column": answer_column,
        "label_map": label_map, "group_columns": group_columns, "spans_column": spans_column,
    }  # fmt: skip
    named = dict(strategies) if isinstance(strategies, Mapping) else list(strategies)
    work = FileWork(source, named, **given, engine=engine, note=note)
    said = {"file": file_said(source), "strategies": named, **given}
    for step in kept(work, Step, keep, said):
        for row in step.sides[0]:
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
        model: Model | str | Question = "mini",
        operator: str = "mask",
        ratio: float | None = None,
        seed: int = 0,
        name: str | None = None,
        by: Sequence[str] = (),
        cluster: str | None = None,
        beside: Model | str | None = None,
        long: str = "cut",
        limit: int | None = None,
        draws: int | None = None,
        question: Spec = "labels",
        conversations: bool = False,
        answer_column: str | None = None,
        label_map: LabelMap | None = None,
        group_columns: Sequence[str] = (),
        spans_column: str | None = None,
        engine: OnRay | None = None,
        patience: float | None = None,
        note: Callable[[str], None] | None = None,
    ) -> None:
        """Check everything that can be checked without asking the model.

        `patience` ends a step early after so many seconds of choosing masks; `note` gets what is
        being read where a row is long.
        """
        self._conversations, self._engine = conversations, engine
        if not conversations:
            refuse_turns(source, name, text_column)
        if engine is not None:
            model, beside = travels(model) or "mini", travels(beside)
        named = strategies if isinstance(strategies, Mapping) else {s: {} for s in strategies}
        plan = FilePlan(
            dict(named), model, beside, operator, ratio, seed, long, question, conversations,
            answer_column, tuple(group_columns), spans_column is not None,
        )  # fmt: skip
        reader = plan.reader()
        self.questions, self.models, self._own = reader.questions, reader.models, reader.own
        if self._own and label_column:
            raise NoLabels
        require_column(named, spans_column)
        self._notes = self._own.notes if self._own else same_task(self.questions)
        self.jobs, self.operator = reader.jobs, operator
        self._source, self._name, self._limit = source, name, limit
        self._patience, self._note = patience, note
        by = tuple(dict.fromkeys([*by, *group_columns]))
        self._columns = (text_column, label_column, by)
        self._group_columns = tuple(group_columns)
        self._cluster, self._label_map = cluster, label_map
        self._answers, self._spans = answer_column, spans_column
        self.check: FileCheck = check_file(
            source, self.questions[0], text_column, label_column, by, name, cluster, label_map,
            answer_column,
        )  # fmt: skip
        checked_groups(self._group_columns, self.check.columns)
        if not self.check.usable:
            raise DataError(
                "No row of the file can be compared: "
                f"{' '.join(self.check.notes) or 'it has no rows.'}"
            )
        self._notes += self.check.reading
        if spans_column:
            check_marks(source, name, text_column, spans_column, conversations)
        self.total = min(self.check.usable, limit or self.check.usable)
        drawn = draws_for(self.total) if draws is None else checked_draws(draws)
        self.reader = reader.knowing(drawn, self.check.columns)
        self.done = 0
        self.tallies = [Tallies(one.head, self.jobs, self.check.columns) for one in self.questions]
        self._left_out: dict[str, list[int]] = {}  # by reading; by masking:
        self._unmasked: dict[str, list[int]] = {}
        self._cut: list[int] = []
        self._gaps: GroupSums | None = None
        if group_columns:
            self._gaps = GroupSums(
                self.tallies[0].head, group_columns, self.check.columns, label_column is not None
            )
        self._agree: Counter[bool] = Counter()
        self._paired: dict[str, Paired] = {}

    def steps(self) -> Iterator[Step]:
        """Compare 64 rows at a time, from where it stands; each step is counted already."""
        rows = islice(self._rows(), self.done, self._limit)
        if self._engine is None:
            found = self.reader.steps(rows, self.done, self._patience, self._note)
        else:
            several = self._engine.answers(self.reader.plan, self._blocks(rows))
            found = chain.from_iterable(several)
        for step in found:
            self.take(step)
            yield step

    def _rows(self) -> Iterator[Row]:
        text, label, by = self._columns
        reader = label_reader(self._source, self.questions[0], label, self._name, self._label_map)
        rows = iter_rows(self._source, self._name)
        given = (self._cluster, self._answers, self._spans)
        return usable_rows(rows, text, reader, by, self._left_out, *given)

    def _blocks(self, rows: Iterator[Row]) -> Iterator[tuple[int, list[Row]]]:
        """Yield the rows in blocks for a cluster, each with how many stand before it."""
        done = self.done
        while block := list(islice(rows, _BLOCK)):
            yield done, block
            done += len(block)

    def take(self, step: Step) -> None:
        """Count a step; one that was written down stands for asking the models again."""
        self.done = step.done
        for tallies, results in zip(self.tallies, step.sides, strict=True):
            for result in results:
                tallies.add(result)
        if self._gaps is not None:
            others = step.sides[1] if len(step.sides) == 2 else [None] * len(step.sides[0])
            for one, second in zip(step.sides[0], others, strict=True):
                self._gaps.add(one, second, "beside")
        if len(step.sides) == 2:
            for one, other in zip(*step.sides, strict=True):
                self._pair(one, other)
        for why, rows in step.left_out.items():
            self._unmasked.setdefault(why, []).extend(rows)
        self._cut += step.cut

    @property
    def tallied(self) -> int:
        """How many rows the sums hold so far."""
        return next(iter(self.tallies[0].all.values())).rows

    def _pair(self, one: RowResult, other: RowResult) -> None:
        self._agree[one.label == other.label] += 1
        if one.expected is None or self.tallies[0].head == "regression":
            return
        answers = {"plain": (one.label, other.label)} | {
            name: (one.effects[name].label, other.effects[name].label) for name in self.jobs
        }
        for name, (first, second) in answers.items():
            paired = self._paired.setdefault(name, Paired())
            paired.add(first == one.expected, second == one.expected, one.cluster)

    def result(self) -> FileComparison:
        """Return what the rows so far say; raises DataError where there are none."""
        first, rows = self.tallies[0], self.tallied
        cut = cut_note(self._cut, self.models[0])
        left_out = [*self._notes, *notes(self._left_out), *notes(self._unmasked), *cut]
        left_out += [*first.notes(), *nothing_hidden(first), *self._cluster_note(first)]
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
            self._asked(),
            {} if self._gaps is None else self._gaps.result(),
        )

    def _asked(self) -> str | dict[str, Any]:
        """Return the question JSON-ready."""
        if self._own:
            return self._own.said()
        return json_of_each(self.questions[0]) if self._conversations else self.questions[0].spec()

    def _cluster_note(self, tallies: Tallies) -> list[str]:
        """Say over what the intervals are where a column names what rows share."""
        if self._cluster is None:
            return []
        clusters = next(iter(tallies.all.values())).flips.units
        return [
            f"Intervals and tests are over {clusters:,} cluster{'s' * (clusters != 1)}: rows that "
            f"share their {self._cluster!r}."
        ]

    def _beside(self) -> Beside | None:
        if len(self.models) == 1:
            return None
        keys = ("accuracy_first", "accuracy_second", "delta_accuracy", "ci95", "p_value")
        return Beside(
            self.models[1].name,
            self.tallies[1].results(),
            self._agree[True] / self._agree.total(),
            {n: dict(zip(keys, p.result(), strict=True)) for n, p in self._paired.items()},
        )
