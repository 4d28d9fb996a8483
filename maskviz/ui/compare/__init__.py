"""The Compare page."""

__all__ = ["explain", "fairness", "file", "text"]
