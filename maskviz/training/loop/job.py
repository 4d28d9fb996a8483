"""A run with everything loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..data.rows import Rows
from ..spec.spec import RunSpec
from .recorder import Recorder


@dataclass
class Job:
    """One run with everything loaded."""

    folder: Path
    spec: RunSpec
    rows: Rows
    model: Any  # maskviz.models.Model: the tokenizer, and where the weights came from
    trainer: Any
    pacer: Any
    recorder: Recorder
    device: str
    precision: str
    began: float
