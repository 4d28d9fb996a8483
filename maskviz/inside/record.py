"""One pass under watch: the layers of attention of a part of a model."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ..errors import ParameterError
from ..masks.encoding import Encoding
from ..models.model import Model
from ..readings.batches import batch
from .core import core_of
from .gradients import parts_with_gradients
from .steering import under_matrix
from .tape import Enough, Tape, eager, unseen
from .watch import Layer, watching


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
    with suppress(Enough):
        _run(model, encoding, part, allowed, target, tape)
    if not tape.seen:
        raise unseen(model)
    if not tape.layers:
        raise ParameterError(
            f"There is no layer {layers.start + 1 if layers else 1}: the model has {tape.seen}."
        )
    return tape.layers


def _run(
    model: Model, encoding: Encoding, part: str, allowed: Any, target: tuple[int, ...], tape: Tape
) -> None:
    import torch

    network = model.main_network()
    linear = tape.needs == "values"
    with model.lock, torch.inference_mode(), eager(network):
        given = batch(model, [encoding])
        if part == "encoder" or not network.config.is_encoder_decoder:
            with under_matrix(model, network, allowed), watching(tape.take, linear):
                core_of(network)(**given)
            return
        with under_matrix(model, network, allowed):
            read = network.get_encoder()(**given)
        tape.keys = len(target) if part == "decoder" else tape.keys
        tape.step = (0 if part == "decoder" else 1, 2)
        ids = torch.tensor([target], device=network.device)
        with watching(tape.take, linear):
            network.base_model(
                encoder_outputs=read,
                attention_mask=given["attention_mask"],
                decoder_input_ids=ids,
                use_cache=False,
            )
