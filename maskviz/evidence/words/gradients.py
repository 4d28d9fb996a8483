"""Scores from gradients with respect to the input embeddings.

F is the logit of the question's output (a regression's value). Per token, summed over the
embedding's dimensions and then over the tokens of a word:

    gradient × input       e · ∂F/∂e
    integrated gradients   (e − e₀) · ∫₀¹ ∂F/∂e(e₀ + α(e − e₀)) dα

after Shrikumar et al. 2016 (arXiv:1605.01713) and Sundararajan et al. 2017 (arXiv:1703.01365).

The baseline e₀ has the mask token (the unknown token where there is none) in the place of every
token that is not special. Integrated gradients are computed by Captum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ...errors import CapabilityError, MissingDependencyError
from ...masks.encoding import Encoding
from ...masks.mask import Mask
from ...masks.operators import apply
from ...masks.spans import MaskSpan
from ...models.model import Model
from ...readings.batches import Ids
from ...readings.question import Question
from ...readings.windows import windows
from .methods import Request, Scores, method, per_word

STEPS = 50
_TOKENS = 4096  # in one pass of integrated gradients
_ROUNDS = 64  # of input reduction at most: long texts lose several words in each


@method("gradient-input", "logit", "Gradient of the label's logit times the input embedding.")
def gradient_input(request: Request) -> Scores:
    """Score each word by e · ∂F/∂e, summed over its tokens."""
    return Scores(tuple(_over_windows(request, _gradient_input)[0]))


@method(
    "integrated-gradients",
    "logit",
    "Gradients summed along the way from an empty text to this one (Captum).",
)
def integrated_gradients(request: Request) -> Scores:
    """Score each word by integrated gradients over 50 steps.

    Raises MissingDependencyError without Captum.
    """
    values, gaps = _over_windows(request, _integrated)
    return Scores(tuple(values), convergence_gap=float(sum(gaps)))


@method(
    "input-reduction", "rank", "Take the least important word out again and again: what stays last?"
)
def input_reduction(request: Request) -> Scores:
    """Score each word by when it is taken out, 0 the first, up to 1 the last (Feng et al. 2018).

    https://arxiv.org/abs/1804.07781. Importance is gradient × input, computed anew each round; a
    text of more than 64 words loses several in a round. `reduced` are the words that are left
    before the answer first changes. Of a text over the limit only the beginning is read.
    """
    end = request.model.tokenise(request.text).truncated_at
    unread = {i for i, word in enumerate(request.words) if end is not None and word[0] >= end}
    left, gone = [i for i in range(len(request.words)) if i not in unread], list(unread)
    reduced: tuple[int, ...] | None = None
    step = max(1, -(-len(left) // _ROUNDS))
    answer = _predicted(request, ())
    while len(left) > 1:
        scores = _word_gradients(request, gone)
        order = sorted(left, key=lambda i: (scores[i], i))[: min(step, len(left) - 1)]
        gone += order
        if reduced is None and _predicted(request, gone) != answer:
            reduced = tuple(left)
        left = [i for i in left if i not in set(order)]
    ranks = {word: rank for rank, word in enumerate([*gone, *left][len(unread) :])}
    values = tuple(ranks.get(i, 0) / max(1, len(ranks) - 1) for i in range(len(request.words)))
    return Scores(values, reduced=tuple(left) if reduced is None else reduced)


def _hidden(request: Request, gone: Any) -> Encoding:
    mask = Mask(request.text, tuple(MaskSpan(*request.words[i]) for i in gone))
    return apply(mask, "delete", request.model)


def _predicted(request: Request, gone: Any) -> Any:
    """Return the predicted label's number, a regression's sign."""
    (logits,) = request.question.logits([_hidden(request, gone)])
    return int(logits.argmax()) if len(logits) > 1 else bool(logits[0] > 0)


def _word_gradients(request: Request, gone: Any) -> list[float]:
    encoding = _hidden(request, gone)
    values = embedding_product(request.question, encoding, request.index)
    return per_word(request.words, encoding.offsets, values)


def _over_windows(request: Request, score: Any) -> tuple[list[float], list[float]]:
    """Score the text window by window; the answer is the windows' mean, so each has its share."""
    text = request.text
    bounds = windows(request.model, text) if request.long == "windows" else ((0, len(text)),)
    totals, gaps = [0.0] * len(request.words), []
    for start, end in bounds:
        encoding = apply(text[start:end], "mask", request.model)
        values, gap = score(request.question, encoding, request.index)
        local = tuple((s - start, e - start) for s, e in request.words)
        for i, value in enumerate(per_word(local, encoding.offsets, values)):
            totals[i] += value / len(bounds)
        gaps.append(gap / len(bounds))
    return totals, gaps


def _gradient_input(
    question: Question, encoding: Encoding, index: int
) -> tuple[tuple[float, ...], float]:
    return embedding_product(question, encoding, index), 0.0


def embedding_product(question: Question, encoding: Encoding, index: int) -> tuple[float, ...]:
    """Return e · ∂F/∂e for each token, F the logit of the output at `index`."""
    import torch

    model, network = question.model, question.network
    with model.running(), torch.enable_grad(), _embeddings(network) as caught:
        logit = question.target(question.ask([encoding]), index)[0]
        (gradient,) = torch.autograd.grad(logit, caught[0])
        product = (gradient * caught[0]).sum(-1)
    return tuple(_of_tokens(product, len(encoding)).detach().double().cpu().tolist())


def _of_tokens(values: Any, count: int) -> Any:
    """Return the values of a text's own tokens (count,) from (rows, tokens) or (tokens, rows).

    Each choice of a language model is a row that begins with the text; XLNet's rows come second.
    """
    rows = values if values.shape[1] >= count else values.T
    return rows[:, :count].sum(0)


@contextmanager
def _embeddings(network: Any) -> Iterator[list[Any]]:
    """Catch the output of the input embedding as a leaf."""
    yield from _replaced(network, lambda output: output.detach().requires_grad_(True))


@contextmanager
def _begun(network: Any, given: Any) -> Iterator[list[Any]]:
    """Let every row begin with the embeddings `given` (1, tokens, width)."""

    def put(output: Any) -> Any:
        if output.shape[1] < given.shape[1]:  # XLNet's rows come second
            return given
        changed = output.clone()
        changed[:, : given.shape[1]] = given
        return changed

    yield from _replaced(network, put)


def _replaced(network: Any, put: Callable[[Any], Any]) -> Iterator[list[Any]]:
    """Put something else in the place of the first output of the input embedding."""
    caught: list[Any] = []

    def hook(_module: Any, _inputs: Any, output: Any) -> Any:
        if caught:  # an encoder–decoder may look up the decoder's input in the same table
            return output
        caught.append(put(output))
        return caught[0].clone()  # CTRL scales it in place, which a leaf does not allow

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
    neutral = (model.mask_token_id, tokenizer.unk_token_id, tokenizer.eos_token_id)
    token = next((t for t in neutral if t is not None), 0)
    ids = [
        i if special else token
        for i, special in zip(encoding.input_ids, encoding.special, strict=True)
    ]
    return torch.tensor([ids], device=device())


def _integrated(
    question: Question, encoding: Encoding, index: int
) -> tuple[tuple[float, ...], float]:
    """Return a value for each token, and how far their sum is from F(x) − F(baseline)."""
    import torch

    attribution = _captum()
    model, network = question.model, question.network
    if network.config.is_encoder_decoder:
        raise CapabilityError(
            f"Integrated gradients are not defined here for the encoder–decoder {model.name!r}: "
            "use gradient-input or occlusion."
        )
    baseline, layer = baseline_ids(model, encoding), input_embedding(network)
    ids = torch.tensor([encoding.input_ids], device=baseline.device)
    seen = torch.tensor([encoding.attention_mask], device=baseline.device)

    def logit(ids: Any, seen: Any) -> Any:
        rows = zip(ids.tolist(), seen.tolist(), strict=True)
        return question.target(question.ask([Ids(*row) for row in rows]), index)

    with model.running(), torch.enable_grad():
        values = attribution.LayerIntegratedGradients(logit, layer).attribute(
            ids, baseline, additional_forward_args=(seen,),
            n_steps=STEPS, internal_batch_size=max(1, _TOKENS // len(encoding)),
        ).sum(-1)  # fmt: skip
        values = _of_tokens(values, len(encoding)).detach().double().cpu()
    with model.running(), torch.inference_mode():
        full = logit(ids, seen)[0]
        with _begun(network, layer(baseline)):  # the ids stay: they say where the text ends
            empty = logit(ids, seen)[0]
    return tuple(values.tolist()), abs(float(values.sum()) - float(full - empty))


def _captum() -> Any:
    try:
        import captum.attr as attribution
    except ImportError:
        raise MissingDependencyError(
            "Integrated gradients need Captum: pip install 'maskviz[captum]'."
        ) from None
    return attribution
