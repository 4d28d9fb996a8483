"""Where in a prompt does hiding something matter? The KL of the next token behind each visible one.

    KL(i) = Σ_v p(v | plain text up to i) · ln( p(v | plain …) / p(v | masked text up to i) )

over the whole vocabulary, in nats. Plain and masked tokens are lined up by what they come from; a
hidden token, and one that stands in its place, has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ...errors import CapabilityError
from ...masks.encoding import Encoding
from ...masks.mask import Mask
from ...masks.operators import apply
from ...models.model import Model
from ..batches import batch
from .scoring import logits_at, seen_last
from .tails import pieces_of

_CELLS = 2**22  # of logits at a time, of the plain and of the masked text each


@dataclass(frozen=True)
class Position:
    """A token of the plain prompt, and how far the model's next token moves behind it.

    start, end: its characters of the text, None for those of the prompt around it. kl: in nats,
    None of a token that is hidden.
    """

    text: str
    start: int | None
    end: int | None
    kl: float | None


def kl_by_position(mask: Mask, model: Model, operator: str) -> tuple[Position, ...]:
    """Return every token of the plain prompt with its KL; `model` is a decoder.

    Raises CapabilityError for any other model: its tokens are not read one after the other.

    >>> [p.kl for p in kl_by_position(mask, model, "delete")][:2]      # doctest: +SKIP
    [0.0, None]
    """
    if "generate" not in model.capabilities:
        raise CapabilityError(
            f"The model {model.name!r} ({model.family}) does not write on behind every token: the "
            "KL by position is a decoder's."
        )
    plain, masked = apply(mask.text, "attention", model), apply(mask, operator, model)
    pairs = _pairs(masked)
    found = dict(zip([i for i, _ in pairs], _divergences(model, plain, masked, pairs), strict=True))
    return tuple(
        Position(_written(model, token), place and place[0], place and place[1], found.get(i))
        for i, (token, place) in enumerate(zip(plain.input_ids, plain.offsets, strict=True))
    )


def _written(model: Model, token: int) -> str:
    """Return a token with its white space; bytes that make no character by their own name."""
    said = str(model.tokenizer.decode([token], clean_up_tokenization_spaces=False))
    return pieces_of(model.tokenizer, [token])[0] if "\ufffd" in said or not said else said


def _pairs(masked: Encoding) -> list[tuple[int, int]]:
    """Return (token of the plain prompt, the same one of the masked prompt) of what is visible."""
    columns = zip(masked.source, masked.hidden, masked.attention_mask, strict=True)
    return [
        (source, j)
        for j, (source, hidden, seen) in enumerate(columns)
        if source is not None and seen and not hidden
    ]


def _divergences(
    model: Model, plain: Encoding, masked: Encoding, pairs: Sequence[tuple[int, int]]
) -> list[float]:
    """Return KL(plain ‖ masked) at each pair of places."""
    import torch

    if not pairs:
        return []
    places = torch.tensor(pairs).T  # (2, pairs)
    found: list[float] = []
    with model.running(), torch.inference_mode():
        reads = seen_last(model, [plain, masked])
        for logits in _in_pieces(model.network("generate"), batch(model, reads), places):
            said = logits.float().log_softmax(-1)
            kl = (said[0].exp() * (said[0] - said[1])).nansum(-1, dtype=torch.double)
            found += kl.clamp(min=0).tolist()
    return found


def _in_pieces(network: Any, inputs: dict[str, Any], places: Any) -> Any:
    """Yield the logits (2, some, vocabulary) at places (2, n), few of them at a time.

    The head alone gives the later ones, where what it says is all that the network does to them.
    """
    import torch

    head, size = network.get_output_embeddings(), max(1, _CELLS // network.config.vocab_size)
    parts = places.split(size, 1)
    with _states_of(head) as kept:
        first = logits_at(network, inputs, parts[0])
    yield first
    if len(parts) == 1:
        return
    alone = bool(kept) and torch.allclose(_at(head, kept[0], parts[0]), first, atol=1e-4)
    del first
    for part in parts[1:]:
        yield _at(head, kept[0], part) if alone else logits_at(network, inputs, part)


@contextmanager
def _states_of(head: Any) -> Any:
    """Keep what a head is given, before anything is taken out of it."""
    kept: list[Any] = []
    if head is None:
        yield kept
        return
    handle = head.register_forward_pre_hook(lambda _, given: kept.append(given[0]), prepend=True)
    try:
        yield kept
    finally:
        handle.remove()


def _at(head: Any, states: Any, places: Any) -> Any:
    """Return the head's logits from states (2, tokens, width) at places (2, some)."""
    at = places.to(states.device)[..., None].expand(-1, -1, states.shape[-1])
    return head(states.gather(1, at))
