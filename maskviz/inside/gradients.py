"""The gradient of a model's answer by its attention."""

from __future__ import annotations

from typing import Any

from ..errors import CapabilityError, ParameterError
from ..masks.encoding import Encoding
from ..models.model import Model
from ..readings.batches import batch
from .steering import under_matrix
from .tape import check_keys, eager, parts_of, shape_of, unseen
from .target import target_of
from .watch import Layer, Product, watching


def parts_with_gradients(
    model: Model, encoding: Encoding, allowed: Any, target: tuple[int, ...] = ()
) -> dict[str, list[Layer]]:
    """Run forward and backward once; return the layers of each part with gradients in float32.

    The answer is the logit of the predicted label; of an encoder–decoder without labels, the sum of
    the logits of what it would write behind each token of the target; of a decoder, of the token it
    would write next; of a model that only fills, of its best guesses at the hidden tokens. All
    layers are held in float32, since the backward pass needs them.
    """
    import torch

    network = model.main_network()
    given = {**batch(model, [encoding]), **_read_by_decoder(model, encoding, target)}
    kept: list[Product] = []
    with model.lock, torch.enable_grad(), eager(network), under_matrix(model, network, allowed):
        with watching(lambda _, product: kept.append(product)):
            output = network(**given)
        answer = _answer(model, encoding, output)
        weights = [product.weights for product in kept]
        gradients = torch.autograd.grad(answer, weights, allow_unused=True) if kept else ()
    if not kept:
        raise unseen(model)
    layers = [_layer(w, g) for w, g in zip(weights, gradients, strict=True)]
    parts = _by_part(model, layers)
    _check(model, parts, len(encoding))
    return parts


def _layer(weights: Any, gradient: Any) -> Layer:
    """Return one layer in NumPy: weights in float16, the gradient in float32, 0 where unused."""
    import torch

    whole = torch.zeros_like(weights) if gradient is None else gradient
    shape = (-1, *weights.shape[-2:])
    half = weights.detach().reshape(shape).half().cpu().numpy()
    return Layer(half, gradient=whole.reshape(shape).float().cpu().numpy())


def _by_part(model: Model, layers: list[Layer]) -> dict[str, list[Layer]]:
    """Tell the layers of a pass apart: the encoder's first, then self and cross in turn."""
    if not model.config.is_encoder_decoder:
        return {parts_of(model)[0]: layers}
    depth = shape_of(model, "encoder")[0]
    behind = layers[depth:]
    return {"encoder": layers[:depth], "decoder": behind[::2], "cross": behind[1::2]}


def _check(model: Model, parts: dict[str, list[Layer]], keys: int) -> None:
    for part, layers in parts.items():
        if part != "decoder" or len(parts) == 1:
            check_keys(model, layers[0].weights, keys)


def _read_by_decoder(model: Model, encoding: Encoding, target: tuple[int, ...]) -> dict[str, Any]:
    """Return what the decoder of an encoder–decoder reads: a classifier's reads the text itself."""
    import torch

    if not model.config.is_encoder_decoder:
        return {}
    if "classify" in model.capabilities:
        if target:
            raise ParameterError(
                f"The labels of {model.name!r} ({model.family}) are read from a decoder that reads "
                "the text itself, no target: choose the part encoder for relevance."
            )
        return {}
    ids = target or target_of(model, encoding.text, None).ids
    at = model.main_network().device
    return {"decoder_input_ids": torch.tensor([ids], device=at), "use_cache": False}


def _answer(model: Model, encoding: Encoding, output: Any) -> Any:
    import torch

    logits: Any = getattr(output, "logits", None)
    if "classify" in model.capabilities:
        return logits[0].max()
    if model.config.is_encoder_decoder and logits is not None:
        return logits[0].max(-1).values.sum()
    if "fill" in model.capabilities and any(encoding.hidden):
        at = torch.tensor([i for i, hidden in enumerate(encoding.hidden) if hidden])
        return logits[0, at].max(-1).values.sum()
    if "generate" in model.capabilities and "fill" not in model.capabilities:
        return logits[0, -1].max()
    raise CapabilityError(
        f"The model {model.name!r} ({model.family}) gives no answer to take a gradient of: choose "
        "a classifier, hide a word for a model that fills, or choose rollout."
    )
