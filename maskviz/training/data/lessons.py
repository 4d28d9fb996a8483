"""From conversations to lessons: tokens with the weight with which each is learned.

Done once a run, for every row: its rendering, what the loss mask chooses of it, and the cut to
`max_length`. A row of which nothing is left to learn is left out and counted, never dropped in
silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...errors import CapabilityError, DataError
from ...masks.loss import Learned, changed, learned, loss_mask, weighed
from ...models.chat import render_conversation
from ...models.chat.plain import joined_contents
from ...text.alignment import Tokenised
from ...text.conversation import Conversation
from ...text.document import Document
from ...text.span import Span
from ..spec.loss_spec import LossSpec
from ..spec.spec import RunSpec
from .rows import Part, Rows
from .seeds import draw_seed
from .spoken import MESSAGES, TEXT, Spoken


@dataclass(frozen=True)
class Lesson:
    """A row as a decoder reads it. weights: (n,) of each token of `plain`; none for the first."""

    conversation: Conversation
    plain: Tokenised
    weights: tuple[float, ...]
    cut: int = 0  # tokens that it had beyond max_length
    straddling: int = 0
    unended: bool = False
    template: bool = True
    ends: tuple[float | None, ...] = ()  # as `Learned.ends`
    lost: int = 0  # learned tokens among those beyond max_length
    marked: tuple[Span, ...] | None = None  # by a person, in the contents

    @property
    def count(self) -> int:
        """How many tokens are learned."""
        return sum(weight > 0 for weight in self.weights)


@dataclass(frozen=True)
class Teacher:
    """Makes lessons for one model: `model` has a tokenizer, a name and a limit of tokens."""

    model: Any
    loss: LossSpec
    seed: int = 0
    max_length: int = 1 << 30

    def lesson(self, spoken: Spoken, row: int = 0) -> Lesson:
        """Return a row as it is learned. Raises CapabilityError where it cannot be placed."""
        read = self.learned(spoken, row)
        length = min(self.max_length, self.model.max_length)
        excess = max(0, len(read.weights) - length)
        plain, weights = _cut(read, excess, self.loss.cut)
        return Lesson(
            spoken.conversation, plain, (0.0, *weights[1:]), excess, read.straddling,
            bool(read.unended), self.templated(spoken), read.ends,
            read.count - sum(weight > 0 for weight in weights), spoken.marked,
        )  # fmt: skip

    def learned(self, spoken: Spoken, row: int = 0) -> Learned:
        """Return a row with the weights of its tokens, before it is cut."""
        tokenizer, name, said = self.model.tokenizer, self.model.name, spoken.conversation
        loss = self.loss
        given = {**loss.parameters, **({} if loss.ratio is None else {"ratio": loss.ratio})}
        mask = loss_mask(
            said,
            loss.strategy,
            prompt_weight=loss.prompt_weight,
            end_of_turn=loss.end_of_turn,
            seed=draw_seed(self.seed, 0, row),
            document=Document.of(said, marked=spoken.marked),
            **given,
        )
        mask = changed(mask, loss.changes(spoken.number), spoken.number)
        if not self.templated(spoken):
            rendering, stretches = joined_contents(tokenizer, said)
            return weighed(tokenizer, rendering, stretches, mask, name)
        found = learned(tokenizer, render_conversation(tokenizer, said, name), mask, name)
        if found.unsaid:
            raise CapabilityError(
                f"The chat template of {name!r} writes nothing of turn {found.unsaid[0] + 1}: to "
                "learn it is to learn to say nothing."
            )
        return found

    def templated(self, spoken: Spoken) -> bool:
        """Tell whether a row is written by the model's chat template."""
        if spoken.kind == TEXT:
            return False
        return spoken.kind == MESSAGES or bool(getattr(self.model.tokenizer, "chat_template", None))


def _cut(read: Learned, excess: int, side: str) -> tuple[Tokenised, tuple[float, ...]]:
    if not excess:
        return read.plain, read.weights
    kept = slice(excess, None) if side == "left" else slice(None, len(read.weights) - excess)
    plain = read.plain
    first_lost = next((o[0] for o in plain.offsets[kept.stop :] if o), None) if kept.stop else None
    return (
        replace(
            plain,
            input_ids=plain.input_ids[kept],
            tokens=plain.tokens[kept],
            offsets=plain.offsets[kept],
            typed=plain.typed[kept],
            turns=plain.turns[kept],
            truncated_at=first_lost,
        ),
        read.weights[kept],
    )


def with_lessons(spec: RunSpec, model: Any, rows: Rows) -> Rows:
    """Return the rows of a run as lessons for its model, and what was left out in the notes.

    Raises DataError where there is nothing to learn, or nothing to evaluate on.
    """
    teacher = Teacher(model, spec.loss, spec.seed, spec.training.max_length)
    train, notes = _taught(teacher, rows.train, "train on")
    evaluation = {}
    for name, part in rows.evaluation.items():
        evaluation[name], _ = _taught(teacher, part, f"evaluate on ({name})")
    notes += _by_hand(spec.loss, [rows.train, *rows.evaluation.values()])
    return Rows(train, evaluation, rows.label_names, (*rows.notes, *notes))


def _by_hand(loss: LossSpec, parts: Sequence[Part]) -> list[str]:
    """Say which rows that were changed by hand the run does not have."""
    known = {str(row.number) for part in parts for row in part.labels}
    lost = [number for number in loss.rows if number not in known]
    if not lost:
        return []
    return [f"Changed by hand and not among the rows of this run: {', '.join(lost[:10])}."]


def require_lesson(teacher: Teacher, part: Part) -> None:
    """Raise DataError where no row of a part teaches anything; most often the first one does."""
    for row, spoken in enumerate(part.labels):
        try:
            if teacher.lesson(spoken, row).count:
                return
        except CapabilityError:
            continue
    _taught(teacher, part, "train on")


def _taught(teacher: Teacher, part: Part, what: str) -> tuple[Part, list[str]]:
    lessons: list[Lesson] = []
    left: Counter[str] = Counter()
    cut = 0
    for row, spoken in enumerate(part.labels):
        try:
            lesson = teacher.lesson(spoken, row)
        except CapabilityError as error:
            left[str(error).rstrip(".")] += 1
            continue
        cut += lesson.cut > 0
        if lesson.count:
            lessons.append(lesson)
        elif lesson.lost:
            left[f"nothing that is learned lies within max_length {teacher.max_length}"] += 1
        else:
            left[f"nothing is learned by {teacher.loss}"] += 1
    if not lessons:
        why = left.most_common(1)[0][0]
        raise DataError(f"0 of the {len(part):,} rows to {what} teach anything: {why}.")
    notes = [f"{n:,} of {len(part):,} rows are left out: {why}." for why, n in left.most_common(3)]
    return Part(tuple(le.conversation.text for le in lessons), tuple(lessons)), [
        *notes,
        *_said(teacher, lessons, cut),
    ]


def _said(teacher: Teacher, lessons: Sequence[Lesson], cut: int) -> list[str]:
    """Return what a person should know of the rows that are learned, a sentence each."""
    tokens, taught = sum(len(le.weights) for le in lessons), sum(le.count for le in lessons)
    found = [f"Learns {taught / tokens:.0%} of {tokens:,} tokens ({teacher.loss})."]
    if cut:
        side = "end" if teacher.loss.cut == "right" else "beginning"
        found.append(
            f"{cut:,} rows are longer than {teacher.max_length} tokens: cut at the {side}."
        )
    if unended := sum(le.unended for le in lessons):
        found.append(f"{unended:,} rows have a turn without an end mark: its end is not learned.")
    if over := sum(le.straddling for le in lessons):
        found.append(f"{over:,} tokens lie over the border of what is learned and are left out.")
    return found
