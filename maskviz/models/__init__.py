"""Models: loading by name or folder, and what each of them can do."""

from .catalogue import ModelInfo, list_models
from .model import Model, held, load_model

__all__ = [
    "Model",
    "ModelInfo",
    "auto",
    "checks",
    "held",
    "linear",
    "list_models",
    "load_model",
    "locate",
    "memory",
    "model",
    "raised",
    "tuned",
]
