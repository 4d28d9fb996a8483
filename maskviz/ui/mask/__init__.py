"""The Mask page."""

__all__ = ["panels"]
