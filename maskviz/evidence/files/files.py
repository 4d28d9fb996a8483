"""A file at a time: what each strategy changes over all its rows, in constant memory."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

from ...data.label_map import LabelMap
from ...data.rows import iter_rows
from ...errors import DataError, MaskError, TextError, UnknownNameError
from ...masks.mask import Mask
from ...masks.operators import OPERATORS, apply
from ...masks.spans import MaskSpan
from ...models.model import Model
from ...readings.language.conversing import EACH
from ...readings.question import Question, Spec, asked
from ...readings.windows import answers_of, checked_long, encodings_of
from ...text.beginning import LONGEST
from ...text.together import annotated
from ..chance.reference import drawn_beside
from .answers import Paired
from .chance import APART, checked_draws, draws_for
from .conversations import json_of_each, of_each, refuse_turns, spoken_row
from .file_result import Beside, FileComparison, Step
from .groups import GroupSums, checked_groups, crossed
from .marked import check_marks, require_column, subject, with_marks
from .masked import Masked
from .masking import masking_job, pipelines_of
from .own_answers import own_answers, per_token
from .row_result import row_result
from .rows import (
    FileCheck,
    NoLabels,
    Row,
    check_file,
    cut_note,
    label_reader,
    notes,
    usable_rows,
    why_left_out,
)
from .said import nothing_hidden, same_task
from .tally import RowResult, StrategyResult, Tallies

__all__ = ["FileComparison", "StrategyResult", "compare_file", "label_reader"]

_ROWS_AT_ONCE = 64
_TOKENS_AT_ONCE = 8_000_000  # of a step's masks, of which each takes about 85 bytes


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
    group and the gaps. Rows without a word or a label, and rows a strategy hides whole, are left
    out and counted in `notes`. Raises DataError before anything runs where a column is missing or
    its labels are not the model's.
    """
    work = FileWork(
        source, strategies, text_column=text_column, label_column=label_column, model=model,
        operator=operator, ratio=ratio, seed=seed, name=name, by=by, cluster=cluster,
        beside=beside, long=long, limit=limit, draws=draws, question=question,
        conversations=conversations, answer_column=answer_column, label_map=label_map,
        group_columns=group_columns, spans_column=spans_column, note=note,
    )  # fmt: skip
    for step in work.steps():
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
        patience: float | None = None,
        note: Callable[[str], None] | None = None,
    ) -> None:
        """Check everything that can be checked without asking the model.

        `patience` ends a step early after so many seconds of choosing masks; `note` gets what is
        being read where a row is long.
        """
        self._conversations = conversations
        if not conversations:
            refuse_turns(source, name, text_column)
        put = of_each(question) if conversations else question
        self.questions = [asked(m, put) for m in (model, beside) if m is not None]
        self.models = [one.model for one in self.questions]
        self._own = own_answers(question, self.questions, conversations, answer_column)
        if self._own and label_column:
            raise NoLabels
        named = strategies if isinstance(strategies, Mapping) else {s: {} for s in strategies}
        if not named:
            raise DataError("No strategy is chosen: name at least one, such as random,entity.")
        if operator not in OPERATORS:
            raise UnknownNameError.of("operator", operator, OPERATORS)
        require_column(named, spans_column)
        self._notes = self._own.notes if self._own else same_task(self.questions)
        self.jobs = {
            key: masking_job(key, given, ratio, self.models[0]) for key, given in named.items()
        }
        self._pipelines = set() if conversations else pipelines_of(named)
        self.operator, self.seed, self.long = operator, seed, checked_long(long)
        for loaded in self.models:  # a model without a mask token says so now, not on the way
            apply(Mask(EACH.text, (MaskSpan(0, 3),)), operator, loaded)
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
        self.draws = draws_for(self.total) if draws is None else checked_draws(draws)
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
        text, label, by = self._columns
        reader = label_reader(self._source, self.questions[0], label, self._name, self._label_map)
        rows = iter_rows(self._source, self._name)
        given = (self._cluster, self._answers, self._spans)
        usable = usable_rows(rows, text, reader, by, self._left_out, *given)
        usable = islice(usable, self.done, self._limit)
        usable = annotated(usable, attrgetter("text"), self._pipelines)
        while step := self._step(usable):
            self.take(step)
            yield step

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

    def _step(self, rows: Iterator[Row]) -> Step | None:
        """Mask the next rows and ask the models; None where there are no more."""
        begin, count, tokens = time.monotonic(), 0, 0
        kept: list[Masked] = []
        left_out: dict[str, list[int]] = {}
        for row in islice(rows, _ROWS_AT_ONCE):
            count += 1
            try:
                kept.append(self._masked(*self._put(row)))
                tokens += kept[-1].tokens
            except (TextError, MaskError) as error:
                left_out.setdefault(why_left_out(error), []).append(row.number)
            if tokens >= _TOKENS_AT_ONCE:
                break
            if self._patience is not None and time.monotonic() - begin > self._patience:
                break
        if not count:
            return None
        sides = [self._read(i, kept) if kept else [] for i in range(len(self.models))]
        cut = [m.row.number for m in kept if m.plain[0][0].truncated_at is not None]
        return Step(self.done + count, sides, left_out, cut)

    def _put(self, row: Row) -> tuple[Row, list[Question]]:
        """Return a row as it is read, and what is asked about it."""
        if self._group_columns:
            known = self.check.columns
            binned = {c: known[c].group(row.groups[c]) for c in self._group_columns}
            row = replace(row, groups={**crossed(self._group_columns, binned), **row.groups})
        row = with_marks(row, self._conversations) if self._spans else row
        if self._own:
            return self._own.put(row)
        return spoken_row(row, self.models) if self._conversations else row, self.questions

    def _masked(self, row: Row, questions: list[Question]) -> Masked:
        if self._note and len(row.text) > LONGEST:
            self._note(f"row {row.number:,} with its {len(row.text):,} characters")
        seed = row.seed(self.seed)
        masks = [job(subject(row), seed) for job in self.jobs.values()]
        first_seed = seed + APART
        chance = [
            drawn_beside(mask, questions[0].model, self.long, self.draws, first_seed)
            for mask in masks
        ]
        asked = [(Mask(row.text), "attention"), *((mask, self.operator) for mask in masks)]
        at_random = [(m, self.operator) for drawn in chance for m in drawn]
        own, *others = (one.model for one in questions)
        first = encodings_of([*asked, *at_random], own, self.long)
        sides = [first[: len(asked)], *(encodings_of(asked, m, self.long) for m in others)]
        drawn = iter(first[len(asked) :])
        return Masked(
            row,
            questions,
            masks,
            [side[0] for side in sides],
            [side[1:] for side in sides],
            [list(islice(drawn, len(one))) for one in chance],
        )

    def _read(self, side: int, kept: list[Masked]) -> list[RowResult]:
        """Ask a model all at once, plain, masked and at random; rows of own answers one by one."""
        if self._own:
            answers = (
                answer
                for m in kept
                for answer in per_token(
                    m.questions[side],
                    answers_of(m.questions[side], m.pieces(side)).probabilities,
                )
            )
        else:
            pieces = [piece for m in kept for piece in m.pieces(side)]
            answers = iter(answers_of(self.questions[side], pieces).probabilities)
        results = []
        for m in kept:
            plain, *masked = islice(answers, 1 + len(m.masks))
            drawn = None
            if self.draws and not side:
                drawn = [list(islice(answers, len(pieces))) for pieces in m.chance]
            results.append(
                row_result(m.row, m.masks, m.questions[0], self.jobs, plain, masked, drawn)
            )
        return results

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
