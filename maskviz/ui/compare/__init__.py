"""The Compare page."""

__all__ = ["answer", "explain", "fairness", "file", "leans", "text"]
