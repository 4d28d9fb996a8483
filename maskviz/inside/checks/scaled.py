"""A copy of a network whose windows are four tokens wide: what fails at length, fails there."""

from __future__ import annotations

import copy
from itertools import chain
from typing import Any

WINDOW = 4
# A window of attention has one of these names; chunks of memory and of convolutions have others.
NAMES = (
    "sliding_window",
    "sliding_window_size",
    "local_attention",
    "window_size",
    "attention_window",
    "attention_window_size",
    "local_attention_window_len",
    "attention_chunk_size",
    "index_topk",
)


def has_window(config: Any) -> bool:
    """Tell whether an architecture attends within a window somewhere."""
    types = getattr(config, "layer_types", None)
    if types and all(kind in ("full_attention", "attention") for kind in types):
        return False
    return any(_wide(getattr(config, name, None)) for name in NAMES)


def scaled(network: Any) -> Any:
    """Return a copy with windows of four tokens that shares the weights of `network`.

    A width lies in the configuration, and in the layers that read it there when they were built.
    """
    tensors = chain(network.parameters(), network.buffers())
    small = copy.deepcopy(network, {id(tensor): tensor for tensor in tensors})
    for part in (small.config, *small.modules()):
        for name in NAMES:
            _narrow(part, name)
    return small


def _narrow(part: Any, name: str) -> None:
    value: Any = getattr(part, name, None)
    if not _wide(value):
        return
    edges = 1 if isinstance(value, int) and value % 2 else 0  # some count the token itself
    setattr(part, name, WINDOW + edges if isinstance(value, int) else [WINDOW] * len(value))


def _wide(value: Any) -> bool:
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(one, int) and one > WINDOW for one in value)
    return isinstance(value, int) and value > WINDOW
