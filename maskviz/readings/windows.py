"""What a model answers to masked texts, also to those longer than it takes.

A text over the limit is cut at its end, or read in windows of about equal length that end at a
word; the logits of the windows are averaged, which is what gives one answer for the whole text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import UnknownNameError
from ..masks.encoding import Encoding
from ..masks.mask import Mask
from ..masks.operators import apply_many
from ..masks.spans import MaskSpan
from ..models.memory import remembered
from ..models.model import Model
from ..text.alignment import plain_offsets
from .labels import Prediction, prediction_of
from .question import Question

LONG = ("cut", "windows")
_MARGIN = 24  # tokens left free: a window grows by _NEAR at most, and when tokenised on its own
_NEAR = 16  # tokens that a window's end moves back to meet the start of a word


@dataclass(frozen=True)
class Answers:
    """What a model answers to several masked texts.

    logits, probabilities: float arrays (texts, outputs).
    notice: where the text was cut or read in windows, a sentence that says so, else empty.
    """

    question: Question
    logits: Any
    probabilities: Any
    notices: tuple[str, ...] = ()

    def prediction(self, row: int) -> Prediction:
        """Return the answer to one of the texts."""
        return prediction_of(self.question, self.probabilities[row], self.logits[row])


def read(question: Question, masks: Sequence[tuple[Mask, str]], long: str = "cut") -> Answers:
    """Ask about each mask under its operator; `long` is `cut` or `windows`.

    Raises UnknownNameError for another `long`, MaskError where nothing is left to read.
    """
    checked_long(long)
    return answers_of(question, encodings_of(masks, question.model, long))


def answers_of(question: Question, pieces: Sequence[Sequence[Encoding]]) -> Answers:
    """Ask about texts given as the encodings of their windows."""
    import numpy as np

    logits = question.logits([encoding for row in pieces for encoding in row])
    ends = np.cumsum([len(row) for row in pieces])
    rows = [logits[end - len(row) : end].mean(0) for row, end in zip(pieces, ends, strict=True)]
    means = np.stack(rows) if rows else logits
    notices = tuple(_notice(row, question.model) for row in pieces)
    return Answers(question, means, question.probabilities(means), notices)


def checked_long(long: str) -> str:
    """Return the way to read long texts, or raise UnknownNameError."""
    if long not in LONG:
        raise UnknownNameError.of("way to read long texts", long, LONG)
    return long


def encodings_of(
    masks: Sequence[tuple[Mask, str]], model: Model, long: str = "cut"
) -> list[list[Encoding]]:
    """Return what the model reads of each mask under its operator: one encoding, or its windows'.

    Masks under one operator go together, so that the guesses of `infill` share passes.
    """
    pieces = [parts(mask, model, long) for mask, _ in masks]
    found: dict[str, Iterator[Encoding]] = {}
    for name in dict.fromkeys(operator for _, operator in masks):
        own = [part for (_, o), row in zip(masks, pieces, strict=True) if o == name for part in row]
        found[name] = iter(apply_many(own, name, model))
    return [
        [next(found[operator]) for _ in row]
        for (_, operator), row in zip(masks, pieces, strict=True)
    ]


def parts(mask: Mask, model: Model, long: str) -> list[Mask]:
    """Return the mask of each window; of the whole text where one window takes it."""
    bounds = windows(model, mask.text) if long == "windows" else ((0, len(mask.text)),)
    return [mask] if len(bounds) == 1 else [_slice(mask, *bound) for bound in bounds]


def _slice(mask: Mask, start: int, end: int) -> Mask:
    spans = tuple(
        MaskSpan(max(s.start, start) - start, min(s.end, end) - start, s.reason, s.score, s.label)
        for s in mask.spans
        if s.start < end and s.end > start
    )
    spoken = mask.spoken or ("" if mask.text.isascii() else mask.language or "")
    return Mask(
        mask.text[start:end], spans, mask.strategy, mask.parameters, mask.seed, spoken=spoken
    )


@remembered(maxsize=256)
def windows(model: Model, text: str, longest: int | None = None) -> tuple[tuple[int, int], ...]:
    """Return the (start, end) characters of each window; they join without a gap.

    longest: the tokens of a window, where the model takes more.
    """
    if model.tokenise(text, longest).truncated_at is None:
        return ((0, len(text)),)
    starts = _token_starts(model, text)
    length = min(model.max_length, longest or model.max_length)
    room = length - model.tokenizer.num_special_tokens_to_add() - _MARGIN
    count = -(-len(starts) // max(1, room))
    cuts = [0]
    for number in range(1, count):
        wanted = number * len(starts) // count
        near = range(wanted, max(wanted - _NEAR, 0), -1)
        index = next((i for i in near if text[starts[i] - 1].isspace()), wanted)
        cuts.append(starts[index])
    return tuple(zip(cuts, [*cuts[1:], len(text)], strict=True))


def _token_starts(model: Model, text: str) -> list[int]:
    """Return the first character of each token, white space aside; special tokens left out."""
    with model.running():
        offsets = plain_offsets(model.tokenizer, text)
    return [start + len(text[start:end]) - len(text[start:end].lstrip()) for start, end in offsets]


def _notice(row: Sequence[Encoding], model: Model) -> str:
    if len(row) == 1:
        return row[0].notice
    return (
        f"The text is longer than the {model.max_length:,} tokens that {model.name} "
        f"{model.takes}: "
        f"it is read in {len(row)} windows, and their answers (logits) are averaged."
    )
