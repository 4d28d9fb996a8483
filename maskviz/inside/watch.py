"""See every attention of a forward pass as it is multiplied: weights, values, output projection.

Whatever the architecture, attention computed eagerly is softmax(scores) · values, and the next
linear map projects the heads back. A torch function mode sees these three steps go by, so no
architecture needs code of its own, nothing is kept that is not asked for, and a model that
attends otherwise (in blocks, or not at all) is noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Layer:
    """What one layer of attention computes.

    weights: (heads, queries, keys), rows sum to 1. values: (heads, keys, d) or None.
    projection: the output projection cut into heads, (heads, d, width), or None.
    gradient: of the answer by the weights, shaped like them, or None.
    """

    weights: Any
    values: Any = None
    projection: Any = None
    gradient: Any = None


@dataclass(eq=False)
class Product:
    """Tensors of one softmax · values as the model made them; `output` is the weight behind it.

    weights: (1, heads, queries, keys) or (heads, …). values: … keys, d. output: (heads · d, width).
    """

    weights: Any
    values: Any
    output: Any = None

    def heads(self) -> tuple[Any, Any]:
        """Return weights (heads, queries, keys) and values (heads, keys, d), for a batch of one."""
        return _heads(self.weights), _heads(self.values)

    def projection(self) -> Any:
        """Return the output projection cut into heads, (heads, d, width), or None."""
        heads, _, size = self.heads()[1].shape
        if self.output is None or self.output.shape[0] != heads * size:
            return None
        return self.output.reshape(heads, size, -1)


@contextmanager
def watching(take: Callable[[int, Product], None], linear: bool = False) -> Iterator[None]:
    """Call `take(number, product)` at every attention while the block runs.

    With `linear` it is called at the linear map that follows, with its weight in `product.output`.
    """
    import torch

    with _mode(torch, take, linear):
        yield


def _mode(torch: Any, take: Callable[[int, Product], None], linear: bool) -> Any:
    from torch.nn import functional
    from torch.overrides import TorchFunctionMode

    softmaxes = {functional.softmax, torch.softmax, torch.Tensor.softmax}
    products = {torch.matmul, torch.bmm, torch.Tensor.matmul, torch.Tensor.__matmul__}

    class Watch(TorchFunctionMode):
        def __init__(self) -> None:
            super().__init__()
            self.softmax: int | None = None
            self.count = 0
            self.waiting: Product | None = None

        def __torch_function__(
            self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
        ) -> Any:
            result = func(*args, **(kwargs or {}))
            if func in softmaxes:
                self.softmax = result.data_ptr()
            elif func in products and args[0].data_ptr() == self.softmax:
                self.multiplied(args[0], args[1])
            elif self.waiting is not None and func in (functional.linear, torch.addmm):
                # A linear layer keeps (out, in), GPT-2's Conv1D (in, out).
                weight = args[1].T if func is functional.linear else args[2]
                self.projected(self.waiting, weight)
            return result

        def multiplied(self, weights: Any, values: Any) -> None:
            self.softmax = None
            product = Product(weights, values)
            if linear:
                self.waiting = product
            else:
                self.count += 1
                take(self.count - 1, product)

        def projected(self, product: Product, weight: Any) -> None:
            self.waiting, product.output = None, weight
            self.count += 1
            take(self.count - 1, product)

    return Watch()


def _heads(tensor: Any) -> Any:
    """Return (heads, …, …): some models fold the batch into the heads."""
    return tensor.reshape(-1, *tensor.shape[-2:])
