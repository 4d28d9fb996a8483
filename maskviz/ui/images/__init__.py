"""The Images page."""

__all__ = ["panel"]
