"""Matrix products of a network on the processor, by oneDNN, with what follows them.

torch multiplies float32 matrices by MKL, which uses the widest vectors only on processors of its
own maker: on others oneDNN, which torch carries as well, took less than half the time (119 against
265 GFLOP/s on one core with AVX-512). Its products differ from MKL's as those of two batch sizes
do, in the last digits of a float32. GELU, and the gate of a gated layer, are taken on a product's
way out, while its numbers are still in a register: apart from it they read and write the widest
rows of the network three times more.
"""

from __future__ import annotations

import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

_FEW = 16  # rows: below, handing them over costs what it saves, unless the matrix is large
_LARGE = 1 << 23  # weights, as of a head that makes words: 9 rows take 14 ms of 21, one 8 of 10
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
            kind: Any = type(layer)
            layer.__class__ = _quick_types().get(kind) or _fused(kind) or kind
    return network


@lru_cache(maxsize=64)
def _fused(kind: Any) -> Any:
    """Return the type that takes GELU and gate with the product; None for all other layers."""
    name, own = kind.__name__, kind.__module__.startswith("transformers.models.")
    if own and name == "ModernBertMLP":
        return type(name, (kind,), {"forward": _gated, "plain": kind.forward})
    if own and name in _INTERMEDIATE:
        return type(name, (kind,), {"forward": _activated, "plain": kind.forward})
    return None


# act(dense(rows)), and nothing else, as BERT has it.
_INTERMEDIATE = tuple(f"{n}Intermediate" for n in ("Bert", "Roberta", "XLMRoberta", "Electra"))


def _gated(layer: Any, rows: Any) -> Any:
    """Return Wo(GELU(first half) · second half), both halves products of `rows`."""
    weight, bias = layer.Wi.weight, layer.Wi.bias
    if not (_fits(rows, weight) and _alone(layer.Wi, layer.act, layer.drop) and _gelu(layer.act)):
        return layer.plain(rows)
    half = len(weight) // 2
    first, second = (None, None) if bias is None else (bias[:half], bias[half:])
    active = _product(rows, weight[:half], first, "gelu")
    return layer.Wo(_product(rows, weight[half:], second, times=active))


def _activated(layer: Any, rows: Any) -> Any:
    """Return GELU(dense(rows))."""
    dense, act = layer.dense, layer.intermediate_act_fn
    if not (_fits(rows, dense.weight) and _alone(dense, act) and _gelu(act)):
        return layer.plain(rows)
    return _product(rows, dense.weight, dense.bias, "gelu")


def _gelu(act: Any) -> bool:
    """Tell whether an activation is GELU itself, not one of its approximations."""
    from torch.nn import GELU
    from torch.nn.functional import gelu

    exact = isinstance(act, GELU) and act.approximate == "none"
    return exact or (type(act).__name__ == "GELUActivation" and act.act is gelu)


def _alone(*layers: Any) -> bool:
    """Tell whether nobody watches these layers, and none of them drops anything."""
    return not any(x.training or x._forward_hooks or x._forward_pre_hooks for x in layers)


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
        and rows.numel() >= (1 if weight.numel() >= _LARGE else _FEW) * rows.shape[-1]
        and not torch.is_autocast_enabled("cpu")
    )


def _product(rows: Any, weight: Any, bias: Any, then: str = "none", times: Any = None) -> Any:
    """Return rows (…, in) times weight (out, in), plus bias (out,).

    then: `gelu` of it. times: a tensor (…, out) that it is multiplied with.
    """
    count = rows.numel() // rows.shape[-1]
    if len(_numbers) < _EXACT:
        _numbers.add(count)
    if count in _numbers or count % _EVEN == 0:
        return _by_onednn(rows, weight, bias, then, times)
    more = -count % _EVEN
    flat = _filled(rows, count, more)
    other = None if times is None else _filled(times, count, more)
    found = _by_onednn(flat, weight, bias, then, other)
    return found[:count].view(*rows.shape[:-1], -1)


def _filled(rows: Any, count: int, more: int) -> Any:
    import torch

    return torch.nn.functional.pad(rows.reshape(count, -1), (0, 0, 0, more))


def _by_onednn(rows: Any, weight: Any, bias: Any, then: str, times: Any) -> Any:
    import torch

    linear = torch.ops.mkldnn._linear_pointwise
    if times is None:
        return linear(rows, weight, bias, then, [], "none" if then == "gelu" else "")
    return linear.binary(rows, times, weight, bias, "mul")


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
