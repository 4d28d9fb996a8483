"""Models: loading by name or folder, and what each of them can do."""

from .catalogue import ModelInfo, list_models, to_pull
from .model import Model, held, load_model

__all__ = [
    "Model",
    "ModelInfo",
    "abilities",
    "auto",
    "building",
    "chat",
    "checks",
    "gguf",
    "held",
    "limits",
    "linear",
    "list_models",
    "load_model",
    "locate",
    "memory",
    "model",
    "pull",
    "pulled",
    "raised",
    "size",
    "to_pull",
    "tuned",
]
