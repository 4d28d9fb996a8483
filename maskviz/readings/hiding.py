"""Words that the operator `attention` hides from a classifier, in every part that reads them.

Nobody may attend to a hidden token, and yet it can move an answer: the decoder of an
encoder–decoder classifier reads the whole text once more, a decoder's answer is read at its last
token, a convolution knows no mask. The first two are mended here; whether another word in the
hidden place moves the answer all the same is checked once a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import CapabilityError
from ..models.checks import demand
from ..models.model import Model

Row = Sequence[int]
START, LAST = "start", "last"  # what a decoder that reads the text again begins with


def any_hidden(seen: Sequence[Row]) -> bool:
    """Tell whether any token of any text is hidden from attention."""
    return any(0 in row for row in seen)


def trimmed(ids: Sequence[Row], seen: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Return the rows without the hidden tokens at their ends.

    A decoder reads its answer at the last token, which carries itself whatever is hidden; no token
    looks ahead, so without the last ones the others stay as they are.

    >>> trimmed([[5, 6, 7]], [[0, 1, 0]])
    ([[5, 6]], [[0, 1]])
    """
    ends = [max(i for i, visible in enumerate(row) if visible) + 1 for row in seen]
    return (
        [row[:end] for row, end in zip(ids, ends, strict=True)],
        [row[:end] for row, end in zip(seen, ends, strict=True)],
    )


def read_again(inputs: dict[str, Any], start: int | None, neutral: int) -> dict[str, Any]:
    """Return what the decoder of a classifier reads where some of the text is hidden.

    It reads the text moved by one. In place of a hidden token stands the one that decoders start
    with, and nobody attends to it. start: the token before the first, None for the text's last.
    """
    import torch

    ids, seen = inputs["input_ids"], inputs["attention_mask"]
    last = (seen * torch.arange(1, ids.shape[1] + 1, device=ids.device)).argmax(1)
    first = ids.gather(1, last[:, None]) if start is None else torch.full_like(ids[:, :1], start)
    kept = ids.where(seen.bool(), neutral)
    return {
        "decoder_input_ids": torch.cat([first, kept[:, :-1]], 1),
        "decoder_attention_mask": torch.cat([torch.ones_like(first), seen[:, :-1]], 1),
    }


def hidden_from(model: Model, ids: Sequence[Row], seen: Sequence[Row]) -> tuple[Any, Any]:
    """Return the rows as a classifier is to read them, where some tokens are hidden.

    Raises CapabilityError where the answer would move with the hidden words all the same.
    """
    found = demand(model, "out of sight").value
    looks = demand(model, "direction").value
    if looks == "decoder" and not model.config.is_encoder_decoder:
        return trimmed(ids, seen)
    if not found["last"] and not all(row[-1] for row in seen):
        raise read_at_the_last(model)
    return ids, seen


def read_at_the_last(model: Model) -> CapabilityError:
    """Return the error where the token that the answer is read at would be hidden."""
    return CapabilityError(
        f"The answer of {model.name!r} ({model.family}) is read at the last token, which the "
        "operator attention would hide: use the operator delete, or hide other words."
    )


def for_decoder(model: Model, inputs: dict[str, Any]) -> dict[str, Any]:
    """Return what the decoder of an encoder–decoder classifier reads beside hidden words."""
    config = model.config
    if not config.is_encoder_decoder:
        return {}
    begins = demand(model, "out of sight").value["begins"]
    start = int(config.decoder_start_token_id)
    return read_again(inputs, start if begins == START else None, start)
