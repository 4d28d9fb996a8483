"""What a decoder answers to questions with irrelevant sentences: right or wrong, and ln p.

An answer is right where each of its tokens, its end mark too, is the most probable one behind
those before: then, and only then, greedy decoding writes these very tokens and stops. ln p is that
of the answer's own tokens, the end mark left out. It is preferred where its ln p is above that of
a wrong answer of its kind: a measure that a model which answers in whole sentences can be held to.

Who was tuned to write down first what matters is asked for that too, and answers behind its own
words: these are written greedily, and ln p is that of the answer behind them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...data.distraction import Question
from ...errors import TextError
from ...models.checks import finding
from ...readings.language.scoring import begun, logits_at
from ...text.conversation import Conversation, Turn
from ...text.span import Span
from ...training.data.lessons import Lesson, Teacher
from ...training.data.spoken import MESSAGES, Spoken
from ...training.data.teaching import IGNORED, SpokenMasker, Taught, TaughtCollator, taught
from ...training.spec.loss_spec import LossSpec
from ...training.spec.mask_spec import MaskingSpec
from .thinking import End, write

_BATCH = 32


@dataclass(frozen=True)
class Answered:
    """What a network says to some questions, each (questions,). right: whether it writes the
    answer; log_p: of the answer, nats; preferred: to the wrong one; tokens: of what it reads.
    """

    right: tuple[bool, ...]
    log_p: tuple[float, ...]
    preferred: tuple[bool, ...]
    tokens: tuple[int, ...]


def spoken(asked: Question, answer: str = "", before: str = "", thought: str = "") -> Spoken:
    """Return a question as a row to learn from, its irrelevant sentences marked.

    before: what is said before it; thought: what is written down before the answer.
    """
    lead, answer = f"{before}\n" if before else "", answer or asked.answer
    said = f"{thought} {answer}" if thought else answer
    marked = (Span(s.start + len(lead), s.end + len(lead), s.label) for s in asked.beside)
    turns = (Turn("user", f"{lead}{asked.asked}"), Turn("assistant", said))
    return Spoken(Conversation(turns), MESSAGES, tuple(marked))


def oracle(operator: str) -> MaskingSpec:
    """Return the mask that hides exactly the irrelevant sentences."""
    return MaskingSpec("spans", operator)


def ask(network: Any, model: Any, asked: Sequence[Question], masking: MaskingSpec) -> Answered:
    """Put questions to a network, masked; `model` has its tokenizer and template.

    Raises TextError where a question is longer than the model reads.
    """
    return Asked(model, asked).put(network, masking)


@dataclass(frozen=True)
class _Row:
    """A question with an answer as a network reads it.

    own: (n,) at each place whether the token behind it is one of the answer's.
    """

    taught: Taught
    own: tuple[bool, ...]

    @property
    def first(self) -> int:
        """The place that the answer is first predicted from."""
        return next(i for i, label in enumerate(self.taught.labels) if label != IGNORED)


@dataclass(frozen=True)
class _Scored:
    exact: bool
    log_p: float


class Asked:
    """Questions as a model reads them, made into tokens once for all networks and masks.

    before: what is said before each; thinks: whether what matters is to be written down first.
    """

    def __init__(
        self, model: Any, asked: Sequence[Question], before: str = "", thinks: bool = False
    ) -> None:
        self.model, self.asked = model, asked
        self.before, self.thinks = before, thinks
        thoughts = [one.thought if thinks else "" for one in asked]
        self.right = self._lessons([one.answer for one in asked], thoughts)
        self.wrong = [] if thinks else self._lessons([one.foil for one in asked], thoughts)

    def _lessons(self, answers: Sequence[str], thoughts: Sequence[str]) -> list[Lesson]:
        teacher = Teacher(self.model, LossSpec(), 0, self.model.max_length)
        both = zip(self.asked, answers, thoughts, strict=True)
        found = [teacher.lesson(spoken(one, a, self.before, t)) for one, a, t in both]
        if any(lesson.cut for lesson in found):
            raise TextError(
                f"A question is longer than the {self.model.max_length:,} tokens that "
                f"{self.model.name!r} reads: choose another model."
            )
        return found

    def put(self, network: Any, masking: MaskingSpec) -> Answered:
        """Ask a network under a mask."""
        right = self._rows(self.right, masking, [one.answer for one in self.asked])
        written: tuple[bool, ...] | None = None
        if self.thinks:
            thoughts, written = self._think(network, right)
            rows = [
                self._rows(self._lessons(answers, thoughts), masking, answers)
                for answers in ([q.answer for q in self.asked], [q.foil for q in self.asked])
            ]
            right, wrong = rows
        else:
            wrong = self._rows(self.wrong, masking, [one.foil for one in self.asked])
        pairs = self._scored(network, right, wrong)
        return Answered(
            written or tuple(one.exact for one, _ in pairs),
            tuple(one.log_p for one, _ in pairs),
            tuple(one.log_p > other.log_p for one, other in pairs),
            tuple(len(row.taught.input_ids) for row in right),
        )

    def _rows(
        self, lessons: Sequence[Lesson], masking: MaskingSpec, answers: Sequence[str]
    ) -> list[_Row]:
        masker = SpokenMasker(self.model, lessons, masking, 0)
        read = masker.rows(range(len(lessons)))
        return [
            _Row(taught(lesson, row), _own(lesson, row.source, answer))
            for lesson, row, answer in zip(lessons, read, answers, strict=True)
        ]

    def _think(self, network: Any, rows: Sequence[_Row]) -> tuple[list[str], tuple[bool, ...]]:
        """Return what a network writes before its answers, and whether these are right."""
        prompts = [(r.taught.input_ids[: r.first + 1], r.taught.visible[: r.first + 1])
                   for r in rows]  # fmt: skip
        longest = 8 + max(sum(t != IGNORED for t in row.taught.labels) for row in rows)
        end = End.of(self.model.tokenizer, [_end_mark(row) for row in rows])
        thoughts: list[str] = []
        right: list[bool] = []
        for text, ended in write(network, self.model, prompts, end, longest):
            thought, point, answer = text.strip().rpartition(". ")
            thoughts.append(f"{thought}." if point else "")
            right.append(ended and answer.strip() == self.asked[len(right)].answer)
        return thoughts, tuple(right)

    def _scored(
        self, network: Any, right: Sequence[_Row], wrong: Sequence[_Row]
    ) -> list[tuple[_Scored, _Scored]]:
        shares = bool(finding(self.model, "shared beginnings").passed)
        order = sorted(range(len(right)), key=lambda i: -len(right[i].taught.input_ids))
        found: dict[int, tuple[_Scored, _Scored]] = {}
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            both = [right[i] for i in chosen], [wrong[i] for i in chosen]
            answers = _of_both(network, self.model.padding, *both, shares)
            found |= dict(zip(chosen, answers, strict=True))
        return [found[i] for i in range(len(right))]


def _own(lesson: Lesson, source: Sequence[int | None] | None, answer: str) -> tuple[bool, ...]:
    """Return at each place whether the token behind it is one of the answer's."""
    places = range(len(lesson.plain.input_ids)) if source is None else source
    offsets, begins = lesson.plain.offsets, len(lesson.conversation.text) - len(answer)
    ends = [0 if s is None or offsets[s] is None else offsets[s][1] for s in places]  # type: ignore[index]
    return (*(end > begins for end in ends[1:]), False)


def _end_mark(row: _Row) -> int | None:
    """Return the token by which an answer ends, None where its template has no such mark."""
    last = max(i for i, label in enumerate(row.taught.labels) if label != IGNORED)
    return None if row.own[last] else row.taught.labels[last]


def _of_both(
    network: Any, padding: int, right: Sequence[_Row], wrong: Sequence[_Row], shares: bool
) -> list[tuple[_Scored, _Scored]]:
    """Score right and wrong answers of a batch; what both stand behind is read once."""
    with begun((), 0, keeps=shares) as first:
        one = _forward(network, padding, right)
    common = min(_common(a, b) for a, b in zip(right, wrong, strict=True))
    with begun(first.kept if shares else (), common if shares else 0):
        other = _forward(network, padding, wrong)
    return list(zip(one, other, strict=True))


def _common(one: _Row, other: _Row) -> int:
    """Return how many tokens two rows have in common before either is to be predicted."""
    pairs = zip(one.taught.input_ids, other.taught.input_ids, strict=False)
    differ = (i for i, (a, b) in enumerate(pairs) if a != b)
    return min(one.first, other.first, next(differ, one.first))


def _forward(network: Any, padding: int, rows: Sequence[_Row]) -> list[_Scored]:
    import torch

    collate = TaughtCollator(padding, sparse=False, places=False)
    batch = collate([[row.taught] for row in rows])
    labels = batch["labels"]  # (rows, tokens)
    places = [(line != IGNORED).nonzero()[:, 0].tolist() for line in labels]
    longest = max(map(len, places))
    at = torch.tensor([[*p, *[p[-1]] * (longest - len(p))] for p in places])
    device = next(network.parameters()).device
    inputs = {name: batch[name].to(device) for name in ("input_ids", "attention_mask")}
    with torch.inference_mode():
        said = logits_at(network, inputs, at.to(device)).float()  # (rows, longest, vocabulary)
    wanted = labels.gather(1, at).to(device)
    hit = (said.argmax(-1) == wanted).tolist()
    log_p = (said.gather(-1, wanted[..., None])[..., 0] - said.logsumexp(-1)).tolist()
    return [
        _Scored(
            all(hit[i][: len(p)]),
            sum(log_p[i][j] for j, place in enumerate(p) if row.own[place]),
        )
        for i, (p, row) in enumerate(zip(places, rows, strict=True))
    ]
