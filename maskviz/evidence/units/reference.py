"""The reference set of a mask over heads: as many heads, drawn from all."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import combinations
from math import comb

from ...errors import ParameterError
from ...inside.anatomy import whole_layers_stay
from ...inside.units import HEAD, Unit, UnitMask
from ..chance.reference import WHOLE

_TRIES = 40  # for each set that is drawn
Heads = tuple[Unit, ...]


@dataclass(frozen=True)
class HeadSets:
    """What a mask over heads is set against; whole: whether these are all there are."""

    sets: tuple[Heads, ...]
    whole: bool


def head_sets(mask: UnitMask, draws: int, seed: int = 0) -> HeadSets:
    """Return other sets of as many heads: all of at most 200, else `draws`, without repetition.

    One that takes every head of a layer is none of them.
    """
    if mask.kind != HEAD:
        raise ParameterError(f"{mask} are no heads, which alone have a set to stand in.")
    every, number = mask.anatomy.all_heads, len(mask)
    if comb(len(every), number) - 1 <= max(WHOLE, draws):
        found = [one for one in combinations(every, number) if _fits(mask, one)]
        return HeadSets(tuple(found), True)
    rng = random.Random(seed)  # noqa: S311  repeatable, not secret
    drawn: dict[Heads, None] = {}
    for _ in range(_TRIES * draws):
        one = tuple(every[i] for i in sorted(rng.sample(range(len(every)), number)))
        if _fits(mask, one):
            drawn.setdefault(one)
        if len(drawn) == draws:
            break
    return HeadSets(tuple(drawn), False)


def _fits(mask: UnitMask, heads: Heads) -> bool:
    if set(heads) == set(mask.units):
        return False
    try:
        whole_layers_stay(UnitMask(mask.anatomy, heads))
    except ParameterError:
        return False
    return True
