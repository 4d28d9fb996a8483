"""One pass under watch: the layers of attention of a part of a model."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ..masks.encoding import Encoding
from ..models.model import Model
from ..readings.batches import batch
from .core import core_of
from .gradients import parts_with_gradients
from .steering import under_matrix
from .tape import Enough, Tape, eager, no_layer, unseen
from .watch import Layer


def record(
    model: Model,
    encoding: Encoding,
    part: str,
    *,
    needs: str = "weights",
    layers: range | None = None,
    allowed: Any = None,
    target: tuple[int, ...] = (),
) -> list[Layer]:
    """Run the model once and return its layers of attention: weights in float16, the rest as asked.

    needs: `weights`, `values` or `gradients`. layers: only these, by number; without it all.
    allowed: an attention matrix for the part that reads the text. target: the ids that the
    decoder of an encoder–decoder reads. Raises CapabilityError, by the architecture's name, where
    it cannot be seen.
    """
    if needs == "gradients":
        return parts_with_gradients(model, encoding, allowed, target)[part]
    tape = Tape(model, len(encoding), part, layers, needs)
    _run(model, encoding, part, allowed, target, tape)
    if not tape.layers and layers is not None:
        whole = Tape(model, len(encoding), part, None, "weights")
        _run(model, encoding, part, allowed, target, whole)
        raise no_layer(model, layers.start, whole.seen, whole.count)
    if not tape.layers:
        raise unseen(model)
    return tape.layers


def _run(
    model: Model, encoding: Encoding, part: str, allowed: Any, target: tuple[int, ...], tape: Tape
) -> None:
    import torch

    network = model.main_network()
    with (
        model.running(),
        suppress(Enough),
        torch.inference_mode(),
        eager(network),
    ):
        given = batch(model, [encoding])
        if part == "encoder" or not network.config.is_encoder_decoder:
            with under_matrix(model, network, allowed), tape.watching(network):
                core_of(network)(**given)
            return
        with under_matrix(model, network, allowed):
            read = network.get_encoder()(**given)
        tape.keys = len(target) if part == "decoder" else tape.keys
        ids = torch.tensor([target], device=network.device)
        with tape.watching(network):
            network.base_model(
                input_ids=given["input_ids"],  # FSMT looks back only where it is given them
                encoder_outputs=read,
                attention_mask=given["attention_mask"],
                decoder_input_ids=ids,
                use_cache=False,
            )
