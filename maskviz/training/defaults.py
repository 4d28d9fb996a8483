"""What a run begins with where nothing is said, by the size of its model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .machine.model_size import model_shape
from .model.lora import available
from .spec.spec import CAUSAL, RunSpec

LARGE = 300_000_000  # weights from which a decoder is tuned by LoRA
_LORA = {"lora_r": 16, "lora_alpha": 32}


def by_size(spec: RunSpec, given: Mapping[str, Any]) -> tuple[RunSpec, str]:
    """Return the spec, a large decoder's with LoRA, and a sentence where that was chosen here.

    given: the settings that were asked for by name; a rank among them stays.
    """
    said_so = spec.task != CAUSAL or "lora_r" in given or spec.training.lora_r
    shape = None if said_so or not tuned_by_lora(spec.model) else model_shape(spec.model)
    if shape is None:
        return spec, ""
    said = (
        f"{spec.model!r} has {shape.weights / 1e6:,.0f} million weights: LoRA of rank "
        f"{_LORA['lora_r']} tunes it; set lora_r to 0 to tune all of them."
    )
    return spec.changed(**_LORA), said


def tuned_by_lora(model: str) -> bool:
    """Tell whether a decoder is so large that LoRA tunes it where nothing is said."""
    shape = model_shape(model)
    return shape is not None and shape.weights >= LARGE and available()
