"""The dashboard: the only part of the package that imports streamlit."""

__all__ = []
