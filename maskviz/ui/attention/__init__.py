"""The Attention page."""

__all__ = ["look", "panels", "prune", "units"]
