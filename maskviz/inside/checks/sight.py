"""The check of the operator `attention`: a hidden word is out of sight of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...models.checks import Finding, check, finding
from ...models.model import Model
from ...readings.batches import Ids, Read, batch
from ...readings.hiding import LAST, START, read_again, trimmed
from .probe import SMALL, Probe, apart, probe


@check(
    "out of sight",
    "Another word in the place of a hidden one changes no answer.",
    "The architecture {family!r} does not hide words from attention ({said}): use the operator "
    "mask, delete or unk.",
    lambda model: "classify" in model.capabilities,
)
def out_of_sight(model: Model) -> Finding:
    """Find whether hidden words are; the value has `last`: whether the last token can be hidden.

    Its `begins` says what the decoder of an encoder–decoder begins with as it reads the text again.
    """
    read = probe(model)
    begins = _begins(model, read) if model.config.is_encoder_decoder else None
    if begins is None and model.config.is_encoder_decoder:
        return Finding(False, "its decoder does not read the text moved by one")
    looks_back = finding(model, "direction").value == "decoder"
    hiding = [_hidden(read, place) for place in read.words]
    reads = [read for pair in hiding for read in pair]
    if looks_back and not model.config.is_encoder_decoder:
        reads = trimmed(reads)
    found = _logits(model, reads, begins)
    moved = [
        place for i, place in enumerate(read.words) if apart(found[2 * i], found[2 * i + 1]) > SMALL
    ]
    value = {"begins": begins, "last": not moved}
    if not moved or moved == [len(read.ids) - 1]:
        said = "but for the last token, which the answer is read at" if moved else ""
        return Finding(True, said, value)
    said = f"its answer moves with the word hidden at {len(moved)} of {len(hiding)} places"
    return Finding(False, said)


def _hidden(read: Probe, place: int) -> tuple[Read, Read]:
    """Return the text with one token hidden, and with another one hidden there."""
    seen = tuple(int(i != place) for i in range(len(read.ids)))
    return Ids(read.ids, seen), Ids(read.changed([place]), seen)


def _begins(model: Model, read: Probe) -> str | None:
    """Find what a decoder that reads the text again begins with: it answers as the network does."""
    whole = [Ids(read.ids, (1,) * len(read.ids))]
    plain = _logits(model, whole, None)
    for begins in (START, LAST):
        if apart(_logits(model, whole, begins), plain) <= SMALL:
            return begins
    return None


def _logits(model: Model, reads: Sequence[Read], begins: str | None) -> Any:
    """Return the answers (rows, labels); where `begins`, the decoder is given what it reads."""
    import torch

    network, inputs = model.network("classify"), batch(model, reads)
    if begins is not None:
        start = int(network.config.decoder_start_token_id)
        inputs |= read_again(inputs, start if begins == START else None, start)
    with torch.inference_mode():
        return network(**inputs).logits.float()
