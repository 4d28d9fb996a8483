"""Fine-tuning on masked inputs: what is asked for (RunSpec), and the loop that does it.

Importing this imports no torch.
"""

from .spec.mask_spec import MaskingSpec
from .spec.spec import DataSpec, RunSpec, TrainingSpec

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
