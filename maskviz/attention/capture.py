"""The attention of every head, captured in one pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..errors import CapabilityError
from ..masks.encoding import Encoding
from ..masks.mask import Mask
from ..masks.operators import apply
from ..models.model import Model, load_model

METHODS = ("raw",)


@dataclass(frozen=True, eq=False)
class Attention:
    """The attention of one pass.

    weights: float16 (layers, heads, queries, keys); each row sums to 1.
    encoding: what the model read; its tokens name the queries and the keys.
    """

    weights: Any
    encoding: Encoding
    model: str

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens on both axes."""
        return self.encoding.tokens

    @property
    def layers(self) -> int:
        """The number of layers."""
        return self.weights.shape[0]

    @property
    def heads(self) -> int:
        """The number of heads in a layer."""
        return self.weights.shape[1]


def attend(
    text: Mask | str, model: Model | str = "mini", operator: str = "mask", allowed: Any = None
) -> Attention:
    """Capture the self-attention of every layer and head over a text or a masked text.

    `allowed` is an attention matrix, bool (tokens, tokens): see `maskviz.masks.matrices`.
    Encoder–decoders give the attention of their encoder. Raises CapabilityError where the
    architecture does not show its attention.

    >>> attend("A short text.").weights.shape[:2]
    (4, 4)
    """
    loaded = load_model(model)
    encoding = apply(text, operator, loaded)
    return Attention(capture(loaded, encoding, allowed), encoding, loaded.name)


def capture(model: Model, encoding: Encoding, allowed: Any = None) -> Any:
    """Return float16 (layers, heads, tokens, tokens) for one encoding."""
    import numpy as np
    import torch

    from ..models.predict import batch
    from .steering import under_matrix

    network = model.main_network()
    core = core_of(network)
    steered = under_matrix(model, network, allowed)
    with model.lock, torch.inference_mode(), eager(network), steered:
        layers = core(**batch(model, [encoding]), output_attentions=True).attentions
    if not layers or layers[0] is None:
        raise CapabilityError(
            f"The architecture {model.family!r} does not show its attention: choose another model."
        )
    return np.stack([layer[0].half().cpu().numpy() for layer in layers])


def core_of(network: Any) -> Any:
    """Return the part of a network that attends: without its head, of two parts the encoder."""
    return network.get_encoder() if network.config.is_encoder_decoder else network.base_model


@contextmanager
def eager(network: Any) -> Iterator[None]:
    """Run with eager attention, the only implementation that returns its weights."""
    before = network.config._attn_implementation
    if before != "eager":
        network.set_attn_implementation("eager")
    try:
        yield
    finally:
        if before != "eager":
            network.set_attn_implementation(before)
