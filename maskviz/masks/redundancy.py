"""The strategy `redundant`: hides sentences that repeat earlier ones."""

from __future__ import annotations

import random

from ..text.document import Document
from .mask import MaskSpan
from .registry import Parameter, capped, strategy

_CONTENT = ("NOUN", "PROPN", "VERB", "ADJ", "ADV", "NUM")
_FEWEST = 2


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
    content word are kept.
    """
    from ..errors import ParameterError

    if not 0 < threshold <= 1:
        raise ParameterError(f"The threshold is {threshold} and must lie in (0, 1], such as 0.5.")
    found, similarity = document.sentences, _similarities(document)
    hits: list[MaskSpan] = []
    kept: list[int] = []
    for i, sentence in enumerate(found):
        closest = max(kept, key=lambda j: similarity[i][j], default=None)
        if closest is None or similarity[i][closest] < threshold:
            kept.append(i)
            continue
        score = float(similarity[i][closest])
        reason = f"sentence {i + 1} repeats sentence {closest + 1} (similarity {score:.2f})"
        hits.append(MaskSpan(sentence.start, sentence.end, reason, score))
    return capped(document, hits, ratio, rng)


def _similarities(document: Document):
    """Return the cosine similarities as a float array (sentences, sentences)."""
    import numpy as np

    bags = [
        [
            document.text[t.start : t.end].casefold()
            for t in document.parts_of_speech
            if s.start <= t.start < s.end and t.label in _CONTENT
        ]
        for s in document.sentences
    ]
    vocabulary = {word: i for i, word in enumerate(sorted({w for bag in bags for w in bag}))}
    counts = np.zeros((len(bags), len(vocabulary)))
    for row, bag in zip(counts, bags, strict=True):
        for word in bag if len(bag) >= _FEWEST else ():
            row[vocabulary[word]] += 1
    weights = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0)
    norms = np.maximum(np.linalg.norm(weights, axis=1, keepdims=True), 1e-12)
    return (weights / norms) @ (weights / norms).T
