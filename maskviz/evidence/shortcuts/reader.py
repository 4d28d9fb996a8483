"""A block of rows → what hiding the candidates moves in each: what one process, or each, does.

The counterpart of `files.reader`: a plan travels, the sums are kept elsewhere (`work`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from ...errors import TextError
from ...models.model import Model
from ...readings.question import Question, Spec, asked
from ...text.document import Document
from ...text.pipelines import BUNDLED
from ...text.together import annotated
from ..files.conversations import of_each, spoken_row
from ..files.rows import Row
from ..files.taken import take
from .candidates import Candidate, Finder
from .measured import Asked, measured, prepared
from .result import Step

Block = tuple[int, Sequence[Row], Counter[str]]


@dataclass(frozen=True)
class SearchPlan:
    """What is asked of every row in a phase of a search.

    most: rows in which a candidate is hidden, None for all.
    """

    phase: str
    candidates: tuple[Candidate, ...]
    most: int | None = None
    model: Model | str | Question = "mini"
    question: Spec = "labels"
    conversations: bool = False
    operator: str = "mask"
    long: str = "cut"
    seed: int = 0

    def reader(self) -> SearchReader:
        """Return what reads a block of rows."""
        return SearchReader(self)


class SearchReader:
    """Reads blocks of rows under a plan, its model loaded."""

    def __init__(self, plan: SearchPlan) -> None:
        self.plan, self.finder = plan, Finder(plan.candidates)
        put = of_each(plan.question) if plan.conversations else plan.question
        self.question = asked(plan.model, put)

    def __call__(self, block: Block) -> list[Step]:
        """Return the steps over a block: the rows before it, the rows, and what was hidden."""
        done, rows, times = block
        return list(self.steps(rows, done, lambda: times))

    def steps(
        self,
        rows: Iterable[Row],
        done: int,
        times: Callable[[], Counter[str]],
        patience: float | None = None,
        note: Callable[[str], None] | None = None,
    ) -> Iterator[Step]:
        """Yield a step for every 64 rows; `times`: in how many rows each was hidden before."""
        names = {BUNDLED} if self.finder.pipeline and not self.plan.conversations else set()
        rows = annotated(rows, attrgetter("text"), names)
        while step := self._step(rows, done, times(), patience, note):
            done = step.done
            yield step

    def _step(
        self,
        rows: Iterator[Row],
        done: int,
        times: Counter[str],
        patience: float | None,
        note: Callable[[str], None] | None,
    ) -> Step | None:
        times = Counter(times)
        found = take(rows, lambda row: self._prepared(row, times), patience, note)
        if not found.count:
            return None
        answers = measured(found.made, self.question)
        return Step(self.plan.phase, done + found.count, answers, found.left_out)

    def _prepared(self, row: Row, times: Counter[str]) -> Asked:
        plan = self.plan
        if plan.conversations:
            row = spoken_row(row, [self.question.model])
        document = Document.of(row.spoken) if row.spoken else Document(row.text)
        if not document.words:
            raise TextError("without a word")
        most = plan.most
        found = list(self.finder.found(document, lambda c: most is None or times[c.name] < most))
        times.update(candidate.name for candidate, _ in found)
        return prepared(row, found, self.question, plan.operator, plan.long, plan.seed)
