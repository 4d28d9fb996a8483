"""A search on its way: half A is looked at and chosen on, half B is measured, 64 rows at a time.

look      half A: the plain answers, and which words tell labels or answers apart
choose    half A: each candidate hidden in at most 50 rows; those that go beyond chance are kept
measure   half B: what was kept, hidden in every row that has it
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, compress, islice
from pathlib import Path
from typing import Any

from ...data.label_map import LabelMap
from ...data.rows import iter_rows
from ...errors import DataError, ParameterError, UnknownNameError
from ...masks.mask import Mask
from ...masks.operators import OPERATORS, apply
from ...masks.spans import MaskSpan
from ...models.model import Model
from ...readings.heads import valued
from ...readings.language.conversing import EACH
from ...readings.question import Question, Spec, asked
from ...readings.windows import checked_long
from ...text.document import Document
from ..files.conversations import json_of_each, of_each, refuse_turns
from ..files.groups import checked_groups
from ..files.rows import FileCheck, Row, check_file, label_reader, notes, usable_rows
from ..files.slots import Slots
from ..files.taken import AT_ONCE
from ..on_ray import OnRay, travels
from .candidates import MOST, Candidate, named, of_kinds, of_pattern, word
from .halves import halves
from .leanings import gaps_of_length, leanings
from .measured import Measured, shown_outputs
from .reader import Block, SearchPlan
from .result import FEWEST_ROWS, Leaning, Shortcuts, Step
from .sentence import finding
from .sums import Leaned, Strata
from .telling import Telling

PHASES = ("look", "choose", "measure")
FEWEST = 10  # rows of a half that a candidate is in
_HIDDEN = 50  # rows of half A in which a candidate is hidden
_KEPT, _BEYOND = 60, 1.0  # candidates that are measured, each so many standard errors beyond


class ShortcutWork:
    """A search over a file: checked, run in steps, with a result as soon as half B is begun."""

    def __init__(
        self,
        source: str | Path | bytes,
        *,
        text_column: str,
        label_column: str | None = None,
        model: Model | str | Question = "mini",
        operator: str = "mask",
        question: Spec = "labels",
        group_columns: Sequence[str] = (),
        irrelevant: Sequence[str] = (),
        patterns: Sequence[str] = (),
        cluster: str | None = None,
        conversations: bool = False,
        label_map: LabelMap | None = None,
        long: str = "cut",
        limit: int | None = None,
        seed: int = 0,
        name: str | None = None,
        engine: OnRay | None = None,
        patience: float | None = None,
        note: Callable[[str], None] | None = None,
    ) -> None:
        """Check everything that can be checked without asking the model; see `shortcuts`."""
        if not conversations:
            refuse_turns(source, name, text_column)
        if engine is not None:
            model = travels(model) or "mini"
        self.question = asked(model, of_each(question) if conversations else question)
        self.model = self.question.model
        if operator not in OPERATORS:
            raise UnknownNameError.of("operator", operator, OPERATORS)
        apply(Mask(EACH.text, (MaskSpan(0, 3),)), operator, self.model)
        self.operator = operator
        self._asked: dict[str, Any] = {
            "model": model, "question": question, "conversations": conversations,
            "operator": operator, "long": checked_long(long), "seed": seed,
        }  # fmt: skip
        self.named = _named(irrelevant, patterns)
        self._label_map = label_map
        self.cluster, self._columns = cluster, (text_column, label_column, tuple(group_columns))
        self._conversations, self._engine = conversations, engine
        self._patience, self._note = patience, note
        self._source, self._name, self._limit = source, name, limit
        self.check: FileCheck = check_file(
            source, self.question, text_column, label_column, tuple(group_columns), name, cluster,
            label_map,
        )  # fmt: skip
        checked_groups(group_columns, self.check.columns)
        if not self.check.usable:
            said = " ".join(self.check.notes) or "it has no rows."
            raise DataError(f"No row of the file can be searched: {said}")
        self.half = halves(islice(self._usable({}), limit))
        self.sizes = (int((~self.half).sum()), int(self.half.sum()))
        self.phases = PHASES if self.sizes[1] >= FEWEST_ROWS else ()
        self.total = sum(self.size_of(phase) for phase in self.phases)
        self.left_out: dict[str, list[int]] = {}
        self._read = dict.fromkeys(PHASES, 0)
        self.telling, self.lengths = Telling(), Counter[int]()
        self.pool: list[Candidate] = []
        self.chosen: list[Candidate] = []
        self.slots, self.length, self.place = Slots(), Strata(), dict[str, Strata]()
        self.sums: dict[str, Leaned] = {}
        self.group_rows: dict[str, Counter[str]] = {column: Counter() for column in group_columns}
        self.tallied = 0
        self._next_phase()

    def size_of(self, phase: str) -> int:
        """Return how many rows a phase reads."""
        return self.sizes[phase == "measure"]

    @property
    def done(self) -> int:
        """How many rows all phases have read, of `total`."""
        return sum(self._read.values())

    @property
    def phase(self) -> str | None:
        """What is done next; None where all is done."""
        return next((p for p in self.phases if self._read[p] < self.size_of(p)), None)

    def steps(self) -> Iterator[Step]:
        """Ask about 64 rows at a time, from where it stands; each step is counted already."""
        while (phase := self.phase) is not None:
            for step in self._steps_of(phase):
                self.take(step)
                yield step
                if self.phase != phase:
                    break

    def _steps_of(self, phase: str) -> Iterator[Step]:
        """Yield the steps of a phase that are left, asked here or by the engine's blocks."""
        choosing = phase == "choose"
        candidates = {"look": [], "choose": self.pool, "measure": self.chosen}[phase]
        plan = SearchPlan(phase, tuple(candidates), _HIDDEN if choosing else None, **self._asked)
        rows, done = self._rows(phase), self._read[phase]
        if self._engine is None:
            return plan.reader().steps(rows, done, self._times, self._patience, self._note)
        size = AT_ONCE if choosing else 4 * AT_ONCE
        several = self._engine.answers(plan, self._blocks(rows, done, size), in_turn=choosing)
        return chain.from_iterable(several)

    def _blocks(self, rows: Iterator[Row], done: int, size: int) -> Iterator[Block]:
        """Yield the rows in blocks for a cluster, each with what was hidden by now."""
        while block := list(islice(rows, size)):
            yield done, block, self._times()
            done += len(block)

    def _times(self) -> Counter[str]:
        """Return in how many rows of the phase each candidate was hidden."""
        return Counter({name: own.all.beyond.n for name, own in self.sums.items()})

    def _usable(self, left_out: dict[str, list[int]]) -> Iterator[Row]:
        text, label, by = self._columns
        reader = label_reader(self._source, self.question, label, self._name, self._label_map)
        rows = iter_rows(self._source, self._name)
        return usable_rows(rows, text, reader, by, left_out, self.cluster)

    def _rows(self, phase: str) -> Iterator[Row]:
        """Yield the rows of the phase's half that it has not read."""
        half = self.half if phase == "measure" else ~self.half
        return islice(compress(self._usable({}), half), self._read[phase], None)

    def take(self, step: Step) -> None:
        """Count a step; one that was written down stands for asking the model again."""
        self._read[step.phase] = step.done
        if step.phase != "choose":
            for why, rows in step.left_out.items():
                self.left_out.setdefault(why, []).extend(rows)
        {"look": self._look, "choose": self._choose, "measure": self._measure}[step.phase](
            step.rows
        )
        if self._read[step.phase] >= self.size_of(step.phase):
            self._next_phase()

    def _look(self, rows: Sequence[Measured]) -> None:
        for row in rows:
            classes, value = set[str](), None
            if valued(self.question.head):
                value = row.probability
            else:
                classes = {f"answer {one}" for one in row.label.split(", ")}
                if row.expected is not None:
                    classes |= {f"expected {one}" for one in row.expected.split(", ")}
            self.telling.add(row.text, classes, value)
            self.lengths[row.words] += 1

    def _choose(self, rows: Sequence[Measured]) -> None:
        for row in rows:
            slot = self.slots.of(row.unit)
            for name, moved in row.moved.items():
                self.sums[name].add(row, moved, slot, {}, name)

    def _measure(self, rows: Sequence[Measured]) -> None:
        for row in rows:
            slot, groups = self.slots.of(row.unit), self._groups_of(row)
            stratum = row.expected if row.expected is not None else row.label
            if valued(self.question.head):
                stratum = ""
            self.tallied += 1
            for column, value in groups.items():
                self.group_rows[column][value] += 1
            for name, moved in row.moved.items():
                self.sums[name].add(row, moved, slot, groups, name)
                if moved.reference is not None:
                    beyond = moved.strength - moved.reference
                    self.place.setdefault(name, Strata()).add(
                        stratum, moved.place < 0.5, [beyond], slot
                    )
            if self.longer_than is not None and self._stratified:
                right = [] if row.right is None else [float(row.right)]
                outputs = row.outputs
                self.length.add(stratum, row.words > self.longer_than, [*outputs, *right], slot)

    @property
    def _stratified(self) -> bool:
        """Whether a gap by length can be told from what the labels say."""
        return self._columns[1] is not None and not valued(self.question.head)

    @property
    def longer_than(self) -> int | None:
        """The median of the words of half A's texts."""
        half, seen = sum(self.lengths.values()) / 2, 0
        for words in sorted(self.lengths):
            seen += self.lengths[words]
            if seen >= half:
                return words
        return None

    def _groups_of(self, row: Measured) -> dict[str, str]:
        columns = self.check.columns
        return {c: columns[c].group(v) if c in columns else v for c, v in row.groups.items()}

    def _next_phase(self) -> None:
        """Make ready what the phase that begins counts in, where it has read nothing yet."""
        phase = self.phase
        if phase == "choose" and not self._read["choose"]:
            self.pool = self._pool()
            self._begin(self.pool)
        elif phase == "measure" and not self._read["measure"]:
            self.chosen = self._kept()
            self._begin(self.chosen)

    def _begin(self, candidates: Sequence[Candidate]) -> None:
        self.sums = {c.name: Leaned(self.question.head) for c in candidates}
        self.slots = Slots()

    def _pool(self) -> list[Candidate]:
        """Return at most 200 candidates: those named, the kinds, and the most telling words."""
        found = {c.name: c for c in [*self.named, *of_kinds(conversations=self._conversations)]}
        most = self.telling.most(MOST, FEWEST)
        for written in most[: max(0, MOST - len(found))]:
            found.setdefault(f"word:{written}", word(written))
        marked = {c.name: c for c in self.named if c.irrelevant}
        return list((found | marked).values())

    def _kept(self) -> list[Candidate]:
        """Return what is measured: what goes beyond chance on half A, and what the user names."""
        scores = {name: own.all.score for name, own in self.sums.items()}
        enough = {name for name, own in self.sums.items() if own.all.beyond.n >= FEWEST}
        order = sorted(self.pool, key=lambda c: -scores[c.name])
        beyond = [c for c in order if c.name in enough and scores[c.name] >= _BEYOND]
        kept = {c.name for c in beyond[:_KEPT]} | {c.name for c in self.pool if c.named}
        return [c for c in self.pool if c.name in kept]

    def result(self) -> Shortcuts:
        """Return what the rows so far say; raises DataError before half B is begun."""
        if self.phases and not self.tallied:
            raise DataError(
                "Nothing is measured yet: the half of the rows that candidates are chosen on is "
                "still being read. Let it go on."
            )
        gaps = gaps_of_length(self.length, [*self.shown, "accuracy"]) if self._stratified else {}
        found, length, tested = leanings(
            self.chosen, self.sums, self.place, self.group_rows, self.tallied, self.shown, gaps
        )
        complete, value = self.done >= self.total, self.value
        leaned = [one for one in found if one.found]
        measured_on = self.tallied if self.phases else self.sizes[1]
        return Shortcuts(
            self.check.usable if self._limit is None else len(self.half),
            measured_on,
            self.model.name,
            self.operator,
            len(self.pool),
            tested,
            found,
            length,
            self.longer_than if length else None,
            {one.name: self.sums[one.name].worst() for one in leaned},
            {column: dict(rows) for column, rows in self.group_rows.items()},
            tuple(self._notes(found)),
            complete,
            value,
            finding(self.model.name, leaned, tested, measured_on, value, complete),
            self._spec,
        )

    @property
    def value(self) -> str:
        """What an effect is measured in."""
        if self.question.head == "likelihood":
            return "ln p"
        return "value" if valued(self.question.head) else "log-odds"

    def _notes(self, found: Sequence[Leaning]) -> list[str]:
        """Return what was left out, how labels were read, and what could not be tested."""
        said = [*self.check.reading, *notes(self.check.left_out), *notes(self.left_out)]
        there = {one.name for one in found}
        absent = [c.name for c in self.named if c.name not in there] if self.phases else []
        if absent and self.done >= self.total:
            said.append(
                f"{', '.join(absent)}: in no row of the {self.tallied:,} that were measured."
            )
        few = [one.name for one in found if one.p_value is None]
        if few:
            more = f" and {len(few) - 8} more" if len(few) > 8 else ""
            said.append(f"In too few rows to be tested: {', '.join(few[:8])}{more}.")
        if self.cluster is not None and self.phases:
            said.append(
                f"Halves, tests and intervals are over clusters: rows that share their "
                f"{self.cluster!r}."
            )
        if self._columns[1] is None:
            said.append("Without a column of labels there is no gap by length, and no accuracy.")
        if self.done < self.total:
            said.append(f"So far {self.tallied:,} of {self.sizes[1]:,} rows are measured.")
        return said

    @property
    def _spec(self) -> Any:
        """The question, JSON-ready."""
        return json_of_each(self.question) if self._conversations else self.question.spec()

    @property
    def shown(self) -> list[str]:
        """The names of the outputs that are kept of each row."""
        few = shown_outputs(self.question)
        return ["answer"] if few is None else [self.question.outputs[i] for i in few]


def _named(irrelevant: Sequence[str], patterns: Sequence[str]) -> list[Candidate]:
    """Return what the user names; raises ParameterError where a pattern is none, or too many."""
    import regex

    found = [named(written, True) for written in irrelevant]
    found += [of_pattern(expression) for expression in patterns]
    for candidate in found:
        given = dict(candidate.parameters)
        try:
            regex.compile(given.get("pattern", ""))
        except regex.error as error:
            raise ParameterError(
                f"{given['pattern'][:40]!r} is no regular expression ({error}): mend it."
            ) from None
        candidate.mask(Document("Ann is here."))  # a category or type there is not says so now
    if len(found) > MOST:
        raise ParameterError(f"{len(found)} candidates are named: name at most {MOST}.")
    return found
