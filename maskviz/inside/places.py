"""Where in a network a step of a pass happens: in which part, and in which of its layers.

Layers are counted as they run, so that one that a network runs again and again (ALBERT) counts
each time, one without attention (a convolution, a recurrence) counts as well, and two products in
one layer count once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any


class Places(threading.local):
    """The place of a pass as it goes on; each thread that runs one has its own.

    part: the part that is running, None outside of all. counts: the layers of each that have begun.
    layered: the parts in which layers are known.
    """

    def __init__(self) -> None:
        self.part: str | None = None
        self.counts: dict[str, int] = {}
        self.layered: dict[str, bool] = {}

    def now(self) -> tuple[str | None, int]:
        """Return the part, and its layer; where none is seen to begin, each call is one."""
        if self.part is None:
            return None, 0
        if not self.counts[self.part]:  # SqueezeBERT calls what its layers do, not them
            self.layered[self.part] = False
        if not self.layered[self.part]:
            self.counts[self.part] += 1
        return self.part, max(self.counts[self.part] - 1, 0)


@contextmanager
def placing(
    parts: Mapping[str, Any], entered: Callable[[int], None] = lambda layer: None
) -> Iterator[Places]:
    """Follow where a pass through the parts of a network is while the block runs.

    Calls `entered(layer)` as each layer begins.
    """
    places = Places()
    with ExitStack() as hooks:
        for name, part in parts.items():
            _follow(places, name, part, entered, hooks)
        yield places


def _follow(
    places: Places, name: str, part: Any, entered: Callable[[int], None], hooks: ExitStack
) -> None:
    layers = layers_of(part)
    places.layered[name] = bool(layers)

    def starts(*_: Any) -> None:
        places.part, places.counts[name] = name, 0
        places.layered.setdefault(name, bool(layers))  # another thread has seen none of it yet

    def ends(*_: Any) -> None:
        places.part = None

    def layer_starts(*_: Any) -> None:
        places.part = name  # OPT's head calls the layers past the module that holds them
        places.layered[name] = True
        places.counts[name] = places.counts.get(name, 0) + 1
        entered(places.counts[name] - 1)

    handles = [part.register_forward_pre_hook(starts), part.register_forward_hook(ends)]
    handles += [one.register_forward_pre_hook(layer_starts) for one in layers]
    for handle in handles:
        hooks.callback(handle.remove)


def layers_of(part: Any) -> list[Any]:
    """Return the layers of a part: the members of its lists of modules.

    Where its configuration counts each of them as several (LongCat), those within.
    """
    found = _layers_of(part)
    named = getattr(getattr(part, "config", None), "num_hidden_layers", None)
    inner = [layer for one in found for layer in _layers_of(one)]
    return inner if len(found) < len(inner) == named else found


def _layers_of(part: Any) -> list[Any]:
    """Return the members of the lists of modules in a part that are in no other list.

    Of several lists side by side the heaviest holds the layers; where others are as long (XLM keeps
    attentions, norms and feed-forward maps apart), the first.
    """
    from torch.nn import ModuleList

    found: list[Any] = []
    lists = [_members(one) for one in part.children() if isinstance(one, ModuleList)]
    if lists:
        heaviest = max(lists, key=_weight)
        found += next(one for one in lists if len(one) == len(heaviest))
    for child in part.children():
        if not isinstance(child, ModuleList):
            found += _layers_of(child)
    return found


def _weight(modules: list[Any]) -> int:
    return sum(weights.numel() for one in modules for weights in one.parameters())


def _members(modules: Any) -> list[Any]:
    """Return the modules of a list, and of the lists in it (Funnel's blocks)."""
    from torch.nn import ModuleList

    found: list[Any] = []
    for module in modules:
        found += _members(module) if isinstance(module, ModuleList) else [module]
    return found
