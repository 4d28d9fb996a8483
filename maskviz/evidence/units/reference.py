"""The reference set of a mask over units: as many of the same kind, drawn from all."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import combinations
from math import comb

from ...errors import ParameterError
from ...inside.anatomy import whole_layers_stay
from ...inside.units import Unit, UnitMask
from ..chance.reference import WHOLE

_TRIES = 40  # for each set that is drawn
Units = tuple[Unit, ...]


@dataclass(frozen=True)
class UnitSets:
    """What a mask over units is set against; whole: whether these are all there are."""

    sets: tuple[Units, ...]
    whole: bool


def unit_sets(mask: UnitMask, draws: int, seed: int = 0) -> UnitSets:
    """Return other sets of as many units: all of at most 200, else `draws`, without repetition.

    They are of the mask's kind. One that takes every head of a layer is none of them. Raises
    ParameterError for a mask over units of several kinds.
    """
    every, number = mask.anatomy.of_kind(mask.kind), len(mask)
    if comb(len(every), number) - 1 <= max(WHOLE, draws):
        found = [one for one in combinations(every, number) if _fits(mask, one)]
        return UnitSets(tuple(found), True)
    rng = random.Random(seed)  # noqa: S311  repeatable, not secret
    drawn: dict[Units, None] = {}
    for _ in range(_TRIES * draws):
        one = tuple(every[i] for i in sorted(rng.sample(range(len(every)), number)))
        if _fits(mask, one):
            drawn.setdefault(one)
        if len(drawn) == draws:
            break
    return UnitSets(tuple(drawn), False)


def _fits(mask: UnitMask, units: Units) -> bool:
    if set(units) == set(mask.units):
        return False
    try:
        whole_layers_stay(UnitMask(mask.anatomy, units))
    except ParameterError:
        return False
    return True
