"""Readings: what a model answers, label by label, in hidden places and in its own words.

Each name below is fetched when it is first used, since the strategy `noise` lives here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..doors import lazily

if TYPE_CHECKING:
    from .fills import Candidate, Fill, fill
    from .labels import Prediction, predict
    from .summaries import Summary, rank_sentences, summarise
    from .translation import Translation, translate
    from .written import Generation, generate

_HOME = {
    "fills": ("Candidate", "Fill", "fill"),
    "labels": ("Prediction", "predict"),
    "summaries": ("Summary", "rank_sentences", "summarise"),
    "translation": ("Translation", "translate"),
    "written": ("Generation", "generate"),
}
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
__getattr__ = lazily(__name__, _HOME)
