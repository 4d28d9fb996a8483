"""Figures of an evaluation: accuracy with its interval, F1, errors of a regression."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...data.groups import FEWEST
from ..spec.spec import MULTI, REGRESSION
from . import text_scores

FIGURES = (
    "loss", "accuracy", "worst_group_accuracy", "ci95", "ci95_low", "ci95_high", "macro_f1",
    "micro_f1", "exact_match",
    "mae", "rmse", "pearson", *text_scores.FIGURES, "written_rows",
)  # fmt: skip
HEADLINES = {"accuracy": "Accuracy", "micro_f1": "Micro-F1", "mae": "Mean absolute error"}
Metrics = Callable[[Any], dict[str, float]]


INTERVAL = ("ci95", "ci95_low", "ci95_high")


def sure(hits: Any, counts: Any = None) -> dict[str, float]:
    """Return the 95 % interval of a share, and half its width as `ci95`.

    hits: right or not by row (Wilson's), or with `counts` how many of so many tokens of each row
    (over the rows as clusters). Empty for a single row, whose spread is not known.

    >>> {name: round(value, 3) for name, value in sure([1] * 29 + [0]).items()}
    {'ci95': 0.081, 'ci95_low': 0.833, 'ci95_high': 0.994}
    """
    from ...shares import in_clusters, wilson

    if len(hits) < 2:
        return {}
    if counts is None:
        low, high = wilson(int(sum(hits)), len(hits))
    else:
        low, high = in_clusters([int(h) for h in hits], [int(n) for n in counts])
    return dict(zip(INTERVAL, ((high - low) / 2, low, high), strict=True))


def macro_f1(predicted: Any, labels: Any) -> float:
    """Return the mean of 2·TP / (2·TP + FP + FN) over the labels that occur or are answered."""
    import numpy as np

    scores = []
    for label in np.union1d(labels, predicted):
        hit = np.sum((predicted == label) & (labels == label))
        wrong = np.sum((predicted == label) != (labels == label))
        scores.append(2 * hit / (2 * hit + wrong))
    return float(np.mean(scores))


def group_accuracies(predicted: Any, labels: Any, groups: Sequence[str]) -> dict[str, float]:
    """Return the accuracy of each group of ten rows or more; of all where none has as many.

    >>> group_accuracies([1, 0, 0], [1, 0, 1], ["x", "x", "y"])
    {'x': 1.0, 'y': 0.0}
    """
    right: dict[str, list[bool]] = {}
    for group, one, other in zip(groups, predicted, labels, strict=True):
        right.setdefault(group, []).append(bool(one == other))
    enough = {g: r for g, r in right.items() if len(r) >= FEWEST} or right
    return {group: sum(found) / len(found) for group, found in sorted(enough.items())}


def metrics_of(kind: str) -> Metrics:
    """Return the function that Trainer computes the figures with, by the kind of task."""
    return {MULTI: multi_label_metrics, REGRESSION: regression_metrics}.get(kind, compute_metrics)


def compute_metrics(prediction: Any) -> dict[str, float]:
    """Return accuracy and macro-F1 of class numbers, ignoring places labelled −100."""
    import numpy as np

    predicted, labels = np.asarray(prediction.predictions), np.asarray(prediction.label_ids)
    if labels.ndim > 1 and predicted.shape != labels.shape:  # padded to the longest, each alone
        width = min(predicted.shape[1], labels.shape[1])
        predicted, labels = predicted[:, :width], labels[:, :width]
    kept = labels != -100
    if not kept.any():
        return {}
    right = (predicted == labels) & kept
    figures = {"accuracy": float(right.sum() / kept.sum())}
    if kept.ndim > 1:
        some = kept.any(1)
        figures |= sure(right[some].sum(1), kept[some].sum(1))
    else:
        figures |= sure(right[kept])
    predicted, labels = predicted[kept], labels[kept]
    # Over a vocabulary a mean over classes says little and costs much.
    return figures if kept.ndim > 1 else {**figures, "macro_f1": macro_f1(predicted, labels)}


def multi_label_metrics(prediction: Any) -> dict[str, float]:
    """Return micro-F1 and macro-F1 over the labels, and the share of rows that are right in all.

    predictions, label_ids: (rows, labels) of 0 and 1. A label that never occurs and is never
    given counts 0 in macro-F1.
    """
    import numpy as np

    predicted = np.asarray(prediction.predictions) > 0.5
    labels = np.asarray(prediction.label_ids) > 0.5
    hits, wrong = (predicted & labels).sum(0), (predicted != labels).sum(0)
    exact = float((predicted == labels).all(1).mean())
    return {
        "micro_f1": float(2 * hits.sum() / max(2 * hits.sum() + wrong.sum(), 1)),
        "macro_f1": float((2 * hits / np.maximum(2 * hits + wrong, 1)).mean()),
        "exact_match": exact,
        **sure((predicted == labels).all(1)),
    }


def regression_metrics(prediction: Any) -> dict[str, float]:
    """Return mean absolute error, root mean squared error and Pearson's r."""
    import numpy as np

    predicted = np.asarray(prediction.predictions, dtype=float).reshape(-1)
    labels = np.asarray(prediction.label_ids, dtype=float).reshape(-1)
    difference = predicted - labels
    figures = {
        "mae": float(np.abs(difference).mean()),
        "rmse": float(np.sqrt((difference**2).mean())),
    }
    if predicted.std() > 0 and labels.std() > 0:
        figures["pearson"] = float(np.corrcoef(predicted, labels)[0, 1])
    return figures


def answer_of(kind: str) -> Callable[[Any, Any], Any]:
    """Return what turns logits into answers, so that whole logits are not kept."""
    if kind == MULTI:
        return lambda logits, _: (logits > 0).int()  # a sigmoid over 0.5
    if kind == REGRESSION:
        return lambda logits, _: logits.squeeze(-1).float()
    return most_likely


def most_likely(logits: Any, _labels: Any) -> Any:
    """Return the class numbers, so that whole logits are not kept during an evaluation."""
    return (logits[0] if isinstance(logits, tuple) else logits).argmax(-1)
