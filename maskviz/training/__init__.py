"""Fine-tuning on masked inputs: what is asked for (RunSpec), and the loop that does it.

Importing this imports no torch; each name below is fetched when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..doors import lazily

if TYPE_CHECKING:
    from .spec.mask_spec import MaskingSpec
    from .spec.spec import DataSpec, RunSpec, TrainingSpec

_HOME = {
    "spec.mask_spec": ("MaskingSpec",),
    "spec.spec": ("DataSpec", "RunSpec", "TrainingSpec"),
}
__all__ = [
    "DataSpec",
    "MaskingSpec",
    "RunSpec",
    "TrainingSpec",
    "check",
    "defaults",
    "estimate",
    "folder",
    "loss_audit",
    "loss_export",
]
__getattr__ = lazily(__name__, _HOME)
