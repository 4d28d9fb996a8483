"""The Mask page."""
