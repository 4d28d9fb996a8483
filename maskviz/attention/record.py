"""One pass under watch: the layers of attention of a part of a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import CapabilityError, ParameterError
from ..masks.encoding import Encoding
from ..models.model import Model
from ..models.predict import batch
from .steering import core_of, is_decoder, under_matrix
from .watch import Layer, Product, watching

PARTS = ("encoder", "decoder", "cross")


def parts_of(model: Model) -> tuple[str, ...]:
    """Return which parts of a model attend.

    >>> from maskviz.models import load_model
    >>> parts_of(load_model("mini"))
    ('encoder',)
    """
    if model.config.is_encoder_decoder:
        return PARTS
    return ("decoder",) if is_decoder(model.config) else ("encoder",)


def shape_of(model: Model, part: str) -> tuple[int, int]:
    """Return the layers and heads of a part, read from the configuration: no pass is needed."""
    config = model.config
    layers = config.num_hidden_layers
    if part != "encoder":
        for name in ("decoder_layers", "num_decoder_layers"):
            layers = getattr(config, name, None) or layers
    heads = config.num_attention_heads
    if part != "encoder":
        heads = getattr(config, "decoder_attention_heads", None) or heads
    return int(layers), int(heads)


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
    tape = _Tape(model, len(encoding), layers, needs, part == "cross")
    if needs == "gradients":
        from .gradients import run_with_gradients

        run_with_gradients(model, encoding, allowed, tape)
    else:
        _run(model, encoding, part, allowed, target, tape)
    if not tape.seen:
        raise CapabilityError(
            f"The architecture {model.family!r} does not show its attention: choose another model."
        )
    if not tape.layers:
        raise ParameterError(
            f"There is no layer {layers.start + 1 if layers else 1}: the model has {tape.seen}."
        )
    return tape.layers


class _Tape:
    """What is kept of each product as it goes by."""

    def __init__(
        self, model: Model, keys: int, layers: range | None, needs: str, cross: bool
    ) -> None:
        self.model, self.keys, self.wanted, self.needs = model, keys, layers, needs
        self.step = (1, 2) if cross else (0, 1)  # a decoder attends to itself, then across
        self.seen, self.layers = 0, []  # type: int, list[Layer]

    def take(self, number: int, product: Product) -> None:
        first, step = self.step
        if number % step != first % step:
            return
        weights, values = product.heads()
        if weights.shape[-1] != self.keys:
            raise CapabilityError(
                f"The architecture {self.model.family!r} attends in blocks of "
                f"{weights.shape[-1]} tokens at this length, not from token to token: "
                "shorten the text or choose another model."
            )
        self.seen += 1
        if self.wanted is not None and self.seen - 1 not in self.wanted:
            return
        half = weights.detach().half().cpu().numpy()
        if self.needs != "values":
            self.layers.append(Layer(half))
            return
        projection = product.projection()
        projection = None if projection is None else projection.detach().float().cpu().numpy()
        self.layers.append(Layer(half, values.float().cpu().numpy(), projection))


def _run(
    model: Model, encoding: Encoding, part: str, allowed: Any, target: tuple[int, ...], tape: _Tape
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


@contextmanager
def eager(network: Any) -> Iterator[None]:
    """Run with eager attention, the only implementation that computes its weights in the open."""
    before = network.config._attn_implementation
    if before != "eager":
        network.set_attn_implementation("eager")
    try:
        yield
    finally:
        if before != "eager":
            network.set_attn_implementation(before)
