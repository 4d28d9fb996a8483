"""Occlusion of a long prompt in two steps: sentences first, then the words of the telling ones.

A prompt of 8,000 tokens has 6,000 words, and hiding each in turn reads 25 million tokens. Hiding
each sentence says where to look; in the sentences that move the answer most each word is hidden.
The words of all others get their sentence's score in equal parts.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import MaskvizError
from ...masks.mask import Mask
from ...masks.operators import apply
from ...masks.spans import MaskSpan
from ...readings.question import Question
from ...text.document import Document
from .methods import Scores, Word

ONE_BY_ONE = 400  # words of a text of which each is hidden without more ado
TELLING = 200  # words at most that are hidden one by one in the second step
_PIECE = 20  # words of a piece where there is no pipeline to say what a sentence is


@dataclass(frozen=True)
class Cost:
    """What scoring a long text takes: passes over it, tokens that are read, and seconds."""

    passes: int
    tokens: int
    seconds: float

    @property
    def sentence(self) -> str:
        """The cost as one sentence."""
        minutes = self.seconds / 60
        taken = f"{minutes:.0f} minutes" if minutes >= 1.5 else f"{self.seconds:.0f} seconds"
        return (
            f"Scoring this long text reads it {self.passes:,} times with a part hidden, about "
            f"{self.tokens:,} tokens: about {taken} here."
        )


def is_long(question: Question, text: str) -> bool:
    """Tell whether a language model's prompt is scored in two steps."""
    return question.kind.answers is not None and len(Mask(text).words) > ONE_BY_ONE


def cost(question: Question, text: str) -> Cost:
    """Return what scoring takes, from the time of one pass.

    A variant is read from its first hidden word on, which is half of the text on average.
    """
    plain = apply(text, "attention", question.model)
    begin = time.perf_counter()
    question.logits([plain])
    spent = time.perf_counter() - begin
    passes = len(_pieces(text, _end(question, text))) + TELLING
    return Cost(passes, passes * len(plain) // 2, passes * spent / 2)


def staged(question: Question, text: str, index: int, words: Sequence[Word]) -> Scores:
    """Score the words of a long text in two steps; the notice says which were hidden themselves."""
    pieces = _pieces(text, _end(question, text))
    plain = apply(text, "attention", question.model)
    whole, odds = _falls(question, plain, text, pieces, index)
    inside = [[i for i, w in enumerate(words) if w[0] < end and w[1] > start]
              for start, end in pieces]  # fmt: skip
    values, log_odds = [0.0] * len(words), [0.0] * len(words)
    for piece, own in enumerate(inside):
        for i in own:
            values[i] += whole[piece] / len(own)
            log_odds[i] += odds[piece] / len(own)
    telling = _telling(odds, inside)
    chosen = [i for piece in telling for i in inside[piece]]
    own_falls, own_odds = _falls(question, plain, text, [words[i] for i in chosen], index)
    for i, fall, odd in zip(chosen, own_falls, own_odds, strict=True):
        values[i], log_odds[i] = fall, odd
    notice = (
        f"Of {len(pieces):,} sentences each was hidden first; in the {len(telling):,} that move "
        f"the answer most the {len(chosen):,} words were hidden one by one, all others have their "
        "sentence's score in equal parts."
    )
    return Scores(tuple(values), log_odds=tuple(log_odds), notice=notice)


def _telling(odds: Sequence[float], inside: Sequence[Sequence[int]]) -> list[int]:
    """Return the sentences that move the answer most, as long as their words are few enough."""
    found: list[int] = []
    left = TELLING
    for piece in sorted(range(len(odds)), key=lambda p: -abs(odds[p])):
        if 0 < len(inside[piece]) <= left:
            found.append(piece)
            left -= len(inside[piece])
    return sorted(found)


def _falls(
    question: Question, plain: Any, text: str, places: Sequence[Word], index: int
) -> tuple[list[float], list[float]]:
    """Return by how far an output falls without each place: its p (or value) and its log-odds."""
    operator = "mask" if question.model.mask_token_id is not None else "attention"
    masks = [Mask(text, (MaskSpan(*place),)) for place in places]
    logits = question.logits([plain, *(apply(m, operator, question.model) for m in masks)])
    p, odds = question.probabilities(logits)[:, index], question.log_odds(logits)[:, index]
    return [float(p[0] - x) for x in p[1:]], [float(odds[0] - x) for x in odds[1:]]


def _end(question: Question, text: str) -> int:
    read = question.model.tokenise(text).truncated_at
    return len(text) if read is None else read


def _pieces(text: str, end: int) -> list[Word]:
    """Return the sentences that are read, or pieces of 20 words where there is no pipeline."""
    try:
        found = [(s.start, min(s.end, end)) for s in Document(text).sentences if s.start < end]
    except MaskvizError:
        words = [word for word in Mask(text).words if word[0] < end]
        found = [
            (words[i][0], words[min(i + _PIECE, len(words)) - 1][1])
            for i in range(0, len(words), _PIECE)
        ]
    return found
