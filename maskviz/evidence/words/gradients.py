"""Scores from gradients with respect to the input embeddings.

F is the logit of the label (a regression's value). Per token, summed over the embedding's
dimensions and then over the tokens of a word:

    gradient × input       e · ∂F/∂e
    integrated gradients   (e − e₀) · ∫₀¹ ∂F/∂e(e₀ + α(e − e₀)) dα

after Shrikumar et al. 2016 (arXiv:1605.01713) and Sundararajan et al. 2017 (arXiv:1703.01365).

The baseline e₀ has the mask token (the unknown token where there is none) in the place of every
token that is not special. Integrated gradients are computed by Captum.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...errors import CapabilityError, MissingDependencyError
from ...masks.encoding import Encoding
from ...masks.mask import Mask
from ...masks.operators import apply
from ...masks.spans import MaskSpan
from ...models.model import Model
from ...readings.labels import batch, class_logits
from ...readings.windows import windows
from .methods import Question, Scores, method, per_word

STEPS = 50
_TOKENS = 4096  # in one pass of integrated gradients
_ROUNDS = 64  # of input reduction at most: long texts lose several words in each


@method("gradient-input", "logit", "Gradient of the label's logit times the input embedding.")
def gradient_input(question: Question) -> Scores:
    """Score each word by e · ∂F/∂e, summed over its tokens."""
    return Scores(tuple(_over_windows(question, _gradient_input)[0]))


@method(
    "integrated-gradients",
    "logit",
    "Gradients summed along the way from an empty text to this one (Captum).",
)
def integrated_gradients(question: Question) -> Scores:
    """Score each word by integrated gradients over 50 steps.

    Raises MissingDependencyError without Captum.
    """
    values, gaps = _over_windows(question, _integrated)
    return Scores(tuple(values), convergence_gap=float(sum(gaps)))


@method(
    "input-reduction", "rank", "Take the least important word out again and again: what stays last?"
)
def input_reduction(question: Question) -> Scores:
    """Score each word by when it is taken out, 0 the first, up to 1 the last (Feng et al. 2018).

    https://arxiv.org/abs/1804.07781. Importance is gradient × input, computed anew each round; a
    text of more than 64 words loses several in a round. `reduced` are the words that are left
    before the answer first changes. Of a text over the limit only the beginning is read.
    """
    end = question.model.tokenise(question.text).truncated_at
    unread = {i for i, word in enumerate(question.words) if end is not None and word[0] >= end}
    left, gone = [i for i in range(len(question.words)) if i not in unread], list(unread)
    reduced: tuple[int, ...] | None = None
    step = max(1, -(-len(left) // _ROUNDS))
    answer = _predicted(question, ())
    while len(left) > 1:
        scores = _word_gradients(question, gone)
        order = sorted(left, key=lambda i: (scores[i], i))[: min(step, len(left) - 1)]
        gone += order
        if reduced is None and _predicted(question, gone) != answer:
            reduced = tuple(left)
        left = [i for i in left if i not in set(order)]
    ranks = {word: rank for rank, word in enumerate([*gone, *left][len(unread) :])}
    values = tuple(ranks.get(i, 0) / max(1, len(ranks) - 1) for i in range(len(question.words)))
    return Scores(values, reduced=tuple(left) if reduced is None else reduced)


def _hidden(question: Question, gone: Any) -> Encoding:
    mask = Mask(question.text, tuple(MaskSpan(*question.words[i]) for i in gone))
    return apply(mask, "delete", question.model)


def _predicted(question: Question, gone: Any) -> Any:
    """Return the predicted label's number, a regression's sign."""
    (logits,) = class_logits(question.model, [_hidden(question, gone)])
    return int(logits.argmax()) if len(logits) > 1 else bool(logits[0] > 0)


def _word_gradients(question: Question, gone: Any) -> list[float]:
    encoding = _hidden(question, gone)
    values = embedding_product(question.model, encoding, question.index)
    return per_word(question.words, encoding.offsets, values)


def _over_windows(question: Question, score: Any) -> tuple[list[float], list[float]]:
    """Score the text window by window; the answer is the windows' mean, so each has its share."""
    text = question.text
    bounds = windows(question.model, text) if question.long == "windows" else ((0, len(text)),)
    totals, gaps = [0.0] * len(question.words), []
    for start, end in bounds:
        encoding = apply(text[start:end], "mask", question.model)
        values, gap = score(question.model, encoding, question.index)
        local = tuple((s - start, e - start) for s, e in question.words)
        for i, value in enumerate(per_word(local, encoding.offsets, values)):
            totals[i] += value / len(bounds)
        gaps.append(gap / len(bounds))
    return totals, gaps


def _gradient_input(model: Model, encoding: Encoding, index: int) -> tuple[tuple, float]:
    return embedding_product(model, encoding, index), 0.0


def embedding_product(model: Model, encoding: Encoding, index: int) -> tuple[float, ...]:
    """Return e · ∂F/∂e for each token, F the logit of the label at `index`."""
    import torch

    network = model.network("classify")
    with model.lock, torch.enable_grad(), _embeddings(network) as caught:
        logit = network(**batch(model, [encoding])).logits[0, index]
        (gradient,) = torch.autograd.grad(logit, caught[0])
        product = (gradient * caught[0]).sum(-1)[0]  # (tokens,)
    return tuple(product.detach().double().cpu().tolist())


@contextmanager
def _embeddings(network: Any, given: Any = None) -> Iterator[list[Any]]:
    """Catch the output of the input embedding as a leaf, or put `given` in its place."""
    caught: list[Any] = []

    def hook(_module: Any, _inputs: Any, output: Any) -> Any:
        if caught:  # an encoder–decoder may look up the decoder's input in the same table
            return output
        caught.append(output.detach().requires_grad_(True) if given is None else given)
        return caught[0]

    handle = input_embedding(network).register_forward_hook(hook)
    try:
        yield caught
    finally:
        handle.remove()


def input_embedding(network: Any) -> Any:
    """Return the module that looks up the input ids, of an encoder–decoder the encoder's."""
    if network.config.is_encoder_decoder:
        return network.get_encoder().get_input_embeddings()
    return network.get_input_embeddings()


def baseline_ids(model: Model, encoding: Encoding) -> Any:
    """Return ids (1, tokens) with nothing said: a neutral token for each that is not special."""
    import torch

    from ...models.model import device

    tokenizer = model.tokenizer
    neutral = (tokenizer.mask_token_id, tokenizer.unk_token_id, tokenizer.eos_token_id)
    token = next((t for t in neutral if t is not None), 0)
    ids = [
        i if special else token
        for i, special in zip(encoding.input_ids, encoding.special, strict=True)
    ]
    return torch.tensor([ids], device=device())


def _integrated(model: Model, encoding: Encoding, index: int) -> tuple[tuple, float]:
    """Return a value for each token, and how far their sum is from F(x) − F(baseline)."""
    import torch

    attribution = _captum()
    network, inputs = model.network("classify"), batch(model, [encoding])
    if network.config.is_encoder_decoder:
        raise CapabilityError(
            f"Integrated gradients are not defined here for the encoder–decoder {model.name!r}: "
            "use gradient-input or occlusion."
        )
    baseline, layer = baseline_ids(model, encoding), input_embedding(network)

    def label_logit(ids: Any, seen: Any) -> Any:
        return network(input_ids=ids, attention_mask=seen).logits[:, index]

    with model.lock, torch.enable_grad():
        values = attribution.LayerIntegratedGradients(label_logit, layer).attribute(
            inputs["input_ids"], baseline, additional_forward_args=(inputs["attention_mask"],),
            n_steps=STEPS, internal_batch_size=max(1, _TOKENS // len(encoding)),
        ).sum(-1)[0].detach().double().cpu()  # fmt: skip
    with model.lock, torch.inference_mode():
        full = label_logit(**_renamed(inputs))[0]
        with _embeddings(network, layer(baseline)):  # the ids stay: they say where the text ends
            empty = label_logit(**_renamed(inputs))[0]
    return tuple(values.tolist()), abs(float(values.sum()) - float(full - empty))


def _renamed(inputs: dict[str, Any]) -> dict[str, Any]:
    return {"ids": inputs["input_ids"], "seen": inputs["attention_mask"]}


def _captum() -> Any:
    try:
        import captum.attr as attribution
    except ImportError:
        raise MissingDependencyError(
            "Integrated gradients need Captum: pip install 'maskviz[captum]'."
        ) from None
    return attribution
