"""Chance: the masks that a mask is one of, and what may be said of it beside them."""

__all__ = ["reference", "verdict"]
