"""What a decoder answers to questions with irrelevant sentences: right or wrong, and ln p.

An answer is right where each of its tokens, its end mark too, is the most probable one behind
those before: then, and only then, greedy decoding writes these very tokens and stops. ln p is that
of the answer's own tokens, the end mark left out. It is preferred where its ln p is above that of
a wrong answer of its kind: a measure that a model which answers in whole sentences can be held to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...data.distraction import Question
from ...errors import TextError
from ...readings.language.scoring import logits_at
from ...text.conversation import Conversation, Turn
from ...training.data.lessons import Lesson, Teacher
from ...training.data.spoken import MESSAGES, Spoken
from ...training.data.teaching import IGNORED, SpokenMasker, Taught, TaughtCollator, taught
from ...training.spec.loss_spec import LossSpec
from ...training.spec.mask_spec import MaskingSpec

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


def spoken(asked: Question, answer: str = "") -> Spoken:
    """Return a question as a row to learn from, its irrelevant sentences marked."""
    turns = (Turn("user", asked.asked), Turn("assistant", answer or asked.answer))
    return Spoken(Conversation(turns), MESSAGES, asked.beside)


def oracle(operator: str) -> MaskingSpec:
    """Return the mask that hides exactly the irrelevant sentences."""
    return MaskingSpec("spans", operator)


def ask(network: Any, model: Any, asked: Sequence[Question], masking: MaskingSpec) -> Answered:
    """Put questions to a network, masked; `model` has its tokenizer and template.

    Raises TextError where a question is longer than the model reads.
    """
    right = _scored(network, model, [spoken(q) for q in asked], masking)
    wrong = _scored(network, model, [spoken(q, q.foil) for q in asked], masking)
    pairs = zip(right, wrong, strict=True)
    return Answered(
        tuple(row.exact for row in right),
        tuple(row.log_p for row in right),
        tuple(one.log_p > other.log_p for one, other in pairs),
        tuple(row.tokens for row in right),
    )


@dataclass(frozen=True)
class _Scored:
    exact: bool
    log_p: float
    tokens: int


def _scored(
    network: Any, model: Any, rows: Sequence[Spoken], masking: MaskingSpec
) -> list[_Scored]:
    teacher = Teacher(model, LossSpec(), 0, model.max_length)
    lessons = [teacher.lesson(row) for row in rows]
    if any(lesson.cut for lesson in lessons):
        raise TextError(
            f"A question is longer than the {model.max_length:,} tokens that {model.name!r} reads: "
            "choose another model."
        )
    masker = SpokenMasker(model, lessons, masking, 0)
    read = masker.rows(range(len(lessons)))
    items = [
        (taught(lesson, row), _own(lesson, row.source))
        for lesson, row in zip(lessons, read, strict=True)
    ]
    order = sorted(range(len(items)), key=lambda i: -len(items[i][0].input_ids))
    found: dict[int, _Scored] = {}
    for start in range(0, len(order), _BATCH):
        chosen = order[start : start + _BATCH]
        answers = _forward(network, model.padding, [items[i] for i in chosen])
        found |= dict(zip(chosen, answers, strict=True))
    return [found[i] for i in range(len(items))]


def _own(lesson: Lesson, source: Sequence[int | None] | None) -> list[bool]:
    """Return at each place whether the token behind it is a word of a content, no template's."""
    places = range(len(lesson.plain.input_ids)) if source is None else source
    own = [s is not None and lesson.plain.offsets[s] is not None for s in places]
    return [*own[1:], False]


def _forward(
    network: Any, padding: int, items: Sequence[tuple[Taught, list[bool]]]
) -> list[_Scored]:
    import torch

    collate = TaughtCollator(padding, sparse=False, places=False)
    batch = collate([[row] for row, _ in items])
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
            sum(log_p[i][j] for j, place in enumerate(p) if own[place]),
            len(row.input_ids),
        )
        for i, (p, (row, own)) in enumerate(zip(places, items, strict=True))
    ]
