"""The strategy `redundant`: hides sentences that repeat earlier ones."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ..text.document import Document
from ..text.language import most_frequent
from .registry import Parameter, capped, strategy
from .spans import MaskSpan

_CONTENT = ("NOUN", "PROPN", "VERB", "ADJ", "ADV", "NUM")
_FEWEST = 2
_AT_ONCE = 256  # sentences whose similarity to all earlier ones is in memory at a time


@strategy(
    "redundant",
    "exhaustive",
    "Hides sentences that repeat what earlier ones said.",
    needs=frozenset({"pipeline"}),
    parameters=(
        Parameter(
            "threshold",
            "number",
            0.5,
            "similarity to an earlier sentence from which it is hidden",
            label="Threshold: similarity, 0 to 1",
            step=0.05,
        ),
    ),
)
def redundant(
    document: Document, ratio: float | None, rng: random.Random, *, threshold: float = 0.5
) -> list[MaskSpan]:
    """Choose each sentence whose cosine similarity to a kept earlier one reaches `threshold`.

    Sentences are bags of lower-cased content words (nouns, verbs, adjectives, adverbs, numbers)
    weighted by 1 + ln(count); the score is the similarity in [0, 1]. Sentences with a single
    content word are kept. Where no pipeline tells parts of speech, content words are those that
    are not among the 200 most frequent of the language (wordfreq), or else all.
    """
    from ..errors import ParameterError

    if not 0 < threshold <= 1:
        raise ParameterError(f"The threshold is {threshold} and must lie in (0, 1], such as 0.5.")
    hits: list[MaskSpan] = []
    for i, closest, score in _repeats(_bags(document), threshold):
        sentence = document.sentences[i]
        reason = f"sentence {i + 1} repeats sentence {closest + 1} (similarity {score:.2f})"
        hits.append(MaskSpan(sentence.start, sentence.end, reason, score))
    return capped(document, hits, ratio, rng)


def _repeats(bags: Any, threshold: float) -> Iterator[tuple[int, int, float]]:
    """Yield (sentence, the kept earlier one it is most like, similarity) of each that repeats."""
    import numpy as np

    kept = np.zeros(bags.shape[0], dtype=bool)
    for start in range(0, len(kept), _AT_ONCE):
        end = min(start + _AT_ONCE, len(kept))
        similar = (bags[start:end] @ bags[:end].T).toarray()  # (sentences of the block, earlier)
        for i, row in enumerate(similar, start):
            row[~kept[:end]] = -1.0
            closest = int(row.argmax())
            if row[closest] < threshold:
                kept[i] = True
            else:
                yield i, closest, float(row[closest])


def _bags(document: Document) -> Any:
    """Return the weighted content words of each sentence, of length 1: sparse (sentences, words).

    A sentence with a single content word is left empty, so that it is like no other.
    """
    from scipy.sparse import csr_array

    vocabulary: dict[str, int] = {}
    rows, columns, values = [], [], []
    for row, bag in enumerate(_counts(document)):
        if bag.total() < _FEWEST:
            continue
        weights = {word: 1 + math.log(count) for word, count in bag.items()}
        norm = math.hypot(*weights.values())
        rows += [row] * len(weights)
        columns += [vocabulary.setdefault(word, len(vocabulary)) for word in weights]
        values += [weight / norm for weight in weights.values()]
    shape = (len(document.sentences), max(1, len(vocabulary)))
    return csr_array((values, (rows, columns)), shape=shape)


def _counts(document: Document) -> list[Counter[str]]:
    """Return how often each content word stands in each sentence, lower-cased."""
    sentences = document.sentences
    starts, counts = [s.start for s in sentences], [Counter[str]() for _ in sentences]
    for start, word in _content(document):
        number = bisect_right(starts, start) - 1
        if number >= 0 and start < sentences[number].end:
            counts[number][word] += 1
    return counts


def _content(document: Document) -> Iterator[tuple[int, str]]:
    """Yield the place and the lower-cased letters of each content word."""
    if document.read_by:
        for token in document.parts_of_speech:
            if token.label in _CONTENT:
                yield token.start, document.text[token.start : token.end].casefold()
        return
    common = most_frequent(document.language)
    for word in document.words:
        written = document.text[word.start : word.end].casefold()
        if written not in common:
            yield word.start, written
