"""Checks of explanations: occlusion, gradients, and what is made of attention."""

from __future__ import annotations

from typing import Any

from .checks import check
from .marks import NoReference, TooLong, must, own
from .seen import NEAR
from .subject import Subject, fresh
from .tiny import HIDDEN, TEXT

STEP = 1e-4  # of the scale of a word's vectors, for a slope in float64


@check("Occlusion", ("cls",))
def occlusion(one: Subject) -> None:
    """The word's score is the fall in the label's probability without it."""
    plain = one.chances(one.ids)
    token = one.model.mask_token_id
    without = one.hidden_chances() if token is None else one.chances(one.changed(token))
    label = int(plain.argmax())
    found, want = _score(one, "occlusion"), plain[label] - without[label]
    must(abs(found - want) < 1e-3, f"{found:.4f} and {want:.4f}")


@check("Gradient × input", ("cls",))
def gradient(one: Subject) -> None:
    """The word's score is the slope of the label's logit as its vectors are scaled."""
    label = int(one.chances(one.ids).argmax())
    found = _score(one, "gradient-input")
    try:
        network = fresh(one.cls, one.folder).double()
        above, below = (
            float(_scaled(one, network, scale)[label].detach()) for scale in (1 + STEP, 1 - STEP)
        )
        want = (above - below) / (2 * STEP)
    except TooLong:
        raise
    except Exception:  # noqa: BLE001 - a network that takes no float64: the slope by autograd
        want = own(lambda: _slope(one, label))
    must(abs(found - want) < 2e-2 * max(1, abs(want)), f"{found:.4f}, the slope is {want:.4f}")


def _slope(one: Subject, label: int) -> float:
    import torch

    scale = torch.ones((), requires_grad=True)
    logits = _scaled(one, fresh(one.cls, one.folder), scale)
    return float(torch.autograd.grad(logits[label], scale)[0])


def _scaled(one: Subject, network: Any, scale: Any) -> Any:
    """Return the logits with the vectors of the word scaled where the text is first read."""
    import torch

    core = network.get_encoder() if one.two_sided else network
    calls: list[int] = []

    def hook(_module: Any, _given: Any, vectors: Any) -> Any:
        if calls:
            return vectors
        calls.append(1)
        rows = torch.ones(vectors.shape[1], dtype=vectors.dtype)
        rows = rows.index_put(
            (torch.tensor(one.hidden),), torch.as_tensor(scale, dtype=vectors.dtype)
        )
        return vectors * rows[None, :, None]

    handle = core.get_input_embeddings().register_forward_hook(hook)
    ids = torch.tensor([one.ids])
    try:
        return network(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0]
    finally:
        handle.remove()


@check("Rollout")
def rollout(one: Subject) -> None:
    """The last map is the product of the reference's mean weights with their residuals."""
    import numpy as np

    import maskviz

    found = maskviz.attend(TEXT, one.model, method="rollout").weights.astype(np.float32)
    total = np.eye(len(one.ids))
    for layer in one.shown():
        step = layer.mean(0) + np.eye(len(one.ids))
        total = step / step.sum(-1, keepdims=True) @ total
    off = np.abs(found[-1, 0] - total).max()
    must(off < 2 * NEAR, f"off by {off:.2g}")
    _of_words(one, "attention-rollout")


@check("Norm")
def norm(one: Subject) -> None:
    """What the tokens bring sums to what a map of the network puts out; lengths are theirs."""
    import numpy as np

    from maskviz.attention import parts_of
    from maskviz.attention.methods import norms
    from maskviz.inside.projection import Gated
    from maskviz.inside.record import record

    layers = record(one.model, one.plain, parts_of(one.model)[0], needs="values")
    outputs = own(lambda: _outputs(one))
    for layer in layers:
        gated = isinstance(layer.projection, Gated)
        weight = layer.projection.weight if gated else layer.projection
        gate = layer.projection.gate if gated else np.float32(1)
        weights = layer.weights.astype(np.float32)
        summed = np.einsum("hqk,hkd->hqd", weights, layer.values) * gate
        brought = np.einsum("hqd,hdw->qw", summed, weight)
        near = [
            np.abs(out - brought).max() / (np.abs(out).max() + 1e-9)
            for out in outputs
            if out.shape == brought.shape
        ]
        what = f"layer {layer.number + 1}"
        must(min(near, default=9) < 2e-2, f"{what}: what is summed is no map's output")
        lengths, query = norms(layer), len(one.ids) - 1
        through = gate[:, query, None] if gated else np.float32(1)
        each = weights[:, query, :, None] * layer.values * through
        want = np.linalg.norm(np.einsum("hkd,hdw->kw", each, weight), axis=-1)
        off = np.abs(lengths[query] - want).max()
        must(off < 1e-3 * max(1, want.max()), f"{what}: lengths off by {off:.2g}")
    _of_words(one, "attention-norm")


def _outputs(one: Subject) -> list[Any]:
    """Return what the linear maps of the reference put out, less their bias, (tokens, width)."""
    import torch
    from transformers.pytorch_utils import Conv1D

    outputs: list[Any] = []

    def hook(module: Any, _given: Any, output: Any) -> None:
        if torch.is_tensor(output):
            found = output - (0 if module.bias is None else module.bias)
            outputs.append(found.detach().reshape(-1, found.shape[-1]).numpy())

    maps = [m for m in one.network.modules() if isinstance(m, torch.nn.Linear | Conv1D)]
    handles = [module.register_forward_hook(hook) for module in maps]
    try:
        one.passed(one.ids)
    finally:
        for handle in handles:
            handle.remove()
    return outputs


@check("Relevance")
def relevance(one: Subject) -> None:
    """The last map is that of the reference's weights and gradients."""
    import numpy as np

    import maskviz

    guesses = one.head == "mlm" and one.tokenizer.mask_token_id is not None
    text = one.mask if guesses else TEXT
    found = maskviz.attend(text, one.model, method="relevance").weights.astype(np.float32)
    count, layers = len(one.ids), one.shown()
    must(found.shape == (len(layers), 1, count, count), f"the shape is {found.shape}")
    must(np.isfinite(found).all() and np.abs(found).max() > 0, "nothing is relevant")
    _of_words(one, "attention-relevance")
    if one.two_sided or one.name == "squeezebert":  # transformers returns its scores
        return
    want = own(lambda: _relevance(one, guesses))
    off = np.abs(found[-1, 0] - want).max()
    must(off < 2 * NEAR * max(1, np.abs(want).max()), f"off by {off:.2g}")


def _relevance(one: Subject, guesses: bool) -> Any:
    import torch

    ids = torch.tensor([one.changed(one.tokenizer.mask_token_id) if guesses else one.ids])
    output = one.network(ids, attention_mask=torch.ones_like(ids), output_attentions=True)
    weights = [layer for layer in output.attentions if layer is not None]
    logits = output.logits[0]
    if one.head == "cls":
        answer = logits.max()
    else:
        answer = (logits[list(one.hidden)] if one.head == "mlm" else logits[-1:]).max(-1)[0].sum()
    gradients = torch.autograd.grad(answer, weights, allow_unused=True)
    if all(gradient is None for gradient in gradients):
        raise NoReference("what transformers returns is outside of the graph")
    total = start = torch.eye(len(one.ids), dtype=torch.float64)
    for layer, gradient in zip(weights, gradients, strict=True):
        if gradient is not None:
            total = total + (gradient * layer)[0].clamp(min=0).mean(0).double() @ total
    return (total - start).detach().numpy()


@check("Rollout", ("cls",))
def read_at(one: Subject) -> None:
    """Scores of attention begin at the tokens of the last layer that the answer depends on."""
    import torch

    from maskviz.attention.scores import readout

    if one.two_sided:
        raise NoReference("the answer is read from a decoder")
    kept: list[Any] = []

    def hook(_module: Any, _given: Any, output: Any) -> Any:
        state = output.last_hidden_state if hasattr(output, "last_hidden_state") else output[0]
        kept.append(state.detach().requires_grad_(True))
        if not hasattr(output, "last_hidden_state"):
            return (kept[0], *output[1:])
        output.last_hidden_state = kept[0]
        return output

    def where() -> Any:
        ids = torch.tensor([one.ids])
        logits = one.network(ids, attention_mask=torch.ones_like(ids)).logits[0]
        answer = (logits * torch.tensor([1.0, -2.0, 0.5])).sum()
        (found,) = torch.autograd.grad(answer, kept[0], allow_unused=True)
        if found is None or found.shape[1] != len(one.ids):
            raise NoReference("the answer is read inside of the core")
        return (found[0].abs().sum(-1) > 1e-9).numpy()

    handle = one.network.base_model.register_forward_hook(hook)
    try:
        want = own(where)
    finally:
        handle.remove()
    found = readout(one.model, len(one.ids)) > 0
    must((found == want).all(), f"at {found.nonzero()[0]}, the network at {want.nonzero()[0]}")


def _score(one: Subject, method: str) -> float:
    """Return a method's score of the hidden word."""
    import maskviz

    words = maskviz.explain(TEXT, one.model, method).words
    return next(word.score for word in words if word.text == HIDDEN)


def _of_words(one: Subject, method: str) -> None:
    import numpy as np

    import maskviz

    if one.head == "cls":
        scores = [word.score for word in maskviz.explain(TEXT, one.model, method).words]
        must(np.isfinite(scores).all(), f"scores of {method} are not finite")
