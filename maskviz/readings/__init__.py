"""Readings: what a model answers, label by label, in hidden places and in its own words."""

from .fills import Candidate, Fill, fill
from .labels import Prediction, predict
from .summaries import Summary, rank_sentences, summarise
from .translation import Translation, translate
from .written import Generation, generate

__all__ = [
    "Candidate",
    "Fill",
    "Generation",
    "Prediction",
    "Summary",
    "Translation",
    "batches",
    "familiar",
    "fill",
    "fills",
    "generate",
    "heads",
    "hiding",
    "labels",
    "language",
    "predict",
    "question",
    "rank_sentences",
    "side_by_side",
    "summarise",
    "translate",
    "translation",
    "windows",
]
