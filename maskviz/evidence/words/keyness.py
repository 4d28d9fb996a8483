"""Which words tell labels apart, counted over labelled data: no model is asked.

Keyness is the z-score of the log-odds ratio with an informative Dirichlet prior (Monroe, Colaresi
and Quinn 2008, "Fightin' Words", eq. 16 and 22): with y counts under a label, n their sum, a the
prior's (the counts over all labels), over the rest likewise,

    δ = ln((y + a) / (n + a₀ − y − a)) − ln((y' + a) / (n' + a₀ − y' − a)),
    z = δ / √(1 / (y + a) + 1 / (y' + a)).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from ...text.words import word_offsets


def lower_words(text: str) -> list[str]:
    """Return the lower-cased words of a text."""
    return [text[start:end].casefold() for start, end in word_offsets(text)]


def log_odds(texts: Sequence[str], labels: Sequence[str]) -> dict[str, Mapping[str, float]]:
    """Return label → word → z-score; the prior is the count over all labels.

    >>> scores = log_odds(["good film", "good book", "bad film"], ["+", "+", "-"])
    >>> scores["+"]["good"] > scores["+"]["film"] > scores["+"]["bad"]
    True
    """
    counts: dict[str, Counter[str]] = {label: Counter() for label in labels}
    for text, label in zip(texts, labels, strict=True):
        counts[label].update(lower_words(text))
    return scores_of_counts(counts)


def scores_of_counts(counts: Mapping[str, Counter[str]]) -> dict[str, Mapping[str, float]]:
    """Return label → word → z-score from how often each word stands under each label."""
    prior = sum(counts.values(), Counter[str]())
    return {label: _scores(own, prior) for label, own in counts.items()}


def _scores(own: Counter[str], prior: Counter[str]) -> dict[str, float]:
    a0, n = prior.total(), own.total()
    rest = a0 - n
    scores = {}
    for word, a in prior.items():
        y, other = own[word], prior[word] - own[word]
        first = math.log((y + a) / max(n + a0 - y - a, 1))
        second = math.log((other + a) / max(rest + a0 - other - a, 1))
        scores[word] = (first - second) / math.sqrt(1 / (y + a) + 1 / (other + a))
    return scores


def inverse_document_frequency(texts: Sequence[str]) -> dict[str, float]:
    """Return word → ln((1 + N) / (1 + df)) + 1 over N texts, the smooth form of scikit-learn."""
    frequency: Counter[str] = Counter()
    for text in texts:
        frequency.update(set(lower_words(text)))
    return {w: math.log((1 + len(texts)) / (1 + df)) + 1 for w, df in frequency.items()}


def keyness_scores(text: str, texts: Sequence[str], labels: Sequence[str]) -> list[float]:
    """Return for each word of `text` its largest |z| over the labels; 0 for an unknown word."""
    table = _cached_log_odds(tuple(texts), tuple(labels))
    return [
        max((abs(scores.get(word, 0.0)) for scores in table.values()), default=0.0)
        for word in lower_words(text)
    ]


def tfidf_scores(text: str, texts: Sequence[str]) -> list[float]:
    """Return for each word of `text` its count there times its idf over `texts`."""
    idf = _cached_idf(tuple(texts))
    unseen = math.log(1 + len(texts)) + 1
    words = lower_words(text)
    counts = Counter(words)
    return [counts[word] * idf.get(word, unseen) for word in words]


@lru_cache(maxsize=4)
def _cached_log_odds(
    texts: tuple[str, ...], labels: tuple[str, ...]
) -> dict[str, Mapping[str, float]]:
    return log_odds(texts, labels)


@lru_cache(maxsize=4)
def _cached_idf(texts: tuple[str, ...]) -> dict[str, float]:
    return inverse_document_frequency(texts)


def labelled_data(path: str = "") -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return texts and labels of a file, its columns guessed, or of the generated example set."""
    modified = Path(path).expanduser().stat().st_mtime_ns if path and Path(path).exists() else 0
    return _labelled(path, modified)


@lru_cache(maxsize=4)
def _labelled(path: str, _modified: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from ...data import guess_columns, make_example, read_table, select
    from ...errors import DataError

    if not path:
        frame = make_example()
        return tuple(frame["text"]), tuple(frame["label"])
    frame = read_table(path)
    columns = guess_columns(frame)
    if columns.label is None:
        raise DataError(f"{path!r} has no column that looks like labels: name one 'label'.")
    chosen = select(frame, columns.text, columns.label)
    return chosen.texts, chosen.labels
