"""The loss of each kind of task: the mean over all rows, or tokens, of a step.

Many architectures take the mean over each batch, whatever the other batches of an accumulated step
hold. Here the sum is divided by what all of them hold together, so that a step of two batches
is the step of one of twice the size, also where the last one is smaller or its rows are longer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..spec.spec import CAUSAL, MULTI, REGRESSION

IGNORED = -100  # of tokens: a place without a label
Loss = Callable[..., Any]


def loss_of(kind: str, weights: Sequence[float] | None = None, smoothing: float = 0.0) -> Loss:
    """Return the loss `(outputs, labels, num_items_in_batch) -> scalar` of a kind of task.

    outputs: with logits (…, classes); labels: (…) class or token numbers, IGNORED where there is
    none, (batch, labels) of 0 and 1, or (batch,) numbers. weights: of the classes; smoothing: the
    share of each label that is spread over all.
    """
    import torch
    from torch.nn import functional

    if kind == CAUSAL:
        return WeighedTokens(smoothing)

    def classes(logits: Any, labels: Any) -> Any:
        weight = None if weights is None else torch.tensor(weights, device=logits.device)
        return functional.cross_entropy(
            logits.reshape(-1, logits.shape[-1]), labels.reshape(-1), weight,
            ignore_index=IGNORED, label_smoothing=smoothing, reduction="sum",
        )  # fmt: skip

    def several(logits: Any, labels: Any) -> Any:
        return functional.binary_cross_entropy_with_logits(logits, labels, reduction="sum")

    def numbers(logits: Any, labels: Any) -> Any:
        return functional.mse_loss(logits.reshape(-1), labels.reshape(-1), reduction="sum")

    summed = {MULTI: several, REGRESSION: numbers}.get(kind, classes)

    def loss(outputs: Any, labels: Any, num_items_in_batch: Any) -> Any:
        return summed(outputs["logits"].float(), labels) / num_items_in_batch.clamp(min=1)

    return loss


class WeighedTokens:
    """The loss of a decoder: Σ w ℓ over the tokens that are learned, / Σ w of the whole step.

    weights: of the batch whose loss is asked for, in the shape of its labels.
    """

    def __init__(self, smoothing: float = 0.0) -> None:
        self.smoothing, self.weights = smoothing, None

    def __call__(self, outputs: Any, labels: Any, num_items_in_batch: Any) -> Any:
        """Return the part of a step's loss that a batch has."""
        from torch.nn import functional

        logits = outputs["logits"].float()
        each = functional.cross_entropy(
            logits.reshape(-1, logits.shape[-1]), labels.reshape(-1),
            ignore_index=IGNORED, label_smoothing=self.smoothing, reduction="none",
        )  # fmt: skip
        weights: Any = self.weights
        return (each * weights.reshape(-1)).sum() / num_items_in_batch.clamp(min=1e-9)


def decoder_inputs(network: Any, labels: Any) -> Any:
    """Return what a decoder reads while it is to write `labels`: the same, one place later."""
    import torch

    own = getattr(network, "prepare_decoder_input_ids_from_labels", None)
    if own is not None:
        return own(labels=labels)
    config = network.config
    ids = labels.masked_fill(labels == IGNORED, config.pad_token_id)
    start = ids.new_full((len(ids), 1), config.decoder_start_token_id)
    return torch.cat([start, ids[:, :-1]], dim=1)
