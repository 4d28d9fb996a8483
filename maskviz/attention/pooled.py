"""The attention of a long text: cells of several tokens, numbers of each head token by token.

Weights come a few queries at a time. Of each group its sums are kept: attention to the tokens of a
block added, from them averaged, as words are merged; and what a head is told by, its role, entropy
and shares, over all tokens before anything is pooled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..inside.by_query import attention_by_query
from ..inside.tape import parts_of
from ..masks.encoding import Encoding
from ..models.model import Model
from .parts import part_names, segments
from .roles import NAMED, HeadRole, patterns_of, role_of, rows_that_count
from .summary import Summary
from .view import word_numbers

CELLS = 512  # along a side of a map: about as many as a screen has pixels for it


@dataclass(frozen=True, eq=False)
class Pooled:
    """One pass over a long text.

    weights: float16 (layers, heads, blocks, blocks). there: bool (blocks,), those that a token of
    what was read stands in. numbers: the network's own of each layer, from 0. roles, summary: of
    each head, over all tokens. turns: float64 (layers, heads, groups, groups), or None.
    """

    weights: Any
    there: Any
    numbers: tuple[int, ...]
    roles: tuple[tuple[HeadRole, ...], ...]
    summary: Summary
    turns: Any = None


def block_size(tokens: int) -> int:
    """Return how many tokens share a cell.

    >>> block_size(600), block_size(8192)
    (2, 16)
    """
    return -(-tokens // CELLS)


def pooled(
    model: Model,
    encoding: Encoding,
    blocks: Sequence[int | None],
    layers: range | None = None,
    queries: Sequence[bool] | None = None,
) -> Pooled:
    """Read a text and return its attention in blocks.

    blocks: the block of each token, None where it stands in none. layers: only these. queries:
    the rows that roles are of, without it the ordinary ones.
    """
    names = part_names(model, encoding.text)
    turns = (segments(model, encoding), len(names)) if names else None
    count = 1 + max(b for b in blocks if b is not None)
    found: dict[int, _Layer] = {}

    def take(layer: int, first: int, weights: Any) -> None:
        if layer not in found:
            found[layer] = _Layer(model, encoding, (blocks, count), turns, queries)
        found[layer].add(first, weights)

    attention_by_query(model, encoding, take, layers)
    numbers = tuple(sorted(found))
    return _stacked(numbers, [found[number] for number in numbers])


def _stacked(numbers: tuple[int, ...], layers: Sequence[_Layer]) -> Pooled:
    import numpy as np

    summed = [np.stack(each) for each in zip(*(one.summary() for one in layers), strict=True)]
    turns = [one.turns.means() for one in layers if one.turns is not None]
    return Pooled(
        np.stack([one.cells.means().astype(np.float16) for one in layers]),
        layers[0].cells.counts > 0,
        numbers,
        tuple(one.roles() for one in layers),
        Summary(*summed),
        np.stack(turns) if turns else None,
    )


class _Groups:
    """Sums over groups of tokens: of the keys of each row, and of the rows of each group."""

    def __init__(self, groups: Sequence[int | None], count: int) -> None:
        import torch

        self.of = torch.tensor([count if g is None else g for g in groups])  # count: of none
        self.counts = torch.bincount(self.of, minlength=count + 1)[:count].numpy()
        self.sums: Any = None  # float64 (heads, groups + 1, groups + 1)

    def add(self, first: int, weights: Any) -> None:
        """Add the rows of some queries, (heads, queries, keys)."""
        heads, count, width = len(weights), weights.shape[1], len(self.counts) + 1
        rows = weights.new_zeros(heads, count, width).index_add_(2, self.of, weights)
        if self.sums is None:
            self.sums = rows.double().new_zeros(heads, width, width)
        self.sums.index_add_(1, self.of[first : first + count], rows.double())

    def means(self) -> Any:
        """Return what a token of each group sends to each group; 0 where a group has no token."""
        import numpy as np

        sums = self.sums.numpy()[:, :-1, :-1]
        return sums / np.maximum(self.counts, 1)[:, None]


class _Layer:
    """What is kept of one layer: its cells, and sums over the rows that count."""

    def __init__(
        self,
        model: Model,
        read: Encoding,
        blocks: tuple[Sequence[int | None], int],
        turns: tuple[Sequence[int], int] | None,
        queries: Sequence[bool] | None,
    ) -> None:
        import numpy as np

        self.read, self.back = read, parts_of(model)[0] == "decoder"
        self.cells = _Groups(*blocks)
        self.turns = None if turns is None else _Groups(*turns)
        self.words = word_numbers(read)
        self.ordinary = rows_that_count(read.special, None)
        self.asked = rows_that_count(read.special, queries)
        self.even = np.zeros(len(NAMED))
        self.shares: Any = 0.0  # (heads, roles)
        self.spread: Any = 0.0  # (heads,)
        self.numbers: Any = 0.0  # entropy, special, hidden, distance: (4, heads)

    def add(self, first: int, weights: Any) -> None:
        """Take the rows of some queries, torch (heads, queries, keys), from `first` on."""
        import numpy as np

        weights = weights.cpu()
        for groups in filter(None, (self.cells, self.turns)):
            groups.add(first, weights)
        own = np.arange(first, first + weights.shape[1])
        logs = _entropy(weights)  # (heads, queries), in nats
        at = own[self.asked[own]]
        if len(at):
            self._roles(weights[:, at - first], logs[:, at - first], at)
        at = own[self.ordinary[own]]
        if len(at):
            self._numbers(weights[:, at - first], logs[:, at - first], at)

    def _roles(self, weights: Any, logs: Any, at: Any) -> None:
        import numpy as np
        import torch

        n, read = len(self.read), self.read
        pairs = patterns_of(n, read.special, read.hidden, self.words, at, self.back)
        flat = torch.from_numpy(pairs).flatten(1)
        self.shares = self.shares + (weights.flatten(1) @ flat.T).double().numpy()
        self.even += pairs.sum((1, 2), dtype=np.float64)
        self.spread = self.spread + logs.exp().sum(-1).numpy() / n

    def _numbers(self, weights: Any, logs: Any, at: Any) -> None:
        import numpy as np
        import torch

        marks = torch.tensor([self.read.special, self.read.hidden], dtype=weights.dtype)
        special, hidden = (weights @ marks.T).double().sum(1).unbind(-1)
        far = torch.from_numpy(np.abs(np.arange(len(self.read)) - at[:, None]).astype(np.float32))
        distance = torch.einsum("hqk,qk->hq", weights, far).double().sum(-1)
        bits = logs.sum(-1) / np.log(2)
        self.numbers = self.numbers + torch.stack([bits, special, hidden, distance]).numpy()

    def roles(self) -> tuple[HeadRole, ...]:
        """Return the role of each head."""
        rows = int(self.asked.sum())
        even = self.even / (rows * len(self.read))
        pairs = zip(self.shares / rows, self.spread / rows, strict=True)
        return tuple(role_of(share, float(spread), even) for share, spread in pairs)

    def summary(self) -> Any:
        """Return entropy, shares on special and on hidden tokens, distance: (4, heads)."""
        return self.numbers / self.ordinary.sum()


def _entropy(weights: Any) -> Any:
    """Return the entropy of each row in nats, float64 (heads, queries)."""
    import torch

    return torch.special.entr(weights).sum(-1).double()
