"""The gradient of a model's answer by its attention."""

from __future__ import annotations

from typing import Any

from ..errors import CapabilityError, ParameterError
from ..masks.encoding import Encoding
from ..models.model import Model
from ..models.predict import batch
from .steering import under_matrix
from .watch import Layer, Product, watching


def run_with_gradients(model: Model, encoding: Encoding, allowed: Any, tape: Any) -> None:
    """Run forward and backward once; fill `tape` with the layers, their gradients in float32.

    The answer is the logit of the predicted label; of a decoder without labels, of the token it
    would write next; of a model that only fills, of its best guesses at the hidden tokens. All
    layers are held in float32, since the backward pass needs them.
    """
    import torch

    from .record import eager

    if model.config.is_encoder_decoder:
        raise ParameterError(
            f"Gradients are for encoders and decoders alone, and {model.name!r} "
            f"({model.family}) has both: choose rollout or norm."
        )
    network = model.main_network()
    kept: list[Product] = []

    def keep(number: int, product: Product) -> None:
        tape.take(number, product)
        kept.append(product)

    with model.lock, torch.enable_grad(), eager(network), under_matrix(model, network, allowed):
        with watching(keep):
            output = network(**batch(model, [encoding]))
        answer = _answer(model, encoding, output)
        weights = [product.weights for product in kept]
        gradients = torch.autograd.grad(answer, weights, allow_unused=True)
    for i, (layer, gradient) in enumerate(zip(tape.layers, gradients, strict=True)):
        values = torch.zeros_like(weights[i]) if gradient is None else gradient
        gradient = values.reshape(layer.weights.shape).float().cpu().numpy()
        tape.layers[i] = Layer(layer.weights, gradient=gradient)


def _answer(model: Model, encoding: Encoding, output: Any) -> Any:
    import torch

    logits = getattr(output, "logits", None)
    if "classify" in model.capabilities:
        return logits[0].max()
    if "fill" in model.capabilities and any(encoding.hidden):
        at = torch.tensor([i for i, hidden in enumerate(encoding.hidden) if hidden])
        return logits[0, at].max(-1).values.sum()
    if "generate" in model.capabilities and "fill" not in model.capabilities:
        return logits[0, -1].max()
    raise CapabilityError(
        f"The model {model.name!r} ({model.family}) gives no answer to take a gradient of: choose "
        "a classifier, hide a word for a model that fills, or choose rollout."
    )
