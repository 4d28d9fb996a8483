"""The check of heads: one zeroed in the product is one zeroed in its rows of the projection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from ...errors import CapabilityError
from ...models.checks import Finding, check
from ...models.model import Model
from ..changing import changing
from ..projection import linear_maps
from ..tape import eager, modules_of, parts_of
from ..watch import Product, watching
from .padding import answers
from .probe import SMALL, apart, probe

CLOSE, ROUNDED = 1e-5, 2e-2  # of the largest value, in float32 and in half precision
Place = tuple[str, int]


@check(
    "heads",
    "A head zeroed where its values are multiplied is one whose rows of the output projection are "
    "zero, and zeroing none changes nothing.",
    "The heads of the architecture {family!r} cannot be changed one by one ({said}): mask words, "
    "or choose a model such as 'mini'.",
)
def heads(model: Model) -> Finding:
    """Find which heads can be changed.

    The value has `heads`, [part, layer, how many] of each layer that attends, and `layers`, how
    many each part has.
    """
    network, read = model.main_network(), probe(model)
    rows = (read.ids, read.changed(read.words[::2]))
    with model.lock:
        seats, layers = survey(model, network, rows[0])
        apart_by = _compared(network, seats, rows)
    if apart_by:
        return Finding(False, apart_by)
    value = {
        "heads": [[part, layer, len(one.rows)] for (part, layer), one in seats.items()],
        "layers": layers,
    }
    count = sum(len(one.rows) for one in seats.values())
    return Finding(True, f"{count} heads in {len(seats)} layers can be changed", value)


def survey(
    model: Model, network: Any, ids: Sequence[int]
) -> tuple[dict[Place, Product], dict[str, int]]:
    """Return the product of each layer of each part, with its projection, and the parts' layers.

    Raises CapabilityError where one cannot be seen, or does not go to its projection as it is.
    """
    parts = parts_of(model)
    modules = {name: one for part in parts for name, one in modules_of(network, part).items()}
    seats: dict[Place, Product] = {}

    def take(product: Product) -> None:
        if product.part is None:
            return
        place = (product.part, product.layer)
        across = product.part == "decoder" and network.config.is_encoder_decoder
        if across and place in seats:
            place = ("cross", product.layer)
        if place in seats:
            raise CapabilityError(f"layer {product.layer + 1} computes two attentions")
        if product.projection is None:
            raise CapabilityError("a mixture lies between its heads and the output projection")
        seats[place] = product

    with eager(network), watching(modules, take, linear=True) as places:
        answers(network, [ids], [[1] * len(ids)])
    if not seats:
        raise CapabilityError("it computes none that one can see")
    return seats, dict(places.counts)


def _compared(network: Any, seats: Mapping[Place, Product], rows: Any) -> str:
    """Say where a zeroed head differs from its zeroed rows; empty where all are the same."""
    counts = {place: len(seat.rows) for place, seat in seats.items()}
    near = CLOSE if network.dtype.itemsize == 4 else ROUNDED
    with eager(network), changing(network, counts, counts, lambda part, n, z, values: z.clone()):
        none = _answers(network, rows)
    with eager(network):
        plain = _answers(network, rows)
    if _apart(none, plain) > near:
        return "zeroing none of them changes what it computes"
    for turn in (0, 1):
        chosen = _chosen(seats, turn)
        alter = _zeroing(chosen)
        with eager(network), _replaced(_weights(seats, chosen)):
            expected = _answers(network, rows)
        with eager(network), changing(network, counts, counts, alter):
            found = _answers(network, rows)
        with changing(network, counts, counts, alter):
            fused = _answers(network, rows)
        if max(far := _apart(found, expected), _apart(fused, expected) * near / SMALL) > near:
            return f"a zeroed head and its zeroed rows differ by {min(far, 1):.1g} of what it says"
        if _apart(expected, plain) <= near:
            return "zeroing one in each layer changes nothing"
    return ""


def _answers(network: Any, rows: Any) -> list[Any]:
    found = answers(network, rows, [[1] * len(row) for row in rows])
    return [one for one in found if one is not None]


def _apart(some: Sequence[Any], others: Sequence[Any]) -> float:
    return max(apart(one, other) for one, other in zip(some, others, strict=True))


def _chosen(seats: Mapping[Place, Product], turn: int) -> dict[Place, int]:
    """Return a head of each layer; layers that share a projection have the same one."""
    weights = list(dict.fromkeys(seat.weight.data_ptr() for seat in seats.values()))
    return {
        place: (weights.index(seat.weight.data_ptr()) + turn) % len(seat.rows)
        for place, seat in seats.items()
    }


def _zeroing(chosen: Mapping[Place, int]) -> Callable[[str, int, Any, Any], Any]:
    def alter(part: str, layer: int, product: Any, values: Any) -> Any:
        changed = product.clone()
        changed[:, chosen[part, layer]] = 0
        return changed

    return alter


def _weights(seats: Mapping[Place, Product], chosen: Mapping[Place, int]) -> dict[int, Any]:
    """Return each projection by its address, (in, width), with the rows of the heads zeroed."""
    found: dict[int, Any] = {}
    for place, seat in seats.items():
        weight = found.setdefault(seat.weight.data_ptr(), seat.weight.detach().clone())
        weight[seat.rows[chosen[place]]] = 0
    return found


@contextmanager
def _replaced(weights: Mapping[int, Any]) -> Iterator[None]:
    """Let linear maps multiply by other weights (in, width), by the address of their own."""
    with _mode()(weights):
        yield


@lru_cache(maxsize=1)
def _mode() -> Any:
    import torch
    from torch.overrides import TorchFunctionMode

    maps = linear_maps()

    class Replacing(TorchFunctionMode):
        def __init__(self, weights: Mapping[int, Any]) -> None:
            super().__init__()
            self.weights = weights

        def __torch_function__(
            self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
        ) -> Any:
            kwargs = kwargs or {}
            if func in maps and len(args) > 1:
                at = 2 if func is torch.addmm else 1
                other = self.weights.get(args[at].data_ptr())
                if other is not None:
                    other = other if func is torch.addmm else other.T
                    args = (*args[:at], other, *args[at + 1 :])
            return func(*args, **kwargs)

    return Replacing
