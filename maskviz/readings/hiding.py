"""Words that the operator `attention` hides from a classifier, in every part that reads them.

Nobody may attend to a hidden token, and yet it can move an answer: the decoder of an
encoder–decoder classifier reads the whole text once more, a decoder's answer is read at its last
token, a convolution knows no mask. The first two are mended here; whether another word in the
hidden place moves the answer all the same is checked once a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import CapabilityError, MaskError
from ..models.checks import demand
from ..models.model import Model
from .batches import Ids, Read, batch

START, LAST = "start", "last"  # what a decoder that reads the text again begins with


def any_hidden(model: Model, reads: Sequence[Read]) -> bool:
    """Tell whether any token of any text is hidden from attention; padding says nothing of it."""
    import numpy as np

    pad = model.padding
    return any(
        ((np.asarray(read.attention_mask) == 0) & (np.asarray(read.input_ids) != pad)).any()
        for read in reads
    )


def trimmed(reads: Sequence[Read]) -> list[Read]:
    """Return the texts without the hidden tokens at their ends.

    A decoder reads its answer at the last token, which carries itself whatever is hidden; no token
    looks ahead, so without the last ones the others stay as they are. Raises MaskError where no
    token is left.

    >>> trimmed([Ids((5, 6, 7), (0, 1, 0))])[0].input_ids
    (5, 6)
    """
    ends = [
        max((i + 1 for i, seen in enumerate(read.attention_mask) if seen), default=0)
        for read in reads
    ]
    if not all(ends):
        raise MaskError(
            "With these words hidden no token is left to read: hide less, or give a longer text."
        )
    return [
        Ids(read.input_ids[:end], read.attention_mask[:end])
        for read, end in zip(reads, ends, strict=True)
    ]


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


def prepared(model: Model, reads: Sequence[Read]) -> Sequence[Read]:
    """Return what a classifier is to read, where some tokens are hidden; it is checked before.

    Raises CapabilityError where the answer would move with the hidden words all the same.
    """
    import numpy as np

    if not any_hidden(model, reads):
        return reads
    # A row that is laid out when it is read has no places to be looked at yet.
    reads = [Ids(np.asarray(read.input_ids), np.asarray(read.attention_mask)) for read in reads]
    decodes = _decodes(model)
    if not demand(model, "out of sight").value["last"] and not decodes:
        _refuse_the_last(model, reads)
    return trimmed(reads) if decodes else reads


def batch_unseen(model: Model, reads: Sequence[Read]) -> dict[str, Any]:
    """Return `batch` for a classifier, with hidden words out of sight of all its parts.

    Raises CapabilityError where they cannot be, or where a decoder's last token is hidden: it
    would have to read fewer tokens.
    """
    inputs = batch(model, reads)
    if not any_hidden(model, reads):
        return inputs
    found = demand(model, "out of sight").value
    if _decodes(model) or not found["last"]:
        _refuse_the_last(model, reads)
    if not model.config.is_encoder_decoder:
        return inputs
    start = int(model.config.decoder_start_token_id)
    first = start if found["begins"] == START else None
    return {**inputs, **read_again(inputs, first, start)}


def _decodes(model: Model) -> bool:
    return not model.config.is_encoder_decoder and demand(model, "direction").value == "decoder"


def _refuse_the_last(model: Model, reads: Sequence[Read]) -> None:
    if not all(read.attention_mask[-1] for read in reads):
        raise CapabilityError(
            f"The answer of {model.name!r} ({model.family}) is read at the last token, which the "
            "operator attention would hide: use the operator delete, or hide other words."
        )
