"""What stands in the place of a masked unit's value, as the attention masks of the field have it.

mean           its mean over the tokens of other rows: what it says whatever the text
zero           nothing: of a head all that its rows of the output projection add, the value's bias
               included; of an MLP all it adds, a layer is left out
zero-but-bias  of a head nothing but the value's bias, which is the same whatever it attends to
from           the value it has on the masked text, put into the plain one (patching)
from-plain     the other way round: the plain value, put into the masked text

Zero takes a network where it never was; the mean is the default (Wang et al. 2022,
https://arxiv.org/abs/2211.00593; Li and Janson 2024, https://arxiv.org/abs/2409.09951).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from ..errors import CapabilityError, ParameterError, UnknownNameError
from ..models.model import Model
from ..readings.batches import Read, batch
from ..readings.question import Question
from .adding import AlterKey, altered
from .changing import Heads, changing
from .checks.padding import answers
from .core import core_of
from .projection import linear_maps
from .tape import eager, parts_of
from .terms import MOVES
from .units import HEAD, Anatomy, Key, UnitMask

MEAN, ZERO, BUT_BIAS, FROM, FROM_PLAIN = UNIT_OPERATORS = (
    "mean", "zero", "zero-but-bias", "from", "from-plain",
)  # fmt: skip
Values = Mapping[Key, Any]  # (heads, d) of each place, or (rows, heads, queries, d)
_TOKENS = 1024  # in a batch that means are taken over


def checked_operator(name: str) -> str:
    """Return the name of a unit operator, or raise UnknownNameError."""
    if name not in UNIT_OPERATORS:
        raise UnknownNameError.of("unit operator", name, UNIT_OPERATORS)
    return name


def chosen_units(mask: UnitMask) -> dict[Key, list[int]]:
    """Return the units of a mask, by part, layer and kind: of heads their numbers, else 0."""
    found: dict[Key, list[int]] = {}
    for unit in mask.units:
        found.setdefault(mask.anatomy.key(unit), []).append(max(unit.head, 0))
    return found


def altering(mask: UnitMask, values: Values | None) -> AlterKey:
    """Return what puts values in the place of a mask's units; None is zero."""
    chosen = chosen_units(mask)

    def alter(key: Key, value: Any, _values: Any) -> Any:
        import torch

        units = torch.tensor(chosen[key], device=value.device)
        changed = value.clone()
        if values is None:
            changed[:, units] = 0
        else:
            own = values[key][units].to(value.device, value.dtype)
            changed[:, units] = own[:, None].expand(-1, value.shape[2], -1)
        return changed

    return alter


def silencing(network: Any, mask: UnitMask, values: Values | None) -> AbstractContextManager[None]:
    """Return the block in which the units of a mask have other values, None for zero."""
    return altered(network, mask.anatomy, list(chosen_units(mask)), altering(mask, values))


def unit_means(
    question: Question, anatomy: Anatomy, keys: Collection[Key], reads: Sequence[Read]
) -> dict[Key, Any]:
    """Return the mean value of units over the tokens of texts, (heads, d), or (1, width) of others.

    The tokens are those that the part reads: of a decoder that writes, those of its answers.
    Raises ParameterError without a text.
    """
    if not reads:
        raise ParameterError(
            "The mean of a unit is over other rows, and none is given: name a file of them, or "
            "choose the unit operator zero."
        )
    tally = _Tally()
    first = parts_of(question.model)[0]
    network = question.network
    own = [key for key in keys if key[0] == first]
    if own:
        with question.model.running(), altered(network, anatomy, own, tally.add):
            for some in _batches(reads):
                _read_core(question.model, network, some, tally)
    others = [key for key in keys if key[0] != first]
    if others:
        _over_answers(question, anatomy, others, reads, tally)
    return tally.means()


def _batches(reads: Sequence[Read]) -> list[Sequence[Read]]:
    ordered = sorted(reads, key=lambda read: len(read.input_ids))
    size = max(1, _TOKENS // max(1, len(ordered[-1].input_ids)))
    return [ordered[i : i + size] for i in range(0, len(ordered), size)]


def _read_core(model: Model, network: Any, reads: Sequence[Read], tally: _Tally) -> None:
    import torch

    inputs = batch(model, reads)
    tally.seen = inputs["attention_mask"].bool()
    with torch.inference_mode():
        core_of(network)(**inputs)


def _over_answers(
    question: Question,
    anatomy: Anatomy,
    keys: Collection[Key],
    reads: Sequence[Read],
    tally: _Tally,
) -> None:
    """Add the values of a decoder that reads an encoder, at the tokens that all answers have."""
    import torch

    tails = [tail.scored for tail in getattr(question.model, "tails", ())]
    tally.seen, tally.spare = None, max(tails, default=0) - min(tails, default=0)
    with (
        question.model.running(),
        torch.inference_mode(),
        altered(question.network, anatomy, keys, tally.add),
    ):
        for read in question.kind.prepare(question.model, reads):
            question.ask([read])


class _Tally:
    """Sums of values by layer.

    seen: the tokens that count, bool (rows, queries), None for all but the last `spare`.
    """

    def __init__(self) -> None:
        self.seen: Any = None
        self.spare = 0
        self.sums: dict[Key, Any] = {}
        self.counts: dict[Key, float] = {}

    def add(self, key: Key, product: Any, _values: Any) -> Any:
        kept = product.double()  # (rows, heads, queries, d)
        if self.seen is None:
            kept = kept[:, :, : kept.shape[2] - self.spare]
            count = kept.shape[0] * kept.shape[2]
        else:
            kept = kept * self.seen[:, None, :, None]
            count = int(self.seen.sum())
        self.sums[key] = self.sums.get(key, 0) + kept.sum((0, 2))
        self.counts[key] = self.counts.get(key, 0) + count
        return product

    def means(self) -> dict[Key, Any]:
        return {key: total / self.counts[key] for key, total in self.sums.items()}


def value_biases(
    model: Model, heads: Heads, keys: Collection[Key], reads: Sequence[Read]
) -> dict[Key, Any]:
    """Return the bias of each head's value, (heads, d), followed from the map that adds it.

    Raises ParameterError for what is no head, CapabilityError where the way from that map to the
    product is not seen.
    """
    import torch

    if any(key[2] != HEAD for key in keys):
        raise ParameterError(
            f"The unit operator {BUT_BIAS} keeps the bias of a head's value, which MLPs and layers "
            "have not: choose zero or mean."
        )

    network = model.main_network()
    found: dict[Key, Any] = {}
    following = _biases()()

    def take(part: str, layer: int, product: Any, values: Any) -> Any:
        bias = following.of(values)
        count, d = product.shape[1], product.shape[-1]
        if bias is None:
            raise CapabilityError(
                f"The architecture {model.family!r} does not show where the bias of its values "
                "comes from: choose the unit operator zero or mean."
            )
        own = bias.expand(values.shape).reshape(-1, *values.shape[-2:])[:, 0]  # (rows · heads, d)
        own = own[: max(1, len(own) // len(product))]
        found[part, layer, HEAD] = own.repeat_interleave(count // len(own), 0).reshape(count, d)
        return product

    with (
        model.running(),
        torch.inference_mode(),
        eager(network),
        following,
        changing(network, heads, [key[:2] for key in keys], take),
    ):
        read = reads[0]
        answers(network, [read.input_ids], [read.attention_mask])
    return found


@lru_cache(maxsize=1)
def _biases() -> Any:
    import torch
    from torch.overrides import TorchFunctionMode

    maps = linear_maps()
    moves = {*MOVES, "split", "chunk", "unbind", "tensor_split", "repeat_interleave", "half"}

    class Biases(TorchFunctionMode):
        """Follows the bias of each linear map's result, by the tensors that hold it."""

        def __init__(self) -> None:
            super().__init__()
            self.known: dict[int, tuple[Any, Any]] = {}

        def of(self, tensor: Any) -> Any:
            known = self.known.get(id(tensor))
            return known[1] if known else None

        def keep(self, result: Any, bias: Any) -> None:
            self.known[id(result)] = (result, bias)

        def __torch_function__(
            self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
        ) -> Any:
            kwargs = kwargs or {}
            result = func(*args, **kwargs)
            if func in maps:
                at = 0 if func is torch.addmm else 2
                bias = args[at] if len(args) > at else kwargs.get("bias")
                whole = torch.zeros_like(result)
                self.keep(result, whole if bias is None else whole + bias)
                return result
            name = func.__name__.strip("_")
            if name == "cat":  # a cache of keys and values begins as an empty tensor
                known = [self.of(one) for one in args[0] if one.numel()]
                if all(bias is not None for bias in known):
                    self.keep(result, torch.cat(known, *args[1:], **kwargs))
                return result
            before = self.of(args[0]) if args else None
            if before is None or name not in moves:
                return result
            moved = func(before, *args[1:], **kwargs)
            several = isinstance(result, tuple | list)
            for one, bias in zip(result, moved, strict=True) if several else [(result, moved)]:
                self.keep(one, bias)
            return result

    return Biases
