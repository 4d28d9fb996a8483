"""What a command prints: the result on standard output, all else on standard error.

On a terminal no text of the user's moves the cursor, changes a colour or turns the words around
it; into a file or a pipe it goes as it is.
"""

from __future__ import annotations

import json
import math
import sys
from typing import Any

from .text.marks import printable


def show(value: dict[str, Any] | list[Any], as_json: bool, plain: str) -> None:
    """Print a result: the JSON document, or the lines for a person."""
    import typer

    said = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False) if as_json else plain
    typer.echo(printable(said) if sys.stdout.isatty() else said, color=True)  # color: as it is


def _finite(value: Any) -> Any:
    """Return the value with null for every number that JSON does not know: NaN and infinity."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def notify(notice: str) -> None:
    """Say on standard error what a person should know beside the result."""
    if notice:
        sys.stderr.write(f"{printable(notice)}\n")
