"""Prompts as a tree: which of them begin alike, so that each beginning is read once.

No token of a decoder looks ahead: prompts that begin alike have the same keys and values there.
Lined up by their tokens, every prompt parts from another one as late as it can; of two branches
that meet the one with more prompts goes on, so that n prompts make at most log2 n levels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ..batches import Ids

_GAIN = 0.95  # of the tokens that are read without a tree: the most for which there is one


@dataclass(frozen=True)
class Costs:
    """What a pass costs, in tokens.

    tail: tokens behind each prompt. each: of a pass beside its tokens, since all weights are
    fetched. rows, tokens: of a group at most, tokens that are new. kept: of prompts whose keys and
    values may lie in memory at a time.
    """

    tail: int
    each: float
    rows: int
    tokens: int
    kept: int


@dataclass(frozen=True)
class Tree:
    """Where each prompt parts from another one.

    parents: the prompt that it parts from, None where it is read from its first token on. shared:
    behind how many tokens it does. levels: how many prompts lie between it and the first one.
    """

    parents: tuple[int | None, ...]
    shared: tuple[int, ...]
    levels: tuple[int, ...]

    def needed(self, lengths: Sequence[int]) -> dict[int, int]:
        """Return of how many tokens each parent is to be kept: a first one whole, as asked next."""
        found: dict[int, int] = {}
        for parent, shared in zip(self.parents, self.shared, strict=True):
            if parent is not None:
                own = shared if self.levels[parent] else lengths[parent]
                found[parent] = max(found.get(parent, 0), own)
        return found

    def no_deeper(self, depth: int) -> Tree:
        """Return the tree in which what lies deeper parts from one that lies above."""
        parents, shared = list(self.parents), list(self.shared)
        for row in range(len(parents)):
            for _ in range(self.levels[row] - depth):
                above = parents[row]
                assert above is not None
                parents[row], shared[row] = (
                    self.parents[above],
                    min(shared[row], self.shared[above]),
                )
            if parents[row] is None:
                shared[row] = 0
        return Tree(tuple(parents), tuple(shared), tuple(min(n, depth) for n in self.levels))


def tree_of(rows: Sequence[Ids], known: int | None = None) -> Tree:
    """Return the tree of some prompts; from the one that is `known`, others part first.

    >>> tree_of([Ids((5, 6, 7), (1, 1, 1)), Ids((5, 6, 8), (1, 1, 1))]).shared
    (0, 2)
    """
    codes = [_code(row) for row in rows]
    order = sorted(range(len(rows)), key=lambda i: codes[i].tobytes())
    alike = [_alike(codes[a], codes[b]) for a, b in pairwise(order)]
    parents: list[int | None] = [None] * len(rows)
    shared, size, first = [0] * len(rows), [1] * len(rows), list(range(len(rows)))
    if known is not None:
        size[known] = 2 * len(rows)
    for i in sorted(range(len(alike)), key=lambda i: -alike[i]):
        if not alike[i]:
            break
        one, other = _first(first, order[i]), _first(first, order[i + 1])
        stays, parts = sorted((one, other), key=lambda row: (-size[row], -len(codes[row]), row))
        first[parts], size[stays] = stays, size[stays] + size[parts]
        shared[parts] = min(alike[i], len(codes[parts]) - 1)  # its last token is asked
        parents[parts] = stays if shared[parts] else None
    return Tree(tuple(parents), tuple(shared), tuple(_levels(parents)))


def _code(row: Ids) -> Any:
    """Return tokens and visibility as numbers whose bytes sort as they do."""
    import numpy as np

    return (2 * np.asarray(row.input_ids) + np.asarray(row.attention_mask)).astype(">i8")


def _alike(one: Any, other: Any) -> int:
    """Return how many numbers two rows begin with alike."""
    count = min(len(one), len(other))
    same = one[:count] == other[:count]
    return count if same.all() else int(same.argmin())


def _first(first: list[int], row: int) -> int:
    """Return the prompt that a branch goes on with."""
    while first[row] != row:
        first[row] = first[first[row]]
        row = first[row]
    return row


def _levels(parents: Sequence[int | None]) -> Iterator[int]:
    for row in range(len(parents)):
        level, above = 0, parents[row]
        while above is not None:
            level, above = level + 1, parents[above]
        yield level


@dataclass(frozen=True)
class Plan:
    """In which order prompts are read: `stages` of groups, each group one pass.

    A group stands behind all that its prompts part from. Between two families of prompts nothing
    need be kept.
    """

    tree: Tree
    stages: tuple[tuple[tuple[int, ...], ...], ...]


def best_plan(rows: Sequence[Ids], costs: Costs, known: int | None = None) -> Plan | None:
    """Return how prompts are read so that the fewest tokens are; None where sharing gains nothing.

    The prompt that is `known` was read before.
    """
    whole, lengths = tree_of(rows, known), [len(row.input_ids) for row in rows]
    flat = whole.no_deeper(0)
    best, found = _GAIN * _planned(flat, lengths, costs, known)[0], None
    for depth in sorted({1, max(whole.levels)} - {0}):
        tree = whole.no_deeper(depth)
        if depth > 1 and _held(tree, lengths) > costs.kept:
            continue
        spent, plan = _planned(tree, lengths, costs, known)
        if spent < best:
            best, found = spent, plan
    return found


def _held(tree: Tree, lengths: Sequence[int]) -> int:
    """Return the tokens of the largest family that are kept, those of its first prompt left out."""
    found: dict[int, int] = {}
    for row, count in tree.needed(lengths).items():
        if tree.levels[row]:
            top = _top(tree, row)
            found[top] = found.get(top, 0) + count
    return max(found.values(), default=0)


def _top(tree: Tree, row: int) -> int:
    while (above := tree.parents[row]) is not None:
        row = above
    return row


def _planned(
    tree: Tree, lengths: Sequence[int], costs: Costs, known: int | None
) -> tuple[float, Plan]:
    """Return what reading costs, in tokens, and its order."""
    spent, stages = 0.0, []
    for family in _families(tree, lengths, costs):
        for level in range(max(tree.levels[row] for row in family) + 1):
            own = [row for row in family if tree.levels[row] == level and row != known]
            cost, groups = grouped(own, lengths, tree.shared, costs)
            spent += cost
            if groups:
                stages.append(tuple(map(tuple, groups)))
    return spent, Plan(tree, tuple(stages))


def _families(tree: Tree, lengths: Sequence[int], costs: Costs) -> Iterator[list[int]]:
    """Yield the prompts that are read together, as many families as memory takes."""
    needed = tree.needed(lengths)
    families: dict[int, list[int]] = {}
    for row in range(len(lengths)):
        families.setdefault(_top(tree, row), []).append(row)
    together: list[int] = []
    held = 0
    for family in families.values():
        own = sum(needed.get(row, 0) for row in family)
        if together and held + own > costs.kept:
            yield together
            together, held = [], 0
        together, held = together + family, held + own
    if together:
        yield together


def grouped(
    rows: Sequence[int], lengths: Sequence[int], shared: Sequence[int], costs: Costs
) -> tuple[float, list[list[int]]]:
    """Share prompts out into groups so that the fewest tokens are read; return how many, and them.

    A group begins where its first prompt parts from what was read, and is as long as its longest
    one. The best way to cut the sorted prompts into groups is found place by place.
    """
    order = sorted(rows, key=lambda i: (shared[i], lengths[i]))
    best: list[tuple[float, int]] = [(0.0, 0)]  # the cost of the first prompts, their last cut
    for end in range(1, len(order) + 1):
        longest, found = 0, (float("inf"), end - 1)
        for begin in range(end - 1, max(-1, end - 1 - costs.rows), -1):
            count, longest = end - begin, max(longest, lengths[order[begin]])
            new = count * (longest - shared[order[begin]] + costs.tail)
            if count > 1 and (new > costs.tokens or count * longest > costs.kept):
                break
            found = min(found, (best[begin][0] + new + costs.each, begin))
        best.append(found)
    cuts = [len(order)]
    while cuts[-1]:
        cuts.append(best[cuts[-1]][1])
    return best[-1][0], [order[b:e] for e, b in pairwise(cuts)][::-1]
