"""How large a model is, which numbers it computes with, and whether it fits: before it is loaded.

Up to a billion parameters are computed in float32, as every figure of this project is; beyond, in
bfloat16, which takes half of the memory and is what such models are published in.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from ..errors import CapabilityError
from .memory import free_bytes, tensor_shapes

BILLION = 10**9
_BYTES = {"float32": 4, "bfloat16": 2}
_PASS = 1.1  # of the weights: what a pass over a few texts takes beside them


def parameters_in(folder: Path) -> int:
    """Return how many values the weights of a folder have, from their headers; 0 without any."""
    files = folder.glob("*.safetensors") if folder.is_dir() else ()
    return sum(math.prod(shape) for file in files for shape in tensor_shapes(file).values())


def bytes_when_loaded(folder: Path) -> int:
    """Return what the weights of a folder take; 0 where they must be fetched first."""
    return bytes_for(parameters_in(folder))


def dtype_for(parameters: int) -> str:
    """Return `float32`, or `bfloat16` for more than a billion parameters.

    >>> dtype_for(134_515_008), dtype_for(1_235_814_400)
    ('float32', 'bfloat16')
    """
    return "float32" if parameters <= BILLION else "bfloat16"


def torch_dtype(name: str) -> Any:
    """Return torch's own type of this name."""
    import torch

    return getattr(torch, name)


def bytes_for(parameters: int) -> int:
    """Return the bytes of so many parameters in the type they are computed with."""
    return parameters * _BYTES[dtype_for(parameters)]


def fits(name: str, parameters: int, dtype: str, times: float = 1.0) -> None:
    """Raise CapabilityError, with both figures, for a model that the free memory does not hold.

    times: how often its weights are in memory at once.
    """
    needed, free = parameters * _BYTES[dtype] * times * _PASS, free_bytes()
    if needed > free:
        raise CapabilityError(
            f"The model {name!r} needs {needed / 1e9:.1f} GB of memory "
            f"({parameters / BILLION:.2f} billion parameters in {dtype}), and {free / 1e9:.1f} GB "
            "are free here: choose a smaller model, or a machine with more memory."
        )
