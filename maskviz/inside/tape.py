"""What is kept of a pass under watch, and which parts of a model there are to watch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..errors import CapabilityError, MaskvizError, ParameterError
from ..models.checks import demand, finding
from ..models.model import Model
from .core import core_of
from .projection import Gated
from .watch import Layer, Product, by_head, watching

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
    config = config_of(model.config, part)
    heads = getattr(config, "num_attention_heads", None)
    layers = getattr(config, "num_hidden_layers", None)
    if part != "encoder":  # T5 has it beside the encoder's
        layers = getattr(config, "num_decoder_layers", None) or layers
    if not isinstance(heads, int) or not isinstance(layers, int):
        raise unseen(model)
    return layers, heads


def attending(model: Model, part: str) -> tuple[int, ...]:
    """Return the numbers of the layers of a part that attend, from 0.

    >>> from maskviz.models import load_model
    >>> attending(load_model("mini"), "encoder")
    (0, 1, 2, 3)
    """
    found = finding(model, "layers")
    if part == parts_of(model)[0] and found.passed:
        return tuple(found.value["attend"])
    return tuple(range(shape_of(model, part)[0]))


def without_attention(model: Model, part: str) -> str:
    """Return a sentence that names the layers of a part without attention; empty where none is."""
    found = finding(model, "layers")
    if part != parts_of(model)[0] or not found.passed:
        return ""
    others = [i for i in range(found.value["of"]) if i not in found.value["attend"]]
    if not others:
        return ""
    named = ", ".join(str(i + 1) for i in others)
    which = f"Layer {named}" if len(others) == 1 else f"Layers {named}"
    computes = "computes" if len(others) == 1 else "compute"
    return f"{which} of {model.name} ({model.family}) {computes} no attention."


def config_of(config: Any, part: str) -> Any:
    """Return the configuration of a part, the one that has its layers and heads."""
    if not config.is_encoder_decoder:
        return config.get_text_config()
    side = "encoder" if part == "encoder" else "decoder"
    own = getattr(config, side, None)  # T5Gemma keeps one for each
    if own is not None:
        return own.get_text_config()
    return config.get_text_config(**{side: True})


def modules_of(network: Any, part: str) -> dict[str, Any]:
    """Return the module of a network that computes a part, by name."""
    if part == "encoder" or not network.config.is_encoder_decoder:
        return {part: core_of(network)}
    return {"decoder": network.get_decoder()}


def unseen(model: Model) -> CapabilityError:
    """Return the error for an architecture that multiplies no attention in the open."""
    return CapabilityError(
        f"The architecture {model.family!r} does not show its attention: choose another model."
    )


def no_layer(model: Model, layer: int, attending: Sequence[int], count: int) -> MaskvizError:
    """Return the error where a layer, by number, is none that attends; `count` layers have run."""
    if not attending:
        return unseen(model)
    if not 0 <= layer < count:
        return ParameterError(f"There is no layer {layer + 1}: the model has {count}.")
    others = ", ".join(str(one + 1) for one in attending)
    return ParameterError(
        f"Layer {layer + 1} of {model.name!r} ({model.family}) computes no attention: choose one "
        f"of {others}."
    )


def check_keys(model: Model, weights: Any, keys: int) -> None:
    """Raise CapabilityError unless each token attends to each of `keys` tokens."""
    if weights.shape[-1] != keys:
        raise CapabilityError(
            f"The architecture {model.family!r} attends in blocks of {weights.shape[-1]} tokens at "
            "this length, not from token to token: shorten the text or choose another model."
        )


def not_projected(model: Model) -> CapabilityError:
    """Return the error for an architecture that does more to the heads than to project them."""
    return CapabilityError(
        f"The architecture {model.family!r} does not pass its heads to the output projection as "
        "they are, nor behind a gate (a mixture lies between): choose raw, mean or rollout."
    )


class Order:
    """Tells the products of one layer apart: a decoder attends to itself, then across."""

    def __init__(self, model: Model, part: str) -> None:
        self.model, self.part = model, part
        self.cross = model.config.is_encoder_decoder and part != "encoder"
        self.layer, self.nth = -1, 0
        self.row: Any = None  # that of the last token: all would be held on to

    def counts(self, product: Product) -> bool:
        """Tell whether a product is this part's attention in its layer.

        Raises CapabilityError where a layer has two, which differ.
        """
        if product.part is None:
            return False
        self.nth = self.nth + 1 if product.layer == self.layer else 0
        self.layer = product.layer
        if self.cross:
            return self.nth == (1 if self.part == "cross" else 0)
        row = by_head(product.weights)[:, -1]
        if self.nth and not _same(self.row, row):
            raise CapabilityError(
                f"The architecture {self.model.family!r} computes two attentions in layer "
                f"{self.layer + 1}, which are mixed afterwards: choose another model."
            )
        self.row = row.detach().clone()
        return self.nth == 0


def _same(one: Any, other: Any) -> bool:
    import torch

    return one.shape == other.shape and torch.allclose(one, other, atol=1e-6)


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
        self.part, self.order = part, Order(model, part)
        self.whole: Any = None  # float16 (layers, heads, queries, keys)
        self.seen: list[int] = []  # the numbers of the layers that attend
        self.layers: list[Layer] = []
        self.count = 0  # layers that ran, whether they attend or not

    @contextmanager
    def watching(self, network: Any) -> Iterator[None]:
        """Keep what is wanted of the passes through a network while the block runs."""
        parts = modules_of(network, self.part)
        with watching(parts, self.take, linear=self.needs == "values", entered=self.entered) as at:
            try:
                yield
            finally:
                self.count = max(at.counts.values(), default=0)

    def entered(self, layer: int) -> None:
        """End the pass, by Enough, where a layer begins behind the last that is wanted."""
        if self.wanted is not None and layer >= self.wanted.stop:
            raise Enough

    def take(self, product: Product) -> None:
        """Keep what is wanted of one product."""
        if not self.order.counts(product):
            return
        weights, values = product.heads()
        check_keys(self.model, weights, self.keys)
        self.seen.append(product.layer)
        if self.wanted is not None and product.layer not in self.wanted:
            return
        half, number = self.kept(weights), product.layer
        if self.needs != "values":
            self.layers.append(Layer(half, number=number))
            return
        if product.projection is None:
            raise not_projected(self.model)
        self.layers.append(Layer(half, _array(values), _array(product.projection), number=number))

    def kept(self, weights: Any) -> Any:
        """Return one layer's weights in float16, in their place among the others."""
        import numpy as np
        import torch

        at = len(self.layers)
        if self.whole is None:
            wanted = self.wanted or range(shape_of(self.model, self.part)[0])
            self.whole = np.empty((len(wanted), *weights.shape), np.float16)
        if self.whole.shape[1:] != weights.shape:
            raise CapabilityError(
                f"The architecture {self.model.family!r} has {self.whole.shape[1]} heads in one "
                f"layer and {len(weights)} in another: ask for one layer at a time."
            )
        if at >= len(self.whole):  # an architecture with more layers than its configuration says
            return weights.detach().half().cpu().numpy()
        torch.from_numpy(self.whole[at]).copy_(weights.detach())
        return self.whole[at]


def _array(tensor: Any) -> Any:
    """Return a tensor, or those of a projection behind a gate, as float32 in NumPy."""
    if isinstance(tensor, Gated):
        return Gated(_array(tensor.gate), _array(tensor.weight))
    return tensor.detach().float().cpu().numpy()


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
