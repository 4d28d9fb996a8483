"""A block of rows → what each strategy changes in each row: what one process, or each, does.

Rows are masked, encoded and asked about 64 at a time. What is asked is a plan that travels; the
sums over all rows are kept elsewhere (`files`), so that blocks can be read anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from itertools import islice
from operator import attrgetter
from typing import Any

from ...errors import DataError, UnknownNameError
from ...masks.mask import Mask
from ...masks.operators import OPERATORS, apply
from ...masks.spans import MaskSpan
from ...models.model import Model
from ...readings.language.conversing import EACH
from ...readings.question import Question, Spec, asked
from ...readings.windows import answers_of, checked_long, encodings_of
from ...text.together import annotated
from ..chance.reference import drawn_beside
from .breakdown import Column
from .chance import APART
from .conversations import of_each, spoken_row
from .file_result import Step
from .groups import crossed
from .marked import subject, with_marks
from .masked import Masked
from .masking import masking_job, pipelines_of
from .own_answers import own_answers, per_token
from .row_result import row_result
from .rows import Row
from .taken import take
from .tally import RowResult

_TOKENS_AT_ONCE = 8_000_000  # of a step's masks, of which each takes about 85 bytes


def _full(kept: Sequence[Masked]) -> bool:
    return sum(one.tokens for one in kept) >= _TOKENS_AT_ONCE


@dataclass(frozen=True)
class FilePlan:
    """What is asked of every row, as of `compare_file`.

    draws: of each row. columns: what a look at the whole file found of those that are groups.
    """

    strategies: Mapping[str, Mapping[str, Any]]
    model: Model | str | Question = "mini"
    beside: Model | str | None = None
    operator: str = "mask"
    ratio: float | None = None
    seed: int = 0
    long: str = "cut"
    question: Spec = "labels"
    conversations: bool = False
    answer_column: str | None = None
    group_columns: tuple[str, ...] = ()
    marked: bool = False
    draws: int = 0
    columns: Mapping[str, Column] = field(default_factory=dict)

    def reader(self) -> RowReader:
        """Return what reads a block of rows."""
        return RowReader(self)


class RowReader:
    """Reads blocks of rows under a plan, its models loaded."""

    def __init__(self, plan: FilePlan) -> None:
        """Check everything that can be checked without a row."""
        self.plan = plan
        put = of_each(plan.question) if plan.conversations else plan.question
        given = [m for m in (plan.model, plan.beside) if m is not None]
        self.questions = [asked(model, put) for model in given]
        self.models = [one.model for one in self.questions]
        self.own = own_answers(
            plan.question, self.questions, plan.conversations, plan.answer_column
        )
        if not plan.strategies:
            raise DataError("No strategy is chosen: name at least one, such as random,entity.")
        if plan.operator not in OPERATORS:
            raise UnknownNameError.of("operator", plan.operator, OPERATORS)
        self.jobs = {
            key: masking_job(key, given, plan.ratio, self.models[0])
            for key, given in plan.strategies.items()
        }
        checked_long(plan.long)
        for loaded in self.models:  # a model without a mask token says so now, not on the way
            apply(Mask(EACH.text, (MaskSpan(0, 3),)), plan.operator, loaded)

    def knowing(self, draws: int, columns: Mapping[str, Column]) -> RowReader:
        """Return the same with what the whole file says."""
        found = copy(self)
        found.plan = replace(self.plan, draws=draws, columns=columns)
        return found

    def __call__(self, block: tuple[int, Sequence[Row]]) -> list[Step]:
        """Return the steps over a block, given with the number of usable rows before it."""
        done, rows = block
        return list(self.steps(rows, done))

    def steps(
        self,
        rows: Iterable[Row],
        done: int = 0,
        patience: float | None = None,
        note: Callable[[str], None] | None = None,
    ) -> Iterator[Step]:
        """Yield a step for every 64 rows, or fewer where they have taken `patience` seconds."""
        plan = self.plan
        names = set() if plan.conversations else pipelines_of(plan.strategies)
        rows = annotated(rows, attrgetter("text"), names)
        while step := self._step(rows, done, patience, note):
            done = step.done
            yield step

    def _step(
        self,
        rows: Iterator[Row],
        done: int,
        patience: float | None,
        note: Callable[[str], None] | None,
    ) -> Step | None:
        """Mask the next rows and ask the models; None where there are no more."""
        found = take(rows, lambda row: self._masked(*self._put(row)), patience, note, _full)
        if not found.count:
            return None
        kept = found.made
        sides = [self._read(i, kept) if kept else [] for i in range(len(self.models))]
        cut = [m.row.number for m in kept if m.plain[0][0].truncated_at is not None]
        return Step(done + found.count, sides, found.left_out, cut)

    def _put(self, row: Row) -> tuple[Row, list[Question]]:
        """Return a row as it is read, and what is asked about it."""
        plan = self.plan
        if plan.group_columns:
            known = plan.columns
            binned = {c: known[c].group(row.groups[c]) for c in plan.group_columns}
            row = replace(row, groups={**crossed(plan.group_columns, binned), **row.groups})
        row = with_marks(row, plan.conversations) if plan.marked else row
        if self.own:
            return self.own.put(row)
        return spoken_row(row, self.models) if plan.conversations else row, self.questions

    def _masked(self, row: Row, questions: list[Question]) -> Masked:
        plan = self.plan
        seed = row.seed(plan.seed)
        masks = [job(subject(row), seed) for job in self.jobs.values()]
        chance = [
            drawn_beside(mask, questions[0].model, plan.long, plan.draws, seed + APART)
            for mask in masks
        ]
        asked = [(Mask(row.text), "attention"), *((mask, plan.operator) for mask in masks)]
        at_random = [(m, plan.operator) for drawn in chance for m in drawn]
        own, *others = (one.model for one in questions)
        first = encodings_of([*asked, *at_random], own, plan.long)
        sides = [first[: len(asked)], *(encodings_of(asked, m, plan.long) for m in others)]
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
        if self.own:
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
            if self.plan.draws and not side:
                drawn = [list(islice(answers, len(pieces))) for pieces in m.chance]
            results.append(
                row_result(m.row, m.masks, m.questions[0], self.jobs, plain, masked, drawn)
            )
        return results
