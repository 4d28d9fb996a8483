"""Models: loading by name or path, what each can do, predictions and fills."""

from .catalogue import ModelInfo, list_models
from .fills import Candidate, Fill, fill
from .generation import Generation, generate
from .model import Model, load_model
from .predict import Prediction, predict
from .summaries import Summary, rank_sentences, summarise
from .translation import Translation, translate

__all__ = [
    "Candidate",
    "Fill",
    "Generation",
    "Model",
    "ModelInfo",
    "Prediction",
    "Summary",
    "Translation",
    "fill",
    "generate",
    "list_models",
    "load_model",
    "predict",
    "rank_sentences",
    "summarise",
    "translate",
]
