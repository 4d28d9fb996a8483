"""How results show themselves in a notebook: `maskviz.notebook` registers what makes their HTML.

The data stands below the figures that draw it, so it knows a display by name alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .registry import Registry


@dataclass(frozen=True)
class Display:
    """What turns a result into HTML."""

    name: str
    html: Callable[[Any], str]


DISPLAYS: Registry[Display] = Registry("display", ("maskviz.notebook",))
