"""Loss masks: what of a conversation a model is to learn."""

from .choosing import DEFAULT, check_loss, loss_mask
from .clicking import Change, changed, clicked, clicked_here
from .loss_mask import LossMask, LossSpan
from .resolving import Learned, learned, weighed

__all__ = [
    "DEFAULT",
    "Change",
    "Learned",
    "LossMask",
    "LossSpan",
    "changed",
    "check_loss",
    "clicked",
    "clicked_here",
    "learned",
    "loss_mask",
    "weighed",
]
