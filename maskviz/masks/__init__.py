"""Masks: what is hidden, why, and how it reaches a model.

A strategy chooses spans of characters, a `Mask` holds them, an operator turns them into what a
model reads. A mask knows no model, so one mask serves every tokenizer.
"""

from .choice import JOINS, Choice
from .choose import mask
from .encoding import Encoding
from .mask import Mask
from .matrices import MATRICES, Edges, attention_edges, attention_matrix
from .operators import OPERATORS, Operator, apply
from .registry import STRATEGIES, Parameter, Strategy, strategy
from .spans import MaskSpan

__all__ = [
    "JOINS",
    "MATRICES",
    "OPERATORS",
    "STRATEGIES",
    "Choice",
    "Edges",
    "Encoding",
    "Mask",
    "MaskSpan",
    "Operator",
    "Parameter",
    "Strategy",
    "apply",
    "attention_edges",
    "attention_matrix",
    "attributes",
    "audit",
    "chance",
    "choice",
    "choose",
    "draws",
    "edit",
    "encoding",
    "expression",
    "linguistic",
    "listed",
    "loss",
    "mask",
    "matching",
    "matrices",
    "operators",
    "registry",
    "spans",
    "strategy",
    "wordlists",
]
