"""Words that the operator `attention` hides, out of sight of a classifier while it learns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...errors import CapabilityError
from ...inside.checks.probe import probe
from ...inside.checks.sight import from_answers
from ...models.checks import demand
from ...models.model import Model
from ...models.raised import naming
from ...readings.hiding import START, read_again

Batch = dict[str, Any]


def out_of_sight(network: Any, model: Model) -> Callable[[Batch], Batch]:
    """Return what makes of a batch one in which hidden words are out of sight of all that reads it.

    Raises CapabilityError where the network's answer would move with them all the same.
    """
    training = network.training
    with naming(model.family):
        found = from_answers(model, network.eval(), probe(model))
    network.train(training)
    if not found.passed or not found.value["last"]:
        raise CapabilityError(
            f"The architecture {model.family!r} does not hide words from attention ({found.said}): "
            "train with the operator mask, delete or unk."
        )
    config = network.config
    if config.is_encoder_decoder:
        start = int(config.decoder_start_token_id)
        first = start if found.value["begins"] == START else None
        return lambda batch: {**batch, **read_again(batch, first, start)}
    if demand(model, "direction").value == "decoder":
        return lambda batch: {**batch, "input_ids": trimmed(batch, config.pad_token_id)}
    return lambda batch: batch


def trimmed(batch: Batch, pad: int) -> Any:
    """Return the ids with padding in place of the hidden tokens at the ends of the texts.

    A decoder's answer is read at the last token, and no token looks ahead.

    >>> import torch
    >>> trimmed({"input_ids": torch.tensor([[5, 6, 7]]),
    ...          "attention_mask": torch.tensor([[0, 1, 0]])}, 0)
    tensor([[5, 6, 0]])
    """
    ids, seen = batch["input_ids"], batch["attention_mask"]
    behind = seen.flip(1).cumsum(1).flip(1) == 0
    return ids.masked_fill(behind, pad)
