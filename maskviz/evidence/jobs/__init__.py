"""Comparisons of whole files that outlive the page: what waits, what runs, what it found."""

__all__ = ["jobs"]
