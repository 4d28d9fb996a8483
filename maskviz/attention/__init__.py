"""Attention: capture, what methods make of it, and the difference a mask makes."""

from ..inside.record import PARTS, parts_of
from .capture import Attention, attend
from .difference import difference
from .methods import METHODS

__all__ = ["METHODS", "PARTS", "Attention", "attend", "difference", "parts_of"]
