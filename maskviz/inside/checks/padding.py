"""The check of batches: what a text is padded with changes none of its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ...models.checks import Finding, check
from ...models.model import Model
from ..core import core_of
from .probe import SMALL, apart, probe
from .scaled import has_window, scaled

SHORT = 5  # words of the text that is padded


@check(
    "padding",
    "A text answers the same alone and padded in a batch with a longer one.",
    "The architecture {family!r} reads what a text is padded with ({said}): only texts of one "
    "length share a batch.",
)
def padding(model: Model) -> Finding:
    """Find whether a text answers the same with padding behind it."""
    network, read = model.main_network(), probe(model)
    short = read.ids[: read.words[SHORT]] + read.ids[read.words[-1] + 1 :]
    networks = [network, scaled(network)] if has_window(network.config) else [network]
    with model.lock:
        changed = max(_changed(model, one, short, read.ids) for one in networks)
    if changed > SMALL:
        return Finding(False, f"its answers move by {min(changed, 1):.1g} of their size")
    return Finding(True, "padding is ignored")


def _changed(model: Model, network: Any, short: Sequence[int], long: Sequence[int]) -> float:
    """Return how far the answers for a short text move where it is padded beside a long one."""
    gap, own = len(long) - len(short), len(short)
    fill = [model.padding] * gap
    alone = answers(network, [short], [[1] * own])
    padded = answers(network, [[*short, *fill], long], [[1] * own + [0] * gap, [1] * len(long)])
    states = apart(alone[0][0], padded[0][0, :own])
    if padded[1] is None or (padded[1].dim() == 3 and padded[1].shape[1] == len(long)):
        return states  # an answer a token is made of its state alone
    return max(states, apart(alone[1][0], padded[1][0]))


def answers(
    network: Any, ids: Sequence[Sequence[int]], seen: Sequence[Sequence[int]]
) -> tuple[Any, Any]:
    """Return the last states of the part that reads the text, and the logits or None."""
    import torch

    met: list[Any] = []
    at = {"device": network.device}
    given = {"input_ids": torch.tensor(ids, **at), "attention_mask": torch.tensor(seen, **at)}
    with torch.inference_mode(), _caught(network, met.append):
        output = network(**given, **for_decoder(network, given["input_ids"]))
    logits = getattr(output, "logits", None)
    return met[0].float(), None if logits is None else logits.float()


def for_decoder(network: Any, ids: Any) -> dict[str, Any]:
    """Return what the decoder of an encoder–decoder without labels reads: one text for all rows."""
    if not network.config.is_encoder_decoder or "SequenceClassification" in type(network).__name__:
        return {}
    return {"decoder_input_ids": ids[-1:, :SHORT].repeat(len(ids), 1), "use_cache": False}


@contextmanager
def _caught(network: Any, take: Callable[[Any], None]) -> Iterator[None]:
    """Hand the states of the part that reads the text to `take` while the block runs."""

    def hook(_core: Any, _given: Any, output: Any) -> None:
        take(output["last_hidden_state"] if "last_hidden_state" in output else output[0])

    parts = [core_of(network)]
    if not network.config.is_encoder_decoder and hasattr(network, "get_decoder"):
        parts = list(dict.fromkeys([network.get_decoder(), *parts]))  # OPT asks it past its core
    handles = [part.register_forward_hook(hook) for part in parts]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
