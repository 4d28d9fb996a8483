"""Evidence: which words an answer rests on, and what hiding them changes."""

from .attribution import Explanation, WordScore, explain
from .compare import Comparison, Control, Effect, compare, compare_masks, control
from .files import FileComparison, StrategyResult, compare_file

__all__ = [
    "Comparison",
    "Control",
    "Effect",
    "Explanation",
    "FileComparison",
    "StrategyResult",
    "WordScore",
    "compare",
    "compare_file",
    "compare_masks",
    "control",
    "explain",
]
