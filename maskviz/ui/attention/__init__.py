"""The Attention page."""

__all__ = ["look", "panels", "units"]
