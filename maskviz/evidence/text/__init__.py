"""One text with and without a mask: what changes, and what chance would change."""

__all__ = ["compare", "ratios", "roles", "scale", "sentence", "spoken"]
