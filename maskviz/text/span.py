"""A stretch of characters with an optional label."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """A stretch of characters `text[start:end]` with an optional label."""

    start: int
    end: int
    label: str = ""
