"""Layers that are read once: a pass that begins behind those whose output is known.

Below the lowest layer that is changed every pass computes the same. What each layer put out in one
plain pass is kept, and the layers below give it back instead of computing it anew. Whether a
network answers the same that way is checked once a model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from .places import layers_of, placing
from .tape import modules_of

Place = tuple[str, int]


@dataclass(eq=False)
class Kept:
    """What layers put out in one plain pass.

    parts: name → module, in the order they run. outputs: (part, layer) → what it put out. once:
    whether each part ran once, so that a layer has one output.
    """

    parts: Mapping[str, Any]
    outputs: dict[Place, Any] = field(default_factory=dict)
    once: bool = True

    def depth(self, part: str, layer: int) -> int:
        """Return how many layers run before one, those of the parts before it too."""
        side = "decoder" if part == "cross" else part
        before = list(self.parts)[: list(self.parts).index(side)]
        return sum(name in before for name, _ in self.outputs) + layer


def keeping(network: Any, parts: tuple[str, ...], run: Callable[[], Any]) -> tuple[Kept, Any]:
    """Run a plain pass; return what its layers put out, and what `run` returns."""
    modules = {name: one for part in parts for name, one in modules_of(network, part).items()}
    kept = Kept(modules)
    with ExitStack() as stack, placing(modules) as places:
        for name, part in modules.items():
            for layer in set(layers_of(part)):
                handle = layer.register_forward_hook(_keeper(kept, places, name))
                stack.callback(handle.remove)
        found = run()
    return kept, found


def _keeper(kept: Kept, places: Any, name: str) -> Callable[..., None]:
    def keep(_layer: Any, _given: Any, output: Any) -> None:
        place = (name, places.counts[name] - 1)
        kept.once = kept.once and place not in kept.outputs
        kept.outputs[place] = output

    return keep


@contextmanager
def resumed(kept: Kept, depth: int, copies: int = 1) -> Iterator[None]:
    """Let passes begin behind the first `depth` layers, each row of the plain pass `copies` times.

    The whole plain batch is repeated, as a batch of so many same texts is.
    """
    if not kept.once or depth < 1:
        yield
        return
    with ExitStack() as stack, placing(kept.parts) as places:
        for name, part in kept.parts.items():
            for layer in set(layers_of(part)):
                _replace(layer, kept, places, name, depth, copies, stack)
        yield


def _replace(
    layer: Any, kept: Kept, places: Any, name: str, depth: int, copies: int, stack: ExitStack
) -> None:
    forward = layer.forward
    own = layer.__dict__.get("forward")

    def known(*args: Any, **kwargs: Any) -> Any:
        place = (name, places.counts[name] - 1)
        if place in kept.outputs and kept.depth(*place) < depth:
            return _repeated(kept.outputs[place], copies, _rows(kept, name))
        return forward(*args, **kwargs)

    def back() -> None:
        layer.__dict__.pop("forward", None)
        if own is not None:
            layer.forward = own

    layer.forward = known
    stack.callback(back)


def _rows(kept: Kept, name: str) -> int:
    output = next(output for (part, _), output in kept.outputs.items() if part == name)
    return len(output if hasattr(output, "shape") else output[0])


def _repeated(output: Any, copies: int, rows: int) -> Any:
    """Return an output with its rows repeated; what has no rows stays as it is."""
    import torch

    if isinstance(output, torch.Tensor):
        if copies == 1 or output.dim() < 2 or len(output) != rows:
            return output
        return output.repeat(copies, *(1,) * (output.dim() - 1))
    if isinstance(output, tuple | list):
        return type(output)([_repeated(one, copies, rows) for one in output])
    return output
