"""maskviz: see what a language model reads, hide part of it, measure what changes.

>>> import maskviz
>>> m = maskviz.mask("Anna loved the film.", "pattern", pattern="loved")
>>> m.masked_text()
'Anna [MASK] the film.'

Importing maskviz loads none of torch, transformers, spaCy, pandas, Plotly or Streamlit: each
name below is fetched when it is first used.
"""

# ruff: noqa: F401  the names under TYPE_CHECKING are fetched by __getattr__

from __future__ import annotations

from typing import TYPE_CHECKING

from .doors import lazily

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .attention import Attention, attend
    from .evidence import Comparison, Explanation, compare, compare_file, explain
    from .masks import OPERATORS, STRATEGIES, Encoding, Mask, MaskSpan, apply, mask, strategy
    from .models import Model, list_models, load_model
    from .readings import (
        Fill,
        Generation,
        Prediction,
        Summary,
        Translation,
        fill,
        generate,
        predict,
        summarise,
        translate,
    )
    from .runs import Run, load_run, train
    from .text import Document
    from .training import RunSpec

_HOME = {
    "attention": ("Attention", "attend"),
    "evidence": ("Comparison", "Explanation", "compare", "compare_file", "explain"),
    "masks": (
        "OPERATORS",
        "STRATEGIES",
        "Encoding",
        "Mask",
        "MaskSpan",
        "apply",
        "mask",
        "strategy",
    ),
    "models": ("Model", "list_models", "load_model"),
    "readings": (
        "Fill",
        "Generation",
        "Prediction",
        "Summary",
        "Translation",
        "fill",
        "generate",
        "predict",
        "summarise",
        "translate",
    ),
    "runs": ("Run", "load_run", "train"),
    "text": ("Document",),
    "training": ("RunSpec",),
}
__all__ = sorted([*(name for names in _HOME.values() for name in names), "__version__"])
__getattr__ = lazily(__name__, _HOME)


def __dir__() -> list[str]:
    return __all__
