"""Evidence: which words an answer rests on, and what hiding them changes."""

from .chance.verdict import Control
from .fairness.fairness import Fairness, fairness
from .files.files import FileComparison, StrategyResult, compare_file
from .text.compare import Comparison, Effect, compare, compare_masks, control, sensitivity
from .words.attribution import Explanation, WordScore, explain, explain_many
from .words.methods import METHODS

__all__ = [
    "METHODS",
    "Comparison",
    "Control",
    "Effect",
    "Explanation",
    "Fairness",
    "FileComparison",
    "StrategyResult",
    "WordScore",
    "cells",
    "compare",
    "compare_file",
    "compare_masks",
    "control",
    "explain",
    "explain_many",
    "fairness",
    "intervals",
    "sensitivity",
]
