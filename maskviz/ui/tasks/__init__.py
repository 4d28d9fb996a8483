"""The Tasks page."""

__all__ = ["panel"]
