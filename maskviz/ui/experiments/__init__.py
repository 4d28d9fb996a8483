"""The Experiments page."""

__all__ = ["interference", "pretraining", "sweeps"]
