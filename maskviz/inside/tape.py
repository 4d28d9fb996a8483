"""What is kept of a pass under watch, and which parts of a model there are to watch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import CapabilityError
from ..models.checks import demand
from ..models.model import Model
from .watch import Layer, Product

PARTS = ("encoder", "decoder", "cross")


def parts_of(model: Model) -> tuple[str, ...]:
    """Return which parts of a model attend.

    >>> from maskviz.models import load_model
    >>> parts_of(load_model("mini"))
    ('encoder',)
    """
    if model.config.is_encoder_decoder:
        return PARTS
    return (demand(model, "direction").value,)


def shape_of(model: Model, part: str) -> tuple[int, int]:
    """Return the layers and heads of a part, read from the configuration: no pass is needed.

    Raises CapabilityError for an architecture without heads.
    """
    config = model.config
    layers = config.num_hidden_layers
    if part != "encoder":
        for name in ("decoder_layers", "num_decoder_layers"):
            layers = getattr(config, name, None) or layers
    heads = getattr(config, "num_attention_heads", None)
    if heads is None:
        raise unseen(model)
    if part != "encoder":
        heads = getattr(config, "decoder_attention_heads", None) or heads
    return int(layers), int(heads)


def unseen(model: Model) -> CapabilityError:
    """Return the error for an architecture that multiplies no attention in the open."""
    return CapabilityError(
        f"The architecture {model.family!r} does not show its attention: choose another model."
    )


def check_keys(model: Model, weights: Any, keys: int) -> None:
    """Raise CapabilityError unless each token attends to each of `keys` tokens."""
    if weights.shape[-1] != keys:
        raise CapabilityError(
            f"The architecture {model.family!r} attends in blocks of {weights.shape[-1]} tokens at "
            "this length, not from token to token: shorten the text or choose another model."
        )


class Enough(Exception):
    """Ends a pass behind the last layer that is wanted."""


class Tape:
    """What is kept of each product as it goes by.

    All layers lie in one array from the start: kept one by one they would lie scattered among the
    pass's own tensors, and the memory of those would never be given back.
    """

    def __init__(
        self, model: Model, keys: int, part: str, layers: range | None, needs: str
    ) -> None:
        self.model, self.keys, self.wanted, self.needs = model, keys, layers, needs
        self.step = (
            (1, 2) if part == "cross" else (0, 1)
        )  # a decoder attends to itself, then across
        self.part = part
        self.whole: Any = None  # float16 (layers, heads, queries, keys)
        self.seen = 0
        self.layers: list[Layer] = []

    def take(self, number: int, product: Product) -> None:
        """Keep what is wanted of one product; raises Enough behind the last of it."""
        first, step = self.step
        if number % step != first % step:
            return
        weights, values = product.heads()
        check_keys(self.model, weights, self.keys)
        self.seen += 1
        if self.wanted is not None and self.seen - 1 not in self.wanted:
            return
        half = self.kept(weights)
        if self.needs != "values":
            self.layers.append(Layer(half))
        else:
            projection = product.projection()
            projection = None if projection is None else projection.detach().float().cpu().numpy()
            self.layers.append(Layer(half, values.float().cpu().numpy(), projection))
        if self.wanted is not None and self.seen == self.wanted.stop:
            raise Enough

    def kept(self, weights: Any) -> Any:
        """Return one layer's weights in float16, in their place among the others."""
        import numpy as np
        import torch

        at = len(self.layers)
        if self.whole is None:
            wanted = self.wanted or range(shape_of(self.model, self.part)[0])
            self.whole = np.empty((len(wanted), *weights.shape), np.float16)
        if at >= len(self.whole):  # an architecture with more layers than its configuration says
            return weights.detach().half().cpu().numpy()
        torch.from_numpy(self.whole[at]).copy_(weights.detach())
        return self.whole[at]


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
