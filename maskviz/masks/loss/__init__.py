"""Loss masks: what of a conversation a model is to learn."""

from .choosing import DEFAULT, check_loss, loss_mask
from .clicking import clicked
from .loss_mask import LossMask, LossSpan
from .resolving import Learned, learned, weighed

__all__ = [
    "DEFAULT",
    "Learned",
    "LossMask",
    "LossSpan",
    "check_loss",
    "clicked",
    "learned",
    "loss_mask",
    "weighed",
]
