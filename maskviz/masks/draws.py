"""Uniform draws that depend on a seed and a number alone, one at a time or as an array.

A counter-based generator: SplitMix64's mixing function (Steele et al. 2014,
https://doi.org/10.1145/2714064.2660195) over the seed, then over the number. What one place draws
does not depend on what is drawn elsewhere, and both forms give the same bits on every machine.
"""

from __future__ import annotations

from typing import Any

_WORD = 2**64 - 1
_GAMMA, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_UNIT = 2.0**-53


def uniform(seed: int, number: int) -> float:
    """Return a draw from [0, 1).

    >>> uniform(3, 7) == uniform(3, 7) != uniform(3, 8)
    True
    """
    return (_mixed(_mixed(seed & _WORD) + number) >> 11) * _UNIT


def _mixed(state: int) -> int:
    z = (state + _GAMMA) & _WORD
    z = ((z ^ (z >> 30)) * _FIRST) & _WORD
    z = ((z ^ (z >> 27)) * _SECOND) & _WORD
    return z ^ (z >> 31)


def uniforms(seeds: Any, numbers: Any) -> Any:
    """Return `uniform` of each pair of two arrays of whole numbers, as float64 of their shape."""
    import numpy as np

    def mixed(state: Any) -> Any:
        z = state + np.uint64(_GAMMA)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(_FIRST)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(_SECOND)
        return z ^ (z >> np.uint64(31))

    seeds, numbers = np.asarray(seeds, np.uint64), np.asarray(numbers, np.uint64)
    return (mixed(mixed(seeds) + numbers) >> np.uint64(11)) * _UNIT
