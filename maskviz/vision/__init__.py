"""Beyond text: image patches masked for a Vision Transformer, its attention over the image."""

from .classify import Look, ViT, labels_under, load_vit, look
from .patches import STRATEGIES, PatchMask, patch_mask

__all__ = [
    "STRATEGIES",
    "Look",
    "PatchMask",
    "ViT",
    "classify",
    "labels_under",
    "load_vit",
    "look",
    "patch_mask",
    "picture",
]
