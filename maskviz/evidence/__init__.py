"""Evidence: which words an answer rests on, and what hiding them changes.

Each name below is fetched when it is first used: the strategy `key` lives in one room of these,
and must not wait for the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..doors import lazily

if TYPE_CHECKING:
    from .chance.verdict import Control
    from .counterfactual.fairness import Fairness, fairness
    from .files.files import FileComparison, StrategyResult, compare_file
    from .text.compare import Comparison, Effect, compare, compare_masks, control, sensitivity
    from .words.attribution import Explanation, WordScore, explain, explain_many
    from .words.methods import METHODS

_HOME = {
    "chance.verdict": ("Control",),
    "counterfactual.fairness": ("Fairness", "fairness"),
    "files.files": ("FileComparison", "StrategyResult", "compare_file"),
    "text.compare": (
        "Comparison",
        "Effect",
        "compare",
        "compare_masks",
        "control",
        "sensitivity",
    ),
    "words.attribution": ("Explanation", "WordScore", "explain", "explain_many"),
    "words.methods": ("METHODS",),
}
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
    "on_ray",
    "sensitivity",
]
__getattr__ = lazily(__name__, _HOME)
