"""Where a product of attention goes, element by element, until a linear map projects its heads.

Between softmax · values and the output projection W_O some architectures multiply each element by
a gate (Qwen3-Next's sigmoid, BitNet's norm, Granite's sinks). So the elements are followed: each
place of a tensor on the way knows which element of the product lies there, and by how much it has
been multiplied. The map that reads them all, and nothing else, is the projection, where what it
reads is the product times its gates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .terms import MOVES, Arguments, Function

_TIMES = {"mul", "rmul", "imul"}
_TYPES = {"to", "float", "type", "type_as", "half", "bfloat16", "double"}  # change no element


@dataclass(frozen=True, eq=False)
class Gated:
    """An output projection behind a gate: (g ⊙ Σ_j α_j v_j) W_O.

    gate: (heads, queries, d), what each element is multiplied by. weight: (heads, d, width).
    """

    gate: Any
    weight: Any


@dataclass(frozen=True, eq=False)
class Path:
    """What lies at each place of a tensor: `source`, the number of an element of the product, and
    `factor`, what that element has been multiplied by; both are shaped like the tensor.
    """

    source: Any
    factor: Any


class Paths:
    """Follows the elements of one product, by the tensors that hold them."""

    def __init__(self) -> None:
        # With each id its tensor: a tensor that is gone leaves its id to another.
        self._known: dict[int, tuple[Any, Path]] = {}

    def begin(self, product: Any) -> None:
        """Follow another product, and none before it."""
        import torch

        source = torch.arange(product.numel(), device=product.device).reshape(product.shape)
        factor = torch.ones(product.shape, device=product.device)
        self._known = {id(product): (product, Path(source, factor))}

    def of(self, tensor: Any) -> Path | None:
        """Return where the elements of a tensor come from, None where they are not followed."""
        known = self._known.get(id(tensor))
        return known[1] if known else None

    def note(self, func: Function, args: Arguments, kwargs: dict[str, Any], result: Any) -> None:
        """Note where the elements lie behind one step of a pass."""
        import torch

        if not isinstance(result, torch.Tensor):
            return
        found = self._behind(func, args, kwargs, result)
        self._known.pop(id(result), None)  # changed in place by a step that is not followed
        if found is not None and found.source.shape == result.shape:
            self._known[id(result)] = (result, found)

    def _behind(
        self, func: Function, args: Arguments, kwargs: dict[str, Any], result: Any
    ) -> Path | None:
        import torch

        name = func.__name__.strip("_")
        path = self.of(args[0]) if args else None
        if name in _TIMES and path is None and len(args) == 2:
            args, path = (args[1], args[0]), self.of(args[1])
        if path is None:
            return None
        if name in _TIMES:
            return None if self.of(args[1]) else Path(path.source, path.factor * args[1])
        if name in _TYPES or (name == "dropout" and torch.equal(result, args[0])):
            return path
        if name not in MOVES:
            return None
        move = torch.Tensor.reshape if name == "view" else func
        return Path(*(move(one, *args[1:], **kwargs) for one in (path.source, path.factor)))


def _linear(input: Any, weight: Any, bias: Any = None) -> tuple[Any, Any]:
    return input, weight.T


def _addmm(bias: Any, mat1: Any, mat2: Any, **more: Any) -> tuple[Any, Any]:
    return mat1, mat2  # GPT-2's Conv1D keeps (in, out), a linear layer (out, in)


def linear_maps() -> Mapping[Function, Callable[..., tuple[Any, Any]]]:
    """Return torch's linear maps: each tells, by its arguments, what it reads and (in, width)."""
    import torch
    from torch.nn import functional

    return {functional.linear: _linear, torch.addmm: _addmm}


def projection_of(heads: Any, read: Any, path: Path | None, weight: Any) -> Any:
    """Return the weight of a linear map cut into the heads (heads, queries, d) that it reads.

    (heads, d, width), or a Gated one; None where it reads something else, or not all of them.
    """
    import torch

    count, queries, size = heads.shape
    path = path or _side_by_side(heads, read)
    rows = read.reshape(-1, read.shape[-1])
    if path is None or rows.shape != (queries, count * size):
        return None
    source, factor = path.source.reshape(rows.shape), path.factor.reshape(rows.shape)
    query = source // size % queries
    feature = source // (queries * size) * size + source % size
    order, rank = feature[0].argsort(), query[:, 0].argsort()
    whole_rows = bool((query == query[:, :1]).all()) and bool((feature == feature[:1]).all())
    once = feature[0][order].equal(torch.arange(count * size, device=order.device))
    once = once and query[rank, 0].equal(torch.arange(queries, device=rank.device))
    if not (whole_rows and once and _close(rows, heads.reshape(-1)[source] * factor)):
        return None
    whole = weight[order].reshape(count, size, -1)
    if bool((factor == 1).all()):
        return whole
    gate = factor[rank][:, order].reshape(queries, count, size)
    return Gated(gate.transpose(0, 1), whole)


def _side_by_side(heads: Any, read: Any) -> Path | None:
    """Return the path of heads that a map reads side by side, however they came there."""
    import torch

    width = heads.shape[0] * heads.shape[2]
    if read.numel() != heads.numel() or read.shape[-1] != width:
        return None
    source = torch.arange(heads.numel(), device=heads.device).reshape(heads.shape)
    source = source.transpose(0, 1).reshape(read.shape)
    return Path(source, torch.ones(read.shape, device=heads.device))


def _close(read: Any, expected: Any) -> bool:
    import torch

    near = 1e-4 if read.dtype in (torch.float32, torch.float64) else 2e-2
    return torch.allclose(read.float(), expected.float(), near, near / 100)
