"""Figures of an evaluation: accuracy with its interval, macro-F1, perplexity."""

from __future__ import annotations

import math
from typing import Any


def half_width(accuracy: float, count: int) -> float:
    """Return half the 95 % interval of an accuracy over `count` rows (normal approximation).

    >>> round(half_width(0.8, 400), 3)
    0.039
    """
    return 1.96 * math.sqrt(max(accuracy * (1 - accuracy), 0.0) / count) if count else 0.0


def macro_f1(predicted: Any, labels: Any) -> float:
    """Return the mean over the labels that occur of 2·TP / (2·TP + FP + FN)."""
    import numpy as np

    scores = []
    for label in np.unique(labels):
        hit = np.sum((predicted == label) & (labels == label))
        wrong = np.sum((predicted == label) != (labels == label))
        scores.append(2 * hit / (2 * hit + wrong))
    return float(np.mean(scores))


def compute_metrics(prediction: Any) -> dict[str, float]:
    """Return accuracy and macro-F1 of class numbers, ignoring places labelled −100."""
    import numpy as np

    predicted, labels = np.asarray(prediction.predictions), np.asarray(prediction.label_ids)
    kept = labels != -100
    predicted, labels = predicted[kept], labels[kept]
    if not labels.size:
        return {}
    accuracy = float((predicted == labels).mean())
    figures = {"accuracy": accuracy, "ci95": half_width(accuracy, labels.size)}
    # Over a vocabulary a mean over classes says little and costs much.
    return figures if kept.ndim > 1 else {**figures, "macro_f1": macro_f1(predicted, labels)}


def most_likely(logits: Any, _labels: Any) -> Any:
    """Return the class numbers, so that whole logits are not kept during an evaluation."""
    return (logits[0] if isinstance(logits, tuple) else logits).argmax(-1)
