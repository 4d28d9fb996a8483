"""The Guide page."""

__all__ = ["choice", "terms"]
