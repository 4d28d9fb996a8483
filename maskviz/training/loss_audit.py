"""What a fine-tune of a decoder would learn of a file, before there is a run.

Of every row: which tokens are learned, whether the ends of turns are, whether the template's own
words are, and the rows of which nothing is. And one row as a strip of two layers: hidden, learned.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ..errors import CapabilityError, DataError, MaskError, TextError
from ..masks.operators import overlapping
from ..models import load_model
from ..text.words import word_offsets
from .data.lessons import Lesson, Teacher
from .data.masking import drawn
from .data.rows import read_frame
from .data.spoken import Spoken, read_spoken
from .spec.spec import RunSpec


@dataclass(frozen=True)
class LossAudit:
    """What is learned of all rows of a file, those that are left out among them.

    tokens, learned_tokens: over the rows that teach something. template_tokens: learned ones that
    stand for no content, end marks among them. turns, ended_turns: of the assistant's that are
    learned, and those whose end is. rows_without: nothing is learned of these; rows_cut: longer
    than max_length, rows_cut_before: of these no learned token is left. straddling: tokens over
    the border of what is learned. left_out: why rows are not learned from → how many.
    """

    rows: int
    tokens: int = 0
    learned_tokens: int = 0
    template_tokens: int = 0
    turns: int = 0
    ended_turns: int = 0
    rows_without: int = 0
    rows_cut: int = 0
    rows_cut_before: int = 0
    straddling: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def learned_share(self) -> float:
        """Learned tokens / tokens."""
        return self.learned_tokens / self.tokens if self.tokens else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the audit as JSON-ready values."""
        return {**asdict(self), "notes": list(self.notes), "learned_share": self.learned_share}

    def lines(self) -> Iterator[str]:
        """Say it line by line."""
        left = sum(self.left_out.values())
        out = f", {left:,} left out" if left else ""
        share = f"{self.learned_share:.1%} of {self.tokens:,} tokens"
        yield f"{self.rows:,} rows{out}; {share} are learned"
        yield f"  ends of turns: {self.ended_turns:,} of {self.turns:,} are learned"
        yield f"  words of the template that are learned, ends among them: {self.template_tokens:,}"
        yield f"  rows of which nothing is learned: {self.rows_without:,}"
        yield (
            f"  rows longer than max_length: {self.rows_cut:,}, of which {self.rows_cut_before:,} "
            "are cut before what they teach"
        )
        yield f"  tokens over the border of what is learned, left out: {self.straddling:,}"
        for why, count in self.left_out.items():
            yield f"  left out, {count:,} {'row' if count == 1 else 'rows'}: {why}"


@dataclass(frozen=True)
class Seen:
    """One token of a row: its text as the template writes it, whether it is hidden, its weight.

    word: of the contents that the token is of, at their character `start`; empty for what the
    template writes.
    """

    text: str
    hidden: bool = False
    weight: float = 0.0
    word: str = ""
    start: int = 0


@dataclass(frozen=True)
class Examined:
    """A file as a decoder would learn it: a teacher for its rows, and these.

    numbers: of each row, its number in the file, from 1. left: the number of each row that is left
    out → why.
    """

    spec: RunSpec
    teacher: Teacher
    rows: tuple[Spoken, ...]
    notes: tuple[str, ...]
    numbers: tuple[int, ...]
    left: Mapping[int, str]

    @classmethod
    def of(cls, spec: RunSpec, most: int = 0) -> Examined:
        """Read the rows of a run, at most `most`. Raises DataError for what cannot be read."""
        rows = spec.data.max_rows or most
        some = replace(spec, data=replace(spec.data, max_rows=min(rows, most) if most else rows))
        targets = read_spoken(spec, read_frame(some))
        found = targets.selection
        teacher = Teacher(load_model(spec.model), spec.loss, spec.seed, spec.training.max_length)
        numbers = tuple(row + 1 for row in found.rows)
        left = {row + 1: why for row, why in targets.left.items()}
        return cls(spec, teacher, found.labels, found.notes, numbers, left)

    @property
    def count(self) -> int:
        """How many rows the file has, those that are left out among them."""
        return len(self.rows) + len(self.left)

    def place_of(self, number: int | None) -> int:
        """Return where a row of the file stands among `rows`; None is the first of these.

        Raises DataError for a row that there is not, or that is left out.
        """
        if number is None:
            return 0
        if number in self.left:
            raise DataError(f"Row {number} is {self.left[number]}, and left out: name another.")
        if number not in self.numbers:
            raise DataError(f"There is no row {number}: the table has {self.count:,}.")
        return self.numbers.index(number)

    def audit(self) -> LossAudit:
        """Return what is learned of all rows."""
        counts: Counter[str] = Counter()
        left = Counter(self.left.values())
        for row, spoken in enumerate(self.rows):
            try:
                counts.update(_counted(self.teacher.lesson(spoken, row)))
            except CapabilityError as error:
                left[str(error)] += 1
        return LossAudit(self.count, **counts, left_out=dict(left), notes=self.notes)

    def seen(self, row: int = 0) -> list[Seen]:
        """Return a row token by token, hidden as in the first epoch and learned as it would be.

        Raises CapabilityError where its template cannot be placed.
        """
        lesson = self.teacher.lesson(self.rows[row], row)
        tokens, hidden = lesson.plain.tokens, self._hidden(lesson, row)
        words = _words(lesson)
        return [
            Seen(self._shown(lesson, i), hidden[i], lesson.weights[i], *words[i])
            for i in range(len(tokens))
        ]

    def _shown(self, lesson: Lesson, i: int) -> str:
        """Return a token as it stands in what the model reads, with the space before it."""
        tokenizer = self.teacher.model.tokenizer
        return str(tokenizer.decode([lesson.plain.input_ids[i]])) or lesson.plain.tokens[i]

    def _hidden(self, lesson: Lesson, row: int) -> list[bool]:
        from ..text.document import Document

        masking = self.spec.masking
        if not masking.active:
            return [False] * len(lesson.weights)
        try:
            document = Document.of(lesson.conversation, marked=lesson.marked)
            chosen = drawn(masking, document, self.spec.seed, 0, row, self.teacher.model)
        except (TextError, MaskError):  # the row stays plain
            return [False] * len(lesson.weights)
        return [owner is not None for owner in overlapping(lesson.plain, chosen)]


def _words(lesson: Lesson) -> list[tuple[str, int]]:
    """Return for each token the word of the contents that it is of, and where that begins.

    A mark is its own; what the template writes has none.
    """
    text = lesson.conversation.text
    found: list[tuple[str, int]] = []
    words = list(word_offsets(text))
    starts = [start for start, _ in words]
    for offset in lesson.plain.offsets:
        if offset is None:
            found.append(("", 0))
            continue
        place = bisect_right(starts, max(offset[1] - 1, 0)) - 1
        inside = place >= 0 and offset[0] < words[place][1]
        start, end = words[place] if inside else offset
        word = text[start:end]
        found.append((word.strip(), start + len(word) - len(word.lstrip())))
    return found


def _counted(lesson: Lesson) -> dict[str, int]:
    plain = lesson.plain
    own = [i for i, weight in enumerate(lesson.weights) if weight > 0]
    cut = lesson.cut > 0
    taught = [turn for turn, weight in enumerate(lesson.ends) if weight is not None]
    found = {
        "rows_without": not own and not lesson.lost,
        "rows_cut": cut,
        "rows_cut_before": not own and lesson.lost > 0,
        "straddling": lesson.straddling,
        "turns": len(taught),
        "ended_turns": sum(bool(lesson.ends[turn]) for turn in taught),
    }
    if own:
        template = sum(plain.offsets[i] is None and plain.typed[i] is None for i in own)
        found |= {
            "tokens": len(lesson.weights),
            "learned_tokens": len(own),
            "template_tokens": template,
        }
    return {name: int(value) for name, value in found.items()}


def taken(seen: list[Seen]) -> str:
    """Say how many tokens of a row would be learned and are hidden; empty where none is.

    >>> taken([Seen("Hi", hidden=True), Seen("Yo", hidden=True, weight=1.0)])
    "1 token that would be learned is hidden; '… - role:assistant' hides in the prompts alone."
    """
    count = sum(token.hidden and token.weight > 0 for token in seen)
    what = "1 token that would be learned is" if count == 1 else (
        f"{count} tokens that would be learned are"
    )  # fmt: skip
    return f"{what} hidden; '… - role:assistant' hides in the prompts alone." if count else ""


def strip(seen: list[Seen]) -> str:
    """Return a row as one text: what is hidden in ink, what is learned between ⟦ and ⟧.

    >>> strip([Seen("Hi "), Seen("you", hidden=True), Seen("Yo", weight=1.0)])
    'Hi ███⟦Yo⟧'
    """
    said, inside = "", False
    for token in seen:
        if (token.weight > 0) != inside:
            inside = not inside
            said += "⟦" if inside else "⟧"
        text = token.text
        said += "".join(c if c.isspace() else "█" for c in text) if token.hidden else text
    return said + "⟧" * inside
