"""The check of the operator `attention`: a hidden word is out of sight of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ...models.checks import Finding, check, finding
from ...models.model import Model
from ...readings.batches import Ids, Read, batch
from ...readings.hiding import LAST, START, read_again, trimmed
from ..core import core_of
from .probe import SMALL, Probe, apart, last_state, probe
from .scaled import has_window, scaled


@check(
    "out of sight",
    "Another word in the place of a hidden one moves no answer, or nothing that is not hidden.",
    "The architecture {family!r} does not hide words from attention ({said}): use the operator "
    "mask, delete or unk.",
)
def out_of_sight(model: Model) -> Finding:
    """Find whether hidden words are; the value has `last`: whether the last token can be hidden.

    Its `begins` says what the decoder of an encoder–decoder classifier begins with as it reads the
    text again.
    """
    network, read = model.main_network(), probe(model)
    tried = from_answers if "classify" in model.capabilities else _from_states
    found = tried(model, network, read)
    if found.passed and has_window(network.config):
        small = tried(model, scaled(network), read)
        return found if small.passed else replace(small, said=f"in a window of 4, {small.said}")
    return found


def _from_states(model: Model, network: Any, read: Probe) -> Finding:
    pairs = [_hidden(read, place) for place in read.words]
    found = _states(model, network, [one for pair in pairs for one in pair])
    moved = 0
    for i, place in enumerate(read.words):
        others = [k for k in range(len(read.ids)) if k != place]
        moved += apart(found[2 * i][others], found[2 * i + 1][others]) > SMALL
    return _finding(moved, read, {"begins": None, "last": True})


def from_answers(model: Model, network: Any, read: Probe) -> Finding:
    """Find whether hidden words are out of sight of the answers of a network with labels."""
    begins = _begins(model, network, read) if model.config.is_encoder_decoder else None
    if begins is None and model.config.is_encoder_decoder:
        return Finding(False, "its decoder does not read the text moved by one")
    reads = [one for place in read.words for one in _hidden(read, place)]
    decodes = finding(model, "direction").value == "decoder"
    if decodes and not model.config.is_encoder_decoder:
        reads = trimmed(reads)
    found = _logits(model, network, reads, begins)
    moved = [
        place for i, place in enumerate(read.words) if apart(found[2 * i], found[2 * i + 1]) > SMALL
    ]
    if moved == [len(read.ids) - 1]:
        said = "but for the last token, which the answer is read at"
        return Finding(True, said, {"begins": begins, "last": False})
    return _finding(len(moved), read, {"begins": begins, "last": True})


def _finding(moved: int, read: Probe, value: dict[str, Any]) -> Finding:
    if not moved:
        return Finding(True, value=value)
    where = f"{moved} of {len(read.words)} places"
    return Finding(False, f"what is read moves with the word hidden at {where}")


def _hidden(read: Probe, place: int) -> tuple[Read, Read]:
    """Return the text with one token hidden, and with another one hidden there."""
    seen = tuple(int(i != place) for i in range(len(read.ids)))
    return Ids(read.ids, seen), Ids(read.changed([place]), seen)


def _begins(model: Model, network: Any, read: Probe) -> str | None:
    """Find what a decoder that reads the text again begins with: it answers as the network does."""
    whole = [Ids(read.ids, (1,) * len(read.ids))]
    plain = _logits(model, network, whole, None)
    for begins in (START, LAST):
        if apart(_logits(model, network, whole, begins), plain) <= SMALL:
            return begins
    return None


def _logits(model: Model, network: Any, reads: Sequence[Read], begins: str | None) -> Any:
    """Return the answers (rows, labels); where `begins`, the decoder is given what it reads."""
    import torch

    inputs = _batch(model, network, reads)
    if begins is not None:
        start = int(network.config.decoder_start_token_id)
        inputs |= read_again(inputs, start if begins == START else None, start)
    with torch.inference_mode():
        return network(**inputs).logits.float()


def _states(model: Model, network: Any, reads: Sequence[Read]) -> Any:
    """Return the last states of the part that reads the texts, (texts, tokens, width)."""
    import torch

    with torch.inference_mode():
        return last_state(core_of(network)(**_batch(model, network, reads)))


def _batch(model: Model, network: Any, reads: Sequence[Read]) -> dict[str, Any]:
    return {name: tensor.to(network.device) for name, tensor in batch(model, reads).items()}
