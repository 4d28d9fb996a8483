"""Fine-tuning on masked inputs: what is asked for (RunSpec), and the one call that does it.

Importing this imports no torch.
"""

from .api import train
from .spec import DataSpec, MaskingSpec, RunSpec, TrainingSpec

__all__ = ["DataSpec", "MaskingSpec", "RunSpec", "TrainingSpec", "train"]
