"""Rows in one: whether a network reads each as if it stood alone, measured before a run.

Places begin anew with each row, there is no 2-D mask and no cache; from this an architecture tells
where rows begin, or not at all. What is recurrent or convolutional carries one row into the next.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...inside.core import core_of
from ...models.raised import first_line, from_architecture

_CLOSE = 1e-4  # of the largest logit: sums in another order


@dataclass(frozen=True)
class Packing:
    """Whether rows are packed. leak: how far changing one row moved the logits of the next."""

    works: bool
    leak: float | None = None
    said: str = ""


def takes_places(network: Any) -> bool:
    """Tell whether the part of a network that reads takes `position_ids`."""
    return "position_ids" in inspect.signature(core_of(network).forward).parameters


def packing_of(network: Any, family: str) -> Packing:
    """Measure whether a network keeps packed rows apart; nothing is learned or drawn."""
    import torch

    if not takes_places(network):
        return Packing(False, None, _off(family, "it takes no places of tokens"))
    size = network.config.get_text_config().vocab_size
    rows = torch.arange(3, 3 + 24) * 7 % size
    first, other, second = rows[:7], (rows[:7] + 5) % size, rows[9:20]

    def read(*parts: Any) -> Any:
        ids = torch.cat(parts)[None].to(network.device)
        places = torch.cat([torch.arange(len(part)) for part in parts])[None].to(network.device)
        out = network(input_ids=ids, position_ids=places, use_cache=False)
        return out.logits[0, -len(second) :].float()  # (tokens of the last row, vocabulary)

    found = _in_peace(network, lambda: (read(first, second), read(other, second), read(second)))
    if isinstance(found, str):
        return Packing(False, None, _off(family, found))
    one, two, alone = found
    leak = (one - two).abs().max().item()
    moved = (one - alone).abs().max().item()
    if leak > 0 or moved > _CLOSE * max(1.0, alone.abs().max().item()):
        why = f"changing a row moves the logits of the next by {max(leak, moved):.2g}"
        return Packing(False, leak, _off(family, why))
    return Packing(True, leak)


def _off(family: str, why: str) -> str:
    return f"Packing is off: the architecture {family!r} does not keep rows apart ({why})."


def _in_peace(network: Any, ask: Callable[[], Any]) -> Any:
    """Return what is asked of a network without dropout, or what its architecture raises."""
    import torch

    training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            return ask()
    except Exception as error:
        if not from_architecture(error):
            raise
        return first_line(error)
    finally:
        network.train(training)
