"""The Compare page."""

__all__ = ["answer", "explain", "fairness", "file", "leans", "shown", "text"]
