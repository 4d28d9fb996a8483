"""See every attention of a forward pass as it is multiplied: weights, values, output projection.

Whatever the architecture, attention computed eagerly is softmax(scores) · values, and the linear
map that reads this product as it is projects the heads back. A torch function mode sees these three
steps go by, so no architecture needs code of its own, nothing is kept that is not asked for, and a
model that attends otherwise (in blocks, behind a gate, or not at all) is noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .places import Places, placing
from .terms import Ledger, Terms


@dataclass(frozen=True, eq=False)
class Layer:
    """What one layer of attention computes.

    weights: (heads, queries, keys), rows sum to 1. values: (heads, keys, d) or None.
    projection: the output projection cut into heads, (heads, d, width), or None.
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
    output: (heads · d, width), the weight of the linear map that the result goes through as it is.
    terms: what the softmax read, where they are followed. part, layer: where it was multiplied.
    """

    weights: Any
    values: Any
    result: Any
    output: Any = None
    terms: Terms | None = None
    part: str | None = None
    layer: int = 0

    def heads(self) -> tuple[Any, Any]:
        """Return weights (heads, queries, keys) and values (heads, keys, d), for a batch of one."""
        return by_head(self.weights), by_head(self.values)

    def projection(self) -> Any:
        """Return the output projection cut into heads, (heads, d, width), or None."""
        heads, _, size = by_head(self.result).shape
        return None if self.output is None else self.output.reshape(heads, size, -1)

    def projected_by(self, read: Any) -> bool:
        """Tell whether a linear map reads the heads side by side, as they were multiplied."""
        import torch

        merged = by_head(self.result).transpose(0, 1).flatten(1)  # (queries, heads · d)
        if read.numel() != merged.numel() or read.shape[-1] != merged.shape[-1]:
            return False
        return torch.allclose(read.reshape(merged.shape), merged.to(read.dtype), 1e-4, 1e-6)


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
    `product.output`; where none does before the next attention, without. terms: what the scores
    are made of is followed. entered: called with its number as each layer begins.
    """
    with placing(parts, entered) as places, _mode()(take, places, linear, terms) as mode:
        yield places
        mode.let_go()


@lru_cache(maxsize=1)
def _mode() -> Any:
    import torch
    from torch.nn import functional
    from torch.overrides import TorchFunctionMode

    softmaxes = {functional.softmax, torch.softmax, torch.Tensor.softmax}
    products = {torch.matmul, torch.bmm, torch.Tensor.matmul, torch.Tensor.__matmul__}

    class Watch(TorchFunctionMode):
        def __init__(self, take: Take, places: Places, linear: bool, terms: bool) -> None:
            super().__init__()
            self.take, self.places, self.linear = take, places, linear
            self.ledger = Ledger() if terms else None
            self.softmax: tuple[int, Terms | None] | None = None
            self.waiting: Product | None = None

        def __torch_function__(
            self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
        ) -> Any:
            kwargs = kwargs or {}
            result = func(*args, **kwargs)
            if func in softmaxes:
                scores = args[0] if args else kwargs["input"]
                terms = self.ledger.read(scores) if self.ledger else None
                self.softmax = result.data_ptr(), terms
            elif func in products and self.softmax and args[0].data_ptr() == self.softmax[0]:
                self.multiplied(args[0], args[1], result)
            elif func in (functional.linear, torch.addmm):
                # A linear layer keeps (out, in), GPT-2's Conv1D (in, out).
                plain = func is functional.linear
                self.projected(args[0 if plain else 1], args[1].T if plain else args[2])
            elif self.ledger:
                self.ledger.note(func, args, kwargs, result)
            return result

        def multiplied(self, weights: Any, values: Any, result: Any) -> None:
            self.let_go()
            terms, self.softmax = self.softmax and self.softmax[1], None
            part, layer = self.places.now()
            if self.linear:  # what is added to it in place afterwards is not of attention
                result = result.clone()
            self.waiting = Product(weights, values, result, None, terms, part, layer)
            if not self.linear:
                self.let_go()

        def projected(self, read: Any, weight: Any) -> None:
            if self.waiting is not None and self.waiting.projected_by(read):
                self.waiting.output = weight
                self.let_go()

        def let_go(self) -> None:
            product, self.waiting = self.waiting, None
            if product is not None:
                self.take(product)

    return Watch
