"""Many masks over units of one text, asked about in few passes.

The masks of one depth share a batch, a row each, and the layers below are read once. A row's own
units are changed in it alone. The MLP of a decoder's last layer reads the asked places alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ..masks.encoding import Encoding
from ..models.checks import finding
from ..readings.batches import Read
from ..readings.language.scoring import asked_places
from ..readings.question import Question
from .adding import AlterKey, altered, submodule
from .core import core_of
from .places import layers_of
from .resuming import Kept, keeping, resumed
from .tape import parts_of
from .units import HEAD, Anatomy, Key, Unit

_TOKENS = 1024  # in a pass, over all its rows


@dataclass(eq=False)
class Scan:
    """One text as it is asked about again and again with other units masked.

    read: what the model reads of it. values: key → what stands in the place of its units, (heads,
    d) or (rows, heads, queries, d); None for zero. done: called with how many masks are answered.
    """

    question: Question
    anatomy: Anatomy
    read: Read
    values: Mapping[Key, Any] | None = None
    done: Callable[[int], None] = lambda count: None

    def answers(self, sets: Sequence[Sequence[Unit]]) -> tuple[Any, Any]:
        """Return the plain logits (outputs,), and those with each set masked (sets, outputs)."""
        import numpy as np
        import torch

        question, network = self.question, self.question.network
        (read,) = question.kind.prepare(question.model, [self.read])
        known = finding(question.model, "layers read once").passed  # before the lock is held
        with question.model.running(), torch.inference_mode():
            kept, plain = keeping(network, parts_of(question.model), lambda: question.ask([read]))
            kept.once = kept.once and known
            found = np.zeros((len(sets), len(question.outputs)))
            for depth, which in self._batches(kept, sets):
                some = [sets[i] for i in which]
                with resumed(kept, depth, len(some)), self.changed(some), self._last_alone(some):
                    found[which] = question.ask([read] * len(some)).double().cpu().numpy()
                self.done(len(some))
        return plain[0].double().cpu().numpy(), found

    def changed(self, sets: Sequence[Sequence[Unit]]) -> AbstractContextManager[None]:
        """Return the block in which as many texts as sets are read, each with its set masked."""
        network = self.question.network
        chosen = self._chosen(sets, network.device)
        return altered(network, self.anatomy, chosen, self._altering(chosen))

    @contextmanager
    def _last_alone(self, sets: Sequence[Sequence[Unit]]) -> Iterator[None]:
        """Let the MLP of the last layer read the places alone that are asked about.

        Of a decoder nobody reads the others; where MLPs or layers are masked they go on whole.
        """
        path = (finding(self.question.model, "MLPs").value or {}).get("last")
        layers = layers_of(core_of(self.question.network))
        heads = all(unit.kind == HEAD for one in sets for unit in one)
        if not path or not heads or not layers or layers.count(layers[-1]) > 1:
            yield
            return
        block = submodule(layers[-1], path)
        whole, own = block.forward, block.__dict__.get("forward")

        def at_places(states: Any) -> Any:
            places = asked_places()
            if places is None:
                return whole(states)
            index = places.to(states.device)[..., None].expand(-1, -1, states.shape[-1])
            return states.new_zeros(states.shape).scatter(1, index, whole(states.gather(1, index)))

        block.forward = at_places
        try:
            yield
        finally:
            block.__dict__.pop("forward", None)
            if own is not None:
                block.forward = own

    def _batches(
        self, kept: Kept, sets: Sequence[Sequence[Unit]]
    ) -> Iterator[tuple[int, list[int]]]:
        """Yield the depth of the lowest layer of some sets, and the sets' numbers."""
        depths = [
            min((kept.depth(self.anatomy.part(u), u.layer) for u in one), default=0) for one in sets
        ]
        tails = getattr(self.question.model, "tails", ())
        rows = max(1, len(tails)) if any(len(tail.ids) > 1 for tail in tails) else 1
        most = max(1, _TOKENS // (rows * len(self.read.input_ids)))
        order = sorted(range(len(sets)), key=lambda i: depths[i])
        for depth, group in groupby(order, key=lambda i: depths[i]):
            own = list(group)
            parts = -(-len(own) // most)  # of about the same size
            size = -(-len(own) // parts)
            for i in range(0, len(own), size):
                yield depth, own[i : i + size]

    def _chosen(self, some: Sequence[Sequence[Unit]], device: Any) -> dict[Key, Any]:
        """Return for each place which units are masked in which set, bool (sets, heads or 1)."""
        import torch

        found: dict[Key, Any] = {}
        for i, units in enumerate(some):
            for unit in units:
                key = self.anatomy.key(unit)
                if key not in found:
                    shape = (len(some), self.anatomy.beside(key))
                    found[key] = torch.zeros(shape, dtype=torch.bool)
                found[key][i, max(unit.head, 0)] = True
        return {key: mask.to(device) for key, mask in found.items()}

    def _altering(self, chosen: Mapping[Key, Any]) -> AlterKey:
        def alter(key: Key, product: Any, _values: Any) -> Any:
            mask = chosen[key]
            each = len(product) // len(mask)  # rows of one text: one for each choice
            mask = mask.repeat_interleave(each, 0)[:, :, None, None]
            if self.values is None:
                return product.masked_fill(mask, 0)
            own = self._own(self.values[key].to(product.device, product.dtype), product)
            return product if own is None else own.where(mask, product)

        return alter

    def _own(self, value: Any, product: Any) -> Any:
        """Return what stands in the place of a product; None of a word that is being written.

        A model that goes on writing reads the text first, and then its own words one by one.
        """
        if value.dim() == 2:
            return value[None, :, None]
        if value.shape[2] != product.shape[2]:
            if product.shape[2] != len(self.read.input_ids):
                return None
            value = value[:1, :, : product.shape[2]]
        return value.repeat(len(product) // len(value), 1, 1, 1)


def recorded(
    question: Question, anatomy: Anatomy, read: Read, keys: Collection[Key]
) -> dict[Key, Any]:
    """Return the values of units over one text, (rows, heads or 1, queries, d)."""
    import torch

    kept: dict[Key, Any] = {}

    def keep(key: Key, product: Any, _values: Any) -> Any:
        kept[key] = product.clone()
        return product

    (ready,) = question.kind.prepare(question.model, [read])
    with (
        question.model.running(),
        torch.inference_mode(),
        altered(question.network, anatomy, keys, keep),
    ):
        question.ask([ready])
    return kept


def aligned(
    values: Mapping[Key, Any],
    here: Encoding,
    there: Encoding,
    own: Mapping[Key, Any],
    first: str,
) -> dict[Key, Any]:
    """Return the values over one text as they stand in the places of another's tokens.

    A token keeps its own value where the other text has none for it. own: the values over the text
    itself, which those are put into. What follows the text follows it in both.
    """
    found = {}
    for key, value in own.items():
        other = values[key]
        if key[0] != first:  # a decoder reads the same in both
            found[key] = other
            continue
        behind = max(0, value.shape[2] - len(here))  # hidden tokens at an end are left out
        ends = value.shape[2] - behind, other.shape[2] - behind
        moved = value.clone()
        for i, j in _pairs(here, there):
            if i < ends[0] and j < ends[1]:
                moved[:, :, i] = other[:, :, j]
        if behind:
            moved[:, :, ends[0] :] = other[:, :, ends[1] :]
        found[key] = moved
    return found


def _pairs(here: Encoding, there: Encoding) -> list[tuple[int, int]]:
    """Return (token here, the same token there), of a plain and a masked text, either way round."""
    plain_of_here = {s: i for i, s in enumerate(here.source) if s is not None}
    pairs = ((plain_of_here.get(s), j) for j, s in enumerate(there.source) if s is not None)
    return [(i, j) for i, j in pairs if i is not None]
