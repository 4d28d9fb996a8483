"""Edges cut in some layers: who may attend to whom, layer by layer and row by row of a batch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from .composing import laying
from .core import core_of
from .places import layers_of, placing

# The number of a layer, from 0 → bool (rows, 1 or heads, queries, keys), None where all is allowed
Allowed = Callable[[int], Any]


@contextmanager
def cut(network: Any, allowed: Allowed) -> Iterator[None]:
    """Lay a matrix of its own over each layer of the part that reads the text."""
    core = core_of(network)
    entered = _Entered()
    with ExitStack() as stack, placing({"core": core}) as places:
        reset = network.register_forward_pre_hook(lambda *_: places.counts.clear())
        stack.callback(reset.remove)

        def enter(module: Any, _given: Any) -> None:
            matrix = allowed(places.counts["core"] - 1)
            mode = None if matrix is None else laying(network, matrix)
            if mode is not None:
                mode.__enter__()
            entered.modes.append((module, mode))

        def leave(module: Any, *_: Any) -> None:
            if entered.modes and entered.modes[-1][0] is module:
                _, mode = entered.modes.pop()
                if mode is not None:
                    mode.__exit__(None, None, None)

        for layer in set(layers_of(core)):
            for handle in (
                layer.register_forward_pre_hook(enter),
                layer.register_forward_hook(leave, always_call=True),
            ):
                stack.callback(handle.remove)
        yield


class _Entered(threading.local):
    """The modes that each thread has entered."""

    def __init__(self) -> None:
        self.modes: list[tuple[Any, Any]] = []
