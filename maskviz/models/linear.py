"""Matrix products of a network on the processor, by oneDNN.

torch multiplies float32 matrices by MKL, which uses the widest vectors only on processors of its
own maker: on others oneDNN, which torch carries as well, took less than half the time (119 against
265 GFLOP/s on one core with AVX-512). Its products differ from MKL's as those of two batch sizes
do, in the last digits of a float32.
"""

from __future__ import annotations

import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

_FEW = 16  # rows: below, handing them over costs what it saves
# oneDNN keeps a program for each number of rows, more than 1 MB for all layers together. The first
# so many numbers are taken as they are, others filled up to a multiple of 64, a fifth slower.
_EXACT, _EVEN = 64, 64
_numbers: set[int] = set()


class _Modes(threading.local):
    """How many of a thread's function modes look at other steps than linear maps."""

    elsewhere = 0


_modes = _Modes()


@contextmanager
def looking_elsewhere() -> Iterator[None]:
    """Say that the function mode which is entered next does not look at linear maps."""
    _modes.elsewhere += 1
    try:
        yield
    finally:
        _modes.elsewhere -= 1


def quickened(network: Any) -> Any:
    """Return the network, whose linear layers now use oneDNN where no gradient is asked for.

    Only on an x86 processor, and only layers of exactly these types; nothing else changes.
    """
    if _available() and next(network.parameters()).device.type == "cpu":
        for layer in network.modules():
            layer.__class__ = _quick_types().get(type(layer), type(layer))
    return network


@lru_cache(maxsize=1)
def _available() -> bool:
    import torch

    return (
        platform.machine().lower() in ("x86_64", "amd64")
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )


def _fits(rows: Any, weight: Any) -> bool:
    import torch

    return (
        not torch.is_grad_enabled()
        # No mode watches the plain product.
        and torch._C._len_torch_function_stack() <= _modes.elsewhere
        and rows.dtype == weight.dtype == torch.float32
        and rows.numel() >= _FEW * rows.shape[-1]
        and not torch.is_autocast_enabled("cpu")
    )


def _product(rows: Any, weight: Any, bias: Any) -> Any:
    """Return rows (…, in) times weight (out, in), plus bias (out,)."""
    import torch

    count = rows.numel() // rows.shape[-1]
    if len(_numbers) < _EXACT:
        _numbers.add(count)
    if count in _numbers or count % _EVEN == 0:
        return torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")
    flat = rows.reshape(count, -1)
    flat = torch.nn.functional.pad(flat, (0, 0, 0, -count % _EVEN))
    found = torch.ops.mkldnn._linear_pointwise(flat, weight, bias, "none", [], "")
    return found[:count].view(*rows.shape[:-1], -1)


@lru_cache(maxsize=1)
def _quick_types() -> dict[type, type]:
    """Return for each type of layer the one that multiplies by oneDNN."""
    from torch.nn import Linear
    from transformers.pytorch_utils import Conv1D

    class QuickLinear(Linear):
        def forward(self, rows: Any) -> Any:
            if _fits(rows, self.weight):
                return _product(rows, self.weight, self.bias)
            return super().forward(rows)

    class QuickConv1D(Conv1D):
        def forward(self, rows: Any) -> Any:
            if _fits(rows, self.weight):
                return _product(rows, self.weight.t(), self.bias)
            return super().forward(rows)

    return {Linear: QuickLinear, Conv1D: QuickConv1D}
