"""The gradient of a model's answer by its attention."""

from __future__ import annotations

from typing import Any

from ..errors import CapabilityError, ParameterError
from ..masks.encoding import Encoding
from ..models.model import Model
from ..readings.batches import batch
from ..readings.hiding import batch_unseen
from .steering import under_matrix
from .tape import Order, check_keys, eager, modules_of, parts_of, unseen
from .target import target_of
from .watch import Layer, Product, by_head, watching


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
    given = _given(model, encoding, target)
    kept: list[Product] = []
    steered = under_matrix(model, network, allowed)
    with model.running(), torch.enable_grad(), eager(network), steered:
        with watching(_modules(model, network), kept.append):
            output = network(**given)
        parts = _by_part(model, kept)
        if not all(parts.values()):
            raise unseen(model)
        _check(model, parts, len(encoding))
        products = [product for part in parts.values() for product in part]
        weights = [product.weights for product in products]
        answer = _answer(model, encoding, output)
        gradients = iter(torch.autograd.grad(answer, weights, allow_unused=True))
    return {name: [_layer(p, next(gradients)) for p in part] for name, part in parts.items()}


def _modules(model: Model, network: Any) -> dict[str, Any]:
    """Return the modules of a network whose attention is taken, by the name of their part."""
    parts = parts_of(model)
    return {name: one for part in parts for name, one in modules_of(network, part).items()}


def _layer(product: Product, gradient: Any) -> Layer:
    """Return one layer in NumPy: weights in float16, the gradient in float32, 0 where unused."""
    import torch

    whole = torch.zeros_like(product.weights) if gradient is None else gradient
    half = by_head(product.weights.detach()).half().cpu().numpy()
    return Layer(half, gradient=by_head(whole).float().cpu().numpy(), number=product.layer)


def _by_part(model: Model, products: list[Product]) -> dict[str, list[Product]]:
    """Tell the products of a pass apart: those of each part, one a layer."""
    parts: dict[str, list[Product]] = {}
    for part in parts_of(model):
        order = Order(model, part)
        side = "decoder" if part == "cross" else part
        found = parts[part] = []
        for one in (one for one in products if one.part == side):
            if order.counts(one):
                found.append(one)
            elif not order.cross and one.values.shape[-1] > found[-1].values.shape[-1]:
                found[-1] = one  # the same again: of LiLT's two that of the text is the wider
    return parts


def _check(model: Model, parts: dict[str, list[Product]], keys: int) -> None:
    for part, products in parts.items():
        if part != "decoder" or len(parts) == 1:
            for product in products:
                check_keys(model, product.weights, keys)
                if part != "cross":
                    check_keys(model, product.weights.transpose(-1, -2), keys)
                _has_gradient(model, product.weights)


def _has_gradient(model: Model, weights: Any) -> None:
    if not weights.requires_grad:
        raise CapabilityError(
            f"The architecture {model.family!r} lets no gradient through to every layer of its "
            "attention: choose raw, mean or rollout."
        )


def _given(model: Model, encoding: Encoding, target: tuple[int, ...]) -> dict[str, Any]:
    """Return what the network reads; the decoder of a classifier reads the text itself."""
    import torch

    if "classify" in model.capabilities:
        if target:
            raise ParameterError(
                f"The labels of {model.name!r} ({model.family}) are read from a decoder that reads "
                "the text itself, no target: choose the part encoder for relevance."
            )
        return batch_unseen(model, [encoding])
    inputs = batch(model, [encoding])
    if not model.config.is_encoder_decoder:
        return inputs
    ids = target or target_of(model, encoding.text, None).ids
    at = model.main_network().device
    return {**inputs, "decoder_input_ids": torch.tensor([ids], device=at), "use_cache": False}


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
