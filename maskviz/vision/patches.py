"""Which patches of an image are hidden: at random, on a grid, or where the model looks most.

Budgeted as on text: max(1, round(ratio · patches)) patches, none at ratio 0. Random patches after
He et al. 2022 (masked autoencoders), the grid after its section 4.1, attention-guided ones after
Kakogeorgiou et al. 2022 (AttMask, https://arxiv.org/abs/2203.12719).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import ParameterError, UnknownNameError


@dataclass(frozen=True)
class PatchMask:
    """Hidden patches of a grid `rows` × `columns`, numbered row by row from 0."""

    rows: int
    columns: int
    hidden: tuple[int, ...]
    strategy: str
    ratio: float
    seed: int = 0

    @property
    def realised_ratio(self) -> float:
        """Hidden patches / patches, in [0, 1]."""
        return len(self.hidden) / (self.rows * self.columns)

    def array(self) -> Any:
        """Return the mask as bool (rows, columns), True where hidden."""
        import numpy as np

        grid = np.zeros(self.rows * self.columns, dtype=bool)
        grid[list(self.hidden)] = True
        return grid.reshape(self.rows, self.columns)


Choose = Callable[[int, int, int, int, Any], list[int]]
STRATEGIES: dict[str, tuple[Choose, str]] = {}


def _strategy(name: str, summary: str) -> Callable[[Choose], Choose]:
    def register(choose: Choose) -> Choose:
        STRATEGIES[name] = (choose, summary)
        return choose

    return register


@_strategy("random", "Patches drawn at random: the control.")
def _random(rows: int, columns: int, count: int, seed: int, attention: Any) -> list[int]:
    rng = random.Random(seed)  # noqa: S311 - a seeded stream, no secret
    order = sorted(range(rows * columns), key=lambda _: rng.random())
    return order[:count]


@_strategy("grid", "Patches spread evenly over the image.")
def _grid(rows: int, columns: int, count: int, seed: int, attention: Any) -> list[int]:
    """Take the patches in the order of Bayer's dither matrix (1973), moved by the seed."""
    rng = random.Random(seed)  # noqa: S311 - a seeded stream, no secret
    down, right = int(rng.random() * rows), int(rng.random() * columns)

    def rank(number: int) -> tuple[int, int]:
        row, column = divmod(number, columns)
        return _bayer((row + down) % rows, (column + right) % columns), number

    return sorted(range(rows * columns), key=rank)[:count]


def _bayer(row: int, column: int) -> int:
    """Return the place in Bayer's order: the bits of row and row XOR column, lowest first."""
    value = 0
    for bit in range(10):
        value = value << 2 | ((row ^ column) >> bit & 1) << 1 | (row >> bit & 1)
    return value


@_strategy("attention", "The patches that the model looks at most.")
def _attention(rows: int, columns: int, count: int, seed: int, attention: Any) -> list[int]:
    scores = [float(score) for score in attention.reshape(-1)]
    return sorted(range(len(scores)), key=lambda i: (-scores[i], i))[:count]


@_strategy("attention, least", "The patches that the model looks at least.")
def _least(rows: int, columns: int, count: int, seed: int, attention: Any) -> list[int]:
    scores = [float(score) for score in attention.reshape(-1)]
    return sorted(range(len(scores)), key=lambda i: (scores[i], i))[:count]


def patch_mask(
    shape: tuple[int, int],
    strategy: str = "random",
    ratio: float = 0.25,
    seed: int = 0,
    attention: Any = None,
) -> PatchMask:
    """Choose which patches of a grid (rows, columns) to hide.

    attention: (rows, columns), needed by the strategies that follow it. Raises UnknownNameError
    for the strategy, ParameterError for a ratio outside [0, 1] or where the attention is missing.

    >>> len(patch_mask((4, 4), "random", 0.25).hidden)
    4
    """
    if strategy not in STRATEGIES:
        raise UnknownNameError.of("strategy for patches", strategy, STRATEGIES)
    if not 0 <= ratio <= 1:
        raise ParameterError(f"ratio is {ratio}: give 0 to 1.")
    if attention is None and strategy.startswith("attention"):
        raise ParameterError(f"The strategy {strategy!r} follows attention: give it.")
    rows, columns = shape
    count = min(rows * columns, max(1, round(ratio * rows * columns))) if ratio else 0
    chosen = STRATEGIES[strategy][0](rows, columns, count, seed, attention)
    return PatchMask(rows, columns, tuple(sorted(chosen)), strategy, ratio, seed)
