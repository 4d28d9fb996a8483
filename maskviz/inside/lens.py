"""The logit lens: what each layer would answer, by the network's own final norm and head.

A pass is run whose last layer gives back what an earlier one put out. All that the network does
behind its layers is done to it: the final norm, a pooler or a transform, the head, a soft cap. The
last layer's lens is the network's own answer (nostalgebraist 2020).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from ..errors import CapabilityError
from ..models.checks import demand
from ..models.model import Model
from .places import layers_of, placing
from .resuming import Kept, keeping, resumed
from .tape import modules_of, parts_of


def lens(model: Model, network: Any, run: Callable[[int], Any]) -> Any:
    """Return what `run` says at each layer, (1 + layers, …): first what the first layer reads.

    run: asks the network about one text, so often in one batch, a tensor (texts, …). The layers are
    those of the part that is read last. Raises CapabilityError where they cannot be kept.
    """
    demand(model, "layers read once")
    with _entered(network, parts_of(model)) as first:
        kept, _ = keeping(network, parts_of(model), lambda: run(1))
    part = list(kept.parts)[-1]
    numbers = [layer for side, layer in kept.outputs if side == part]
    states = [first[part], *(_state(kept.outputs[part, n]) for n in numbers)]
    if len({one.shape for one in states}) > 1:
        raise CapabilityError(
            f"The architecture {model.family!r} changes the shape of its states from layer to "
            "layer: no head reads them all."
        )
    return _asked(kept, part, numbers[-1], states, run)


def _asked(kept: Kept, part: str, last: int, states: list[Any], run: Callable[[int], Any]) -> Any:
    """Ask again and again, the last layer putting out the states of one layer after the other."""
    import torch

    outputs = dict(kept.outputs)
    outputs[part, last] = _with_state(outputs[part, last], states[-1])
    rest = replace(kept, outputs=outputs)
    found = []
    for state in states:
        outputs[part, last] = _with_state(outputs[part, last], state)
        with resumed(rest, len(outputs)):
            found.append(run(1))
    return torch.cat(found)


@contextmanager
def _entered(network: Any, parts: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Keep what the first layer of each part reads."""
    modules = {name: one for part in parts for name, one in modules_of(network, part).items()}
    first: dict[str, Any] = {}
    with ExitStack() as stack, placing(modules) as places:
        for name, part in modules.items():
            for layer in set(layers_of(part)):

                def keep(_: Any, given: Any, named: Any, name: str = name) -> None:
                    if places.counts[name] == 1:
                        first[name] = given[0] if given else named["hidden_states"]

                handle = layer.register_forward_pre_hook(keep, with_kwargs=True)
                stack.callback(handle.remove)
        yield first


def _state(output: Any) -> Any:
    return output if hasattr(output, "shape") else output[0]


def _with_state(output: Any, state: Any) -> Any:
    if hasattr(output, "shape"):
        return state
    return type(output)([state, *output[1:]])
