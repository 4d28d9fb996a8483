"""Predictions of a classifier, in batches of texts of similar length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..masks.encoding import Encoding
from .model import Model, load_model


@dataclass(frozen=True)
class Prediction:
    """A classifier's answer for one text.

    label: the most probable label.
    probabilities: label → probability in [0, 1]; they sum to 1 (multi-label heads: each for
        itself; regression: one value, unbounded).
    """

    label: str
    probabilities: dict[str, float]

    @property
    def confidence(self) -> float:
        """The probability of the predicted label."""
        return self.probabilities[self.label]


def predict(
    model: Model | str, encodings: Sequence[Encoding], batch_size: int = 32
) -> list[Prediction]:
    """Classify the encodings; the answers come in their order.

    Raises CapabilityError where the model is no classifier.
    """
    loaded = load_model(model)
    return [
        prediction_of(loaded, row) for row in class_probabilities(loaded, encodings, batch_size)
    ]


def class_probabilities(model: Model, encodings: Sequence[Encoding], batch_size: int = 32) -> Any:
    """Return the outputs as a float array (texts, labels), after softmax or sigmoid."""
    import numpy as np
    import torch

    network = model.network("classify")
    answers = np.zeros((len(encodings), model.config.num_labels))
    # Texts of similar length share a batch, so that little of it is padding.
    order = sorted(range(len(encodings)), key=lambda i: len(encodings[i]))
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        with model.lock, torch.inference_mode():
            logits = network(**batch(model, [encodings[i] for i in rows])).logits
        answers[rows] = activate(model.config, logits).double().cpu().numpy()
    return answers


def batch(model: Model, encodings: Sequence[Encoding]) -> dict[str, Any]:
    """Return padded `input_ids` and `attention_mask`, each (texts, tokens), on the device."""
    import torch

    from .model import device

    longest = max(map(len, encodings))
    padding = model.tokenizer.pad_token_id or 0
    ids = [[*e.input_ids, *[padding] * (longest - len(e))] for e in encodings]
    seen = [[*e.attention_mask, *[0] * (longest - len(e))] for e in encodings]
    return {
        "input_ids": torch.tensor(ids, device=device()),
        "attention_mask": torch.tensor(seen, device=device()),
    }


def activate(config: Any, logits: Any) -> Any:
    """Turn logits (texts, labels) into probabilities; a regression's value stays as it is."""
    if config.num_labels == 1:
        return logits
    if config.problem_type == "multi_label_classification":
        return logits.sigmoid()
    return logits.softmax(-1)


def prediction_of(model: Model, row: Any) -> Prediction:
    """Return the prediction that one row of probabilities (labels,) says."""
    labels = model.labels
    return Prediction(labels[int(row.argmax())], dict(zip(labels, map(float, row), strict=True)))
