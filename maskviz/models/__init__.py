"""Models: loading by name or folder, and what each of them can do."""

from .catalogue import ModelInfo, list_models
from .model import Model, load_model

__all__ = [
    "Model",
    "ModelInfo",
    "auto",
    "checks",
    "linear",
    "list_models",
    "load_model",
    "locate",
    "model",
    "tuned",
]
