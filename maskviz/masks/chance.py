"""Strategies by chance: words, model tokens, runs of words.

Span lengths follow SpanBERT (Joshi et al. 2020, https://arxiv.org/abs/1907.10529): a geometric
distribution with p = 0.2, cut at 10 words and renormalised, whose mean is 3.797.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from ..models.model import Model
from ..text.document import Document
from .registry import Parameter, budget, shuffled, strategy
from .spans import MaskSpan

_P, _LONGEST = 0.2, 10
SPAN_LENGTH_WEIGHTS = tuple(_P * (1 - _P) ** (n - 1) for n in range(1, _LONGEST + 1))


@strategy(
    "random", "budgeted", "Hides whole words at random (whole-word masking).", default_ratio=0.15
)
def random_words(document: Document, ratio: float, rng: random.Random) -> Iterator[MaskSpan]:
    """Choose words uniformly without replacement."""
    words = document.words
    for index in drawn_words(len(words), ratio, rng):
        yield MaskSpan(words[index].start, words[index].end, "drawn at random")


def drawn_words(count: int, ratio: float, rng: random.Random) -> list[int]:
    """Draw the indices of the words to hide out of `count`."""
    return shuffled(range(count), rng)[: budget(count, ratio)]


@strategy(
    "random-token",
    "bernoulli",
    "Hides each model token with the same probability, as BERT's pre-training does.",
    default_ratio=0.15,
    needs=frozenset({"tokenizer"}),
    parameters=(
        Parameter("model", "text", "mini", "the model whose tokens are drawn", loaded=True),
    ),
)
def random_tokens(
    document: Document, ratio: float, rng: random.Random, *, model: Model
) -> Iterator[MaskSpan]:
    """Choose each token that is not special with probability `ratio`, independently.

    Agrees in distribution with transformers' DataCollatorForLanguageModeling, on the tokens that
    stand for characters: SentencePiece's token of white space alone is never hidden.
    """
    for offset in model.tokenise(document.text).offsets:
        if offset and offset[0] < offset[1] and rng.random() < ratio:
            yield MaskSpan(*offset, "token drawn at random")


@strategy("span", "budgeted", "Hides runs of 1 to 10 words, as SpanBERT does.", default_ratio=0.15)
def spans(document: Document, ratio: float, rng: random.Random) -> Iterator[MaskSpan]:
    """Choose runs of words with truncated geometric lengths until the budget is met exactly.

    The last run is cut to the budget. The runs are placed uniformly: they and the words that
    stay visible are put into one random order.
    """
    words = document.words
    for first, length in drawn_runs(len(words), ratio, rng):
        run = words[first : first + length]
        yield MaskSpan(run[0].start, run[-1].end, f"run of {length} words drawn at random")


def drawn_runs(count: int, ratio: float, rng: random.Random) -> list[tuple[int, int]]:
    """Draw the runs to hide out of `count` words, as (first word, length)."""
    total = budget(count, ratio)
    lengths = drawn_lengths(total, rng)
    if lengths:
        lengths[-1] -= sum(lengths) - total
    runs, first = [], 0
    for length in shuffled(lengths + [0] * (count - total), rng):
        if length:
            runs.append((first, length))
        first += length or 1
    return runs


def drawn_lengths(total: int, rng: random.Random) -> list[int]:
    """Draw span lengths in words until they reach `total`; the last may reach beyond it."""
    lengths: list[int] = []
    reached = 0
    while reached < total:
        lengths.append(span_length(rng))
        reached += lengths[-1]
    return lengths


def span_length(rng: random.Random) -> int:
    """Draw one span length in words from Geo(0.2) cut to 1–10 and renormalised."""
    point = rng.random() * sum(SPAN_LENGTH_WEIGHTS)
    for length, weight in enumerate(SPAN_LENGTH_WEIGHTS, start=1):
        point -= weight
        if point < 0:
            return length
    return _LONGEST
