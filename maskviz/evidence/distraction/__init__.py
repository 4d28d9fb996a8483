"""Irrelevant sentences before a question: how much they disturb a decoder, and what cures."""

__all__ = ["distraction", "experiment", "result", "words"]
