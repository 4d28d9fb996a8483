"""See every attention of a forward pass as it is multiplied: weights, values, output projection.

Whatever the architecture, attention computed eagerly is softmax(scores) · values, and the linear
map that reads this product, as it is or behind a gate, projects the heads back. A torch function
mode sees these steps go by, so no architecture needs code of its own, nothing is kept that is not
asked for, and a model that attends otherwise (in blocks, as a mixture, or not at all) is noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .calls import attention_calls
from .places import Places, placing
from .projection import Gated, Paths, linear_maps, projection_of
from .terms import Ledger, Terms


@dataclass(frozen=True, eq=False)
class Layer:
    """What one layer of attention computes.

    weights: (heads, queries, keys), rows sum to 1. values: (heads, keys, d) or None.
    projection: the output projection cut into heads, (heads, d, width), a Gated one, or None.
    gradient: of the answer by the weights, shaped like them, or None.
    number: the layer's own in its part of the network, from 0.
    """

    weights: Any
    values: Any = None
    projection: Any = None
    gradient: Any = None
    number: int = 0


@dataclass(eq=False)
class Product:
    """Tensors of one softmax · values as the model made them.

    weights: (1, heads, queries, keys) or (heads, …). values: … keys, d. result: … queries, d.
    projection: that of the linear map that reads the result, None where none does. weight: of that
    map, (in, width) as it is multiplied; rows: which of its rows each head has, (heads, d). terms:
    what the softmax read, where they are followed. part, layer: where it was multiplied.
    """

    weights: Any
    values: Any
    result: Any
    projection: Any = None
    terms: Terms | None = None
    part: str | None = None
    layer: int = 0
    weight: Any = None
    rows: Any = None

    def heads(self) -> tuple[Any, Any]:
        """Return weights (heads, queries, keys) and values (heads, keys, d), for a batch of one."""
        return by_head(self.weights), by_head(self.values)


def by_head(tensor: Any) -> Any:
    """Return (heads, …, …): some models fold the batch into the heads."""
    return tensor.reshape(-1, *tensor.shape[-2:])


Take = Callable[[Product], None]


@contextmanager
def watching(
    parts: Mapping[str, Any],
    take: Take,
    *,
    linear: bool = False,
    terms: bool = False,
    entered: Callable[[int], None] = lambda layer: None,
) -> Iterator[Places]:
    """Call `take(product)` at every attention in the parts of a network while the block runs.

    linear: it is called later, at the linear map that reads the result, with its weight in
    `product.projection`; where none does before the next attention, without. terms: what the scores
    are made of is followed. entered: called with its number as each layer begins.
    """
    with placing(parts, entered) as places, _mode()(take, places, linear, terms) as mode:
        yield places
        mode.let_go()


@lru_cache(maxsize=1)
def _mode() -> Any:
    import torch
    from torch.overrides import TorchFunctionMode

    maps, calls = linear_maps(), attention_calls()

    class Watch(TorchFunctionMode):
        def __init__(self, take: Take, places: Places, linear: bool, terms: bool) -> None:
            super().__init__()
            self.take, self.places = take, places
            self.ledger = Ledger() if terms else None
            self.softmax: tuple[int, Terms | None] | None = None
            self.waiting: Product | None = None
            self.paths = Paths() if linear else None

        def __torch_function__(
            self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
        ) -> Any:
            kwargs = kwargs or {}
            result = func(*args, **kwargs)
            if func in calls.softmaxes:
                scores = args[0] if args else kwargs["input"]
                terms = self.ledger.read(scores) if self.ledger else None
                self.softmax = result.data_ptr(), terms
            elif self.softmax and func in calls.rounded and args[0].data_ptr() == self.softmax[0]:
                self.softmax = result.data_ptr(), self.softmax[1]
            elif func in calls.products and self.softmax and args[0].data_ptr() == self.softmax[0]:
                self.multiplied(args[0], args[1], result)
            elif self.paths and self.waiting and func in maps and len(args) > 1:
                # What gives them by name does more to them (I-BERT quantises).
                self.projected(self.waiting, *maps[func](*args, **kwargs))
            elif self.paths and self.waiting:
                self.paths.note(func, args, kwargs, result)
            elif self.ledger:
                self.ledger.note(func, args, kwargs, result)
            return result

        def multiplied(self, weights: Any, values: Any, result: Any) -> None:
            self.let_go()
            terms, self.softmax = self.softmax and self.softmax[1], None
            part, layer = self.places.now()
            kept = result.clone() if self.paths else result  # it may be changed in place
            self.waiting = Product(weights, values, kept, None, terms, part, layer)
            if self.paths:
                self.paths.begin(result)
            else:
                self.let_go()

        def projected(self, product: Product, read: Any, weight: Any) -> None:
            path = self.paths.of(read) if self.paths else None
            heads = by_head(product.result)
            product.projection = projection_of(heads, read, path, weight)
            if product.projection is not None:
                order = torch.arange(len(weight), device=weight.device)[:, None]
                rows = projection_of(heads, read, path, order)
                product.weight = weight
                product.rows = (rows.weight if isinstance(rows, Gated) else rows)[..., 0]
                self.let_go()

        def let_go(self) -> None:
            product, self.waiting = self.waiting, None
            if product is not None:
                self.take(product)

    return Watch
