"""Change what heads compute where it is multiplied: softmax · values, whatever the architecture.

A head's value is what it puts out for each token, the product of its weights and values before the
output projection mixes the heads. There each head lies by itself; behind the projection none does.
A torch function mode sees the product go by, computed in the open or by torch's fused attention,
and lets another one go on in its place. It is entered around the layers that are changed alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import lru_cache, partial
from typing import Any

from ..errors import CapabilityError
from ..models.linear import looking_elsewhere
from .calls import attention_calls
from .places import Places, layers_of, placing
from .tape import modules_of

# (part, layer, product (rows, heads, queries, d), values) → the product that goes on
Alter = Callable[[str, int, Any, Any], Any]
Heads = Mapping[tuple[str, int], int]  # (part, layer) → heads


@contextmanager
def changing(
    network: Any, heads: Heads, layers: Collection[tuple[str, int]], alter: Alter
) -> Iterator[None]:
    """Let `alter` change the heads of some layers in every pass while the block runs.

    heads: how many each layer has, of all that attend. layers: the (part, layer) that are changed.
    Passes may run in several threads, each of which is followed by itself.
    """
    parts = {name: one for part, _ in layers for name, one in modules_of(network, part).items()}
    with ExitStack() as stack, placing(parts) as places:
        modes = _Modes(network, places, heads, frozenset(layers), alter)
        if network not in parts.values():
            # A head that calls the layers past the module that holds them begins no part.
            handle = network.register_forward_pre_hook(lambda *_: places.counts.clear())
            stack.callback(handle.remove)
        for name, part in parts.items():
            for one in layers_of(part) or [part]:
                _around(one, modes, name, stack)
        yield


def _around(module: Any, modes: _Modes, side: str, stack: ExitStack) -> None:
    before = module.register_forward_pre_hook(lambda *_: modes.enter(module, side))
    behind = module.register_forward_hook(lambda *_: modes.leave(module), always_call=True)
    for handle in (before, behind):
        stack.callback(handle.remove)


class _Modes(threading.local):
    """The modes that are entered, one within the other; each thread has its own."""

    def __init__(
        self, network: Any, places: Places, heads: Heads, wanted: frozenset[Any], alter: Alter
    ) -> None:
        self.network, self.places, self.heads = network, places, heads
        self.wanted, self.alter = wanted, alter
        self.entered: list[tuple[Any, Any]] = []

    def enter(self, module: Any, side: str) -> None:
        """Watch a layer that is to be changed; where layers are not known, all of them."""
        layer = self.places.counts.get(side, 0) - 1
        names = self._parts(side)
        if layer >= 0 and not any((part, layer) in self.wanted for part in names):
            self.entered.append((module, None))
            return
        blocks = ExitStack()
        blocks.enter_context(looking_elsewhere())
        blocks.enter_context(_mode()(partial(self.passed, side)))
        self.entered.append((module, blocks))

    def leave(self, module: Any) -> None:
        """Watch no more; a layer whose beginning was not seen has no end."""
        if self.entered and self.entered[-1][0] is module:
            _, blocks = self.entered.pop()
            if blocks is not None:
                blocks.close()

    def passed(self, side: str, nth: int, product: Any, values: Any) -> Any:
        """Return what goes on in the place of a product, the `nth` of its layer."""
        _, layer = self.places.now()
        names = self._parts(side)
        if nth >= len(names):
            raise CapabilityError(
                f"The architecture {self.network.config.model_type!r} computes two attentions in "
                f"layer {layer + 1}: its heads cannot be changed one by one."
            )
        place = (names[nth], layer)
        if place not in self.wanted:
            return product
        rows = product.reshape(-1, self.heads[place], *product.shape[-2:])
        changed = self.alter(*place, rows, values)
        return product if changed is rows else changed.to(product.dtype).reshape(product.shape)

    def _parts(self, side: str) -> tuple[str, ...]:
        across = side == "decoder" and self.network.config.is_encoder_decoder
        return ("decoder", "cross") if across else (side,)


@lru_cache(maxsize=1)
def _mode() -> Any:
    from torch.overrides import TorchFunctionMode

    calls = attention_calls()

    class Changing(TorchFunctionMode):
        def __init__(self, passed: Callable[[int, Any, Any], Any]) -> None:
            super().__init__()
            self.passed, self.nth = passed, -1
            self.softmax: int | None = None

        def __torch_function__(
            self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
        ) -> Any:
            kwargs = kwargs or {}
            result = func(*args, **kwargs)
            if func in calls.softmaxes:
                self.softmax = result.data_ptr()
            elif func is calls.fused:
                return self.multiplied(result, args[2] if len(args) > 2 else kwargs["value"])
            elif self.softmax and func in calls.rounded and args[0].data_ptr() == self.softmax:
                self.softmax = result.data_ptr()
            elif self.softmax and func in calls.products and args[0].data_ptr() == self.softmax:
                return self.multiplied(result, args[1])
            return result

        def multiplied(self, result: Any, values: Any) -> Any:
            self.softmax, self.nth = None, self.nth + 1
            return self.passed(self.nth, result, values)

    return Changing
