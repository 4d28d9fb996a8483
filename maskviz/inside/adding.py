"""Change what MLPs and layers add to the stream of states, whatever the architecture.

An MLP's value is what its last map, or the block of its experts, puts out; a layer's is its output
less what it read. Hooks see both go by, (rows, 1, tokens, width), as one head of that width would
be, and let another value go on in its place.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from .changing import Alter, changing
from .places import layers_of, placing
from .tape import modules_of
from .units import HEAD, LAYER, MLP, Anatomy, Key

# (key, value, the values that a head weighs or None) → the value that goes on
AlterKey = Callable[[Key, Any, Any], Any]


@contextmanager
def altered(
    network: Any, anatomy: Anatomy, keys: Collection[Key], alter: AlterKey
) -> Iterator[None]:
    """Let `alter` change the values of units, by part, layer and kind, in every pass of a block."""
    heads = [(part, layer) for part, layer, kind in keys if kind == HEAD]
    others = frozenset(key for key in keys if key[2] != HEAD)

    def of_heads(part: str, layer: int, product: Any, values: Any) -> Any:
        return alter((part, layer, HEAD), product, values)

    with ExitStack() as stack:
        if heads:
            change: Alter = of_heads
            stack.enter_context(changing(network, anatomy.heads, heads, change))
        if others:
            stack.enter_context(_adding(network, anatomy.mlps, others, alter))
        yield


@contextmanager
def _adding(
    network: Any, mlps: Mapping[tuple[str, int], str], keys: frozenset[Key], alter: AlterKey
) -> Iterator[None]:
    parts = {name: one for part, _, _ in keys for name, one in modules_of(network, part).items()}
    with ExitStack() as stack, placing(parts) as places:
        if network not in parts.values():
            # A head that calls the layers past the module that holds them begins no part.
            handle = network.register_forward_pre_hook(lambda *_: places.counts.clear())
            stack.callback(handle.remove)
        for name, part in parts.items():

            def key(kind: str, name: str = name) -> Key | None:
                now = (name, places.counts.get(name, 0) - 1, kind)
                return now if now in keys else None

            paths = {path for (side, _), path in mlps.items() if side == name}
            for layer in dict.fromkeys(layers_of(part)):
                _watch(layer, paths, key, alter, stack)
        yield


def _watch(
    layer: Any,
    paths: Collection[str],
    key: Callable[[str], Key | None],
    alter: AlterKey,
    stack: ExitStack,
) -> None:
    now = _Now()

    def begins(_module: Any, given: Any, named: Any) -> None:
        now.shape = read_by(given, named).shape

    def of_mlp(_module: Any, _given: Any, output: Any) -> Any:
        at = key(MLP)
        if at is None:
            return None
        value = first_of(output)  # where experts are chosen, all tokens of a batch in one line
        changed = alter(at, value.reshape(now.shape)[:, None], None)
        return with_first(output, changed.reshape(value.shape))

    def of_layer(_module: Any, given: Any, named: Any, output: Any) -> Any:
        at = key(LAYER)
        if at is None:
            return None
        read = read_by(given, named)
        value = (first_of(output) - read)[:, None]
        return with_first(output, read + alter(at, value, None)[:, 0])

    for path in paths:
        if (module := submodule(layer, path)) is not None:
            stack.callback(module.register_forward_hook(of_mlp).remove)
    stack.callback(layer.register_forward_pre_hook(begins, with_kwargs=True).remove)
    stack.callback(layer.register_forward_hook(of_layer, with_kwargs=True).remove)


class _Now(threading.local):
    """The shape of what the layer reads that is running, of each thread."""

    shape: Any = None


def submodule(layer: Any, path: str) -> Any:
    """Return what lies in a layer under a path; None where it has none, as of another kind."""
    for name in path.split("."):
        layer = getattr(layer, name, None)
    return layer


def read_by(given: Any, named: Any) -> Any:
    """Return the states that a layer is called with."""
    return given[0] if given else named["hidden_states"]


def first_of(output: Any) -> Any:
    """Return the states of what a module puts out, alone or first of several."""
    return output if hasattr(output, "shape") else output[0]


def with_first(output: Any, states: Any) -> Any:
    """Return an output with other states."""
    return states if hasattr(output, "shape") else type(output)([states, *output[1:]])
