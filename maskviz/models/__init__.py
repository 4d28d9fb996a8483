"""Models: loading by name or path, what each can do, predictions and fills."""

from .catalogue import ModelInfo, list_models
from .fills import Candidate, Fill, fill
from .model import Model, load_model
from .predict import Prediction, predict

__all__ = [
    "Candidate",
    "Fill",
    "Model",
    "ModelInfo",
    "Prediction",
    "fill",
    "list_models",
    "load_model",
    "predict",
]
