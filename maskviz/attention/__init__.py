"""Attention: capture, what methods make of it, and the difference a mask makes."""

from ..inside.tape import PARTS, parts_of
from .capture import Attention, attend
from .difference import difference
from .methods import METHODS

__all__ = [
    "METHODS",
    "PARTS",
    "Attention",
    "attend",
    "by_turn",
    "capture",
    "difference",
    "finding",
    "long_texts",
    "looking",
    "methods",
    "pairs",
    "parts",
    "parts_of",
    "pooled",
    "roles",
    "scores",
    "summary",
    "turns",
    "view",
]
