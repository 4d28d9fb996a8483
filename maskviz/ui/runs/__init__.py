"""The Fine-tune page."""

__all__ = ["data", "form", "panel", "table"]
