"""The calls of torch by which networks compute attention; who watches or changes it goes by these.

Each is a set of functions, as a `TorchFunctionMode` is handed them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any


@dataclass(frozen=True)
class Calls:
    """softmaxes: over scores. rounded: what a softmax may go through before it multiplies, as of a
    network in bfloat16, which takes it in float32. products: of the softmax with the values. fused:
    attention in one call.
    """

    softmaxes: frozenset[Any]
    rounded: frozenset[Any]
    products: frozenset[Any]
    fused: Any


@lru_cache(maxsize=1)
def attention_calls() -> Calls:
    """Return the calls of the torch that is installed."""
    import torch
    from torch import Tensor
    from torch.nn import functional

    return Calls(
        softmaxes=frozenset({functional.softmax, torch.softmax, Tensor.softmax}),
        rounded=frozenset({Tensor.to, Tensor.type_as, Tensor.type, Tensor.bfloat16}),
        products=frozenset({torch.matmul, torch.bmm, Tensor.matmul, Tensor.__matmul__}),
        fused=functional.scaled_dot_product_attention,
    )
