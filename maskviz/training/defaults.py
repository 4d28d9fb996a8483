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
    shape = model_shape(spec.model) if spec.task == CAUSAL and "lora_r" not in given else None
    if shape is None or shape.weights < LARGE or spec.training.lora_r or not available():
        return spec, ""
    said = (
        f"{spec.model!r} has {shape.weights / 1e6:,.0f} million weights: LoRA of rank "
        f"{_LORA['lora_r']} tunes it; set lora_r to 0 to tune all of them."
    )
    return spec.changed(**_LORA), said
