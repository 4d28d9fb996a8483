"""What a network adds to its scores on the way from queries · keys to the softmax, term by term.

S = Q·Kᵀ/√d + b + log M: b is what an architecture has beside the product (the position bias of T5,
ALiBi, DeBERTa's relative positions), M its own mask. No architecture says so in a common way, so
the tensors of a pass are followed: what is added to a product becomes a term, what scales it scales
each term, −∞ is the mask, one key more than there are tokens is a sink. A step that is no sum (a
soft cap) makes one term of all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

FLOOR = -9_999.0  # a score at or below it is a mask's: in float32 its weight is 0
Function = Any  # one of torch's, as a function mode sees it
Arguments = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Terms:
    """The terms of scores as a softmax reads them; all end in (queries, keys).

    score: queries · keys, scaled. biases: what else is added. seen: False where the mask says −∞.
    """

    score: Any
    biases: tuple[Any, ...]
    seen: Any

    def total(self) -> Any:
        """Return the scores that the softmax reads, −∞ where the mask says so."""
        return sum(self.biases, self.score).masked_fill(~self.seen, float("-inf"))

    def each(self, change: Callable[[Any], Any], seen: Any = None) -> Terms:
        """Return the terms changed one by one, under another mask where one is given."""
        biases = tuple(change(bias) for bias in self.biases)
        return Terms(change(self.score), biases, self.seen if seen is None else seen)


class Ledger:
    """Follows scores from their product to their softmax, by the tensors that hold them."""

    def __init__(self) -> None:
        # With each id its tensor: a tensor that is gone leaves its id to another.
        self._known: dict[int, tuple[Any, Terms]] = {}

    def note(self, func: Function, args: Arguments, kwargs: dict[str, Any], result: Any) -> None:
        """Note what the result of one step of a pass is the sum of."""
        import torch

        if not isinstance(result, torch.Tensor) or not result.is_floating_point():
            return
        name = func.__name__.strip("_")
        step = _STEPS.get(name)
        found = step(self._of, args, kwargs, result) if step else None
        before = self._of(args[0]) if args else None
        if found is None and before is not None:
            found = _carried(before, func, args, kwargs, result)
        if found is not None:
            self._known[id(result)] = (result, found)

    def read(self, scores: Any) -> Terms:
        """Return the terms of what a softmax reads, and forget the way to it."""
        found = self._of(scores) or one_term(scores)
        self._known.clear()
        return found

    def _of(self, tensor: Any) -> Terms | None:
        known = self._known.get(id(tensor))
        return known[1] if known else None


_Of = Callable[[Any], Terms | None]


def one_term(scores: Any) -> Terms:
    """Return scores as one term, under a mask where they are at the floor."""
    seen = scores > FLOOR
    return Terms(scores.masked_fill(~seen, 0.0), (), seen)


def _product(of: _Of, args: Arguments, kwargs: dict[str, Any], result: Any) -> Terms | None:
    if result.dim() < 3 or any(of(one) for one in args):
        return None
    return one_term(result)


def _product_and_bias(of: _Of, args: Arguments, kwargs: dict[str, Any], result: Any) -> Terms:
    bias = (args[0] * kwargs.get("beta", 1)).expand_as(result)
    return Terms(result - bias, (bias.clone(),), result > FLOOR)


def _sum(of: _Of, args: Arguments, kwargs: dict[str, Any], result: Any) -> Terms | None:
    first, second = args[:2]
    if of(first) is None:
        first, second = second, first
    return _with(of(first), second, 1, result)


def _difference(of: _Of, args: Arguments, kwargs: dict[str, Any], result: Any) -> Terms | None:
    return _with(of(args[0]), args[1], -1, result)


def _with(found: Terms | None, other: Any, sign: int, result: Any) -> Terms | None:
    """Return the terms with one more: a mask where it is at the floor, and a bias elsewhere."""
    import torch

    if found is None:
        return None
    number = not isinstance(other, torch.Tensor)
    if number or other.dim() == 0 or (other.shape[-1] == 1 and result.shape[-1] > 1):
        return found  # the same for every key: a softmax does not see it
    added = sign * other.expand_as(result)
    seen = added > FLOOR
    bias = added.masked_fill(~seen, 0.0)
    more = (bias,) if bool(bias.any()) else ()
    whole = found.each(lambda term: term.expand_as(result), found.seen & seen)
    return Terms(whole.score, (*whole.biases, *more), whole.seen)


def _times(of: _Of, args: Arguments, kwargs: dict[str, Any], result: Any) -> Terms | None:
    factor, found = (args[1], of(args[0])) if of(args[0]) else (args[0], of(args[1]))
    if found is None or of(factor) is not None:
        return None
    return found.each(lambda term: term * factor)


def _divided(of: _Of, args: Arguments, kwargs: dict[str, Any], result: Any) -> Terms | None:
    found = of(args[0])
    return None if found is None else found.each(lambda term: term / args[1])


def _masked(of: _Of, args: Arguments, kwargs: dict[str, Any], result: Any) -> Terms | None:
    found, given = of(args[0]), {**dict(zip(("mask", "value"), args[1:], strict=False)), **kwargs}
    if found is None:
        return None
    mask = given["mask"].bool().expand_as(result)
    off = float(given["value"]) <= FLOOR
    return Terms(found.score, found.biases, found.seen & ~mask if off else found.seen | mask)


def _chosen(of: _Of, args: Arguments, kwargs: dict[str, Any], result: Any) -> Terms | None:
    """Return terms where a condition holds and the floor elsewhere, or the other way round."""
    import torch

    condition, one, other = args if len(args) == 3 else (args[1], args[0], args[2])
    for found, beside, kept in (
        (of(one), other, condition),
        (of(other), one, condition.logical_not()),
    ):
        if found is not None and bool((torch.as_tensor(beside) <= FLOOR).all()):
            return Terms(found.score, found.biases, found.seen & kept.bool())
    return None


def _joined(of: _Of, args: Arguments, kwargs: dict[str, Any], result: Any) -> Terms | None:
    """Return terms with more keys: the scores of a sink, which is no token."""
    import torch

    tensors = list(args[0])
    found = of(tensors[0])
    if found is None or len(tensors) != 2 or tensors[0].shape[:-1] != tensors[1].shape[:-1]:
        return None
    sink = tensors[1]
    nothing = torch.zeros_like(sink)
    whole = found.each(
        lambda term: torch.cat([term.expand_as(tensors[0]), nothing], -1),
        torch.cat([found.seen.expand_as(tensors[0]), sink > FLOOR], -1),
    )
    bias = torch.cat([torch.zeros_like(tensors[0]), sink], -1)
    return Terms(whole.score, (*whole.biases, bias), whole.seen)


_STEPS: dict[str, Callable[[_Of, Arguments, dict[str, Any], Any], Terms | None]] = {
    **dict.fromkeys(("matmul", "bmm", "einsum"), _product),
    "baddbmm": _product_and_bias,
    **dict.fromkeys(("add", "radd", "iadd"), _sum),
    **dict.fromkeys(("sub", "isub"), _difference),
    **dict.fromkeys(("mul", "rmul", "imul"), _times),
    **dict.fromkeys(("div", "truediv", "itruediv"), _divided),
    "masked_fill": _masked,
    "where": _chosen,
    "cat": _joined,
}
MOVES = {  # change where a score lies, not what it is
    *("view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "expand", "contiguous"),
    *("permute", "transpose", "movedim", "getitem", "gather"),
    *("to", "float", "type", "type_as", "clone", "detach"),
}


def _carried(
    before: Terms, func: Function, args: Arguments, kwargs: dict[str, Any], result: Any
) -> Terms:
    """Return the terms behind a step that moves them, changes nothing, or makes one of them."""
    import torch

    old = args[0].shape
    if func.__name__.strip("_") in MOVES:
        moved = before.each(lambda term: func(term.expand(old), *args[1:], **kwargs))
        seen = func(before.seen.expand(old).to(result.dtype), *args[1:], **kwargs) > 0.5
        return Terms(moved.score, moved.biases, seen)
    if result.shape == old:
        seen = before.seen.expand(old)
        same = torch.equal(result > FLOOR, seen)
        if same and torch.equal(before.total().expand(old)[seen], result[seen]):
            return before
    return one_term(result)
