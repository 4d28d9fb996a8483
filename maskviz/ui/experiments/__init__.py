"""The Experiments page."""

__all__ = ["distraction", "interference", "pretraining", "sweeps"]
