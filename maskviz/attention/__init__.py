"""Attention: capture, and the difference a mask makes."""

from .capture import METHODS, Attention, attend
from .difference import difference

__all__ = ["METHODS", "Attention", "attend", "difference"]
