"""The check of shared beginnings: a prompt read in two parts answers as it does read whole."""

from __future__ import annotations

from typing import Any

from ...models.checks import Finding, check
from ...models.model import Model
from ...readings.batches import Ids
from ...readings.language.scoring import begun, logits_at
from ...readings.language.sharing import layers_of
from .probe import SMALL, apart, probe
from .scaled import has_window, scaled

HIDDEN = 2  # the ordinary token that nobody attends to in one of the trials


@check(
    "shared beginnings",
    "A prompt that is read in two parts, the first one kept, answers as it does read whole.",
    "The architecture {family!r} answers otherwise where the beginning of a prompt is kept "
    "({said}): every variant is read whole.",
    applies=lambda model: "generate" in model.capabilities,
)
def shared_beginnings(model: Model) -> Finding:
    """Find whether keys and values of a beginning may stand for reading it again."""
    network, read = model.network("generate"), probe(model)
    if _keeps_states(network):
        return Finding(False, "layers of it keep a state in the place of keys and values")
    networks = [network, scaled(network)] if has_window(network.config) else [network]
    with model.lock:
        moved = max(_moved(one, read.ids, read.others) for one in networks)
    if moved == float("inf"):
        return Finding(False, "it keeps no keys and values")
    if moved > SMALL:
        return Finding(False, f"its answers move by {min(moved, 1):.1g} of their size")
    return Finding(True, "beginnings are shared")


def _keeps_states(network: Any) -> bool:
    """Tell whether layers are recurrent or convolutions: what they keep is of the last token."""
    from transformers import DynamicCache, cache_utils

    kind: Any = getattr(cache_utils, "LinearAttentionCacheLayerMixin", ())
    return any(isinstance(layer, kind) for layer in DynamicCache(config=network.config).layers)


def _moved(network: Any, ids: tuple[int, ...], others: tuple[int, ...]) -> float:
    """Return how far the logits of two endings move where their beginning was kept."""
    import numpy as np
    import torch

    far = 0.0
    for hidden in (None, HIDDEN):
        seen = np.array([int(i != hidden) for i in range(len(ids))])
        plain = Ids(np.array(ids), seen)
        with torch.inference_mode():
            layers = layers_of(network, plain)
        if not layers:
            return float("inf")
        for start in (3, len(ids) // 2, len(ids) - 1):
            rows = [ids, (*ids[:start], *others[: len(ids) - start])]
            far = max(far, _apart(network, layers, rows, seen, start))
    return far


def _apart(network: Any, layers: Any, rows: Any, seen: Any, start: int) -> float:
    import torch

    inputs = {
        "input_ids": torch.tensor(rows, device=network.device),
        "attention_mask": torch.tensor(seen, device=network.device).expand(len(rows), -1),
    }
    places = torch.tensor([list(range(start, len(seen)))] * len(rows))
    with torch.inference_mode():
        whole = logits_at(network, inputs, places)
        with begun(layers, start):
            parts = logits_at(network, inputs, places)
    return apart(whole.float(), parts.float())
