"""Attention: capture, what methods make of it, and the difference a mask makes."""

from .capture import Attention, attend
from .difference import difference
from .methods import METHODS
from .record import PARTS, parts_of

__all__ = ["METHODS", "PARTS", "Attention", "attend", "difference", "parts_of"]
