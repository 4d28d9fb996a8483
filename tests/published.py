"""The chat templates that TRL ships: `make test-all` installs its wheel, without what it needs."""

from __future__ import annotations

import pytest

from benchmarks.templates import templates_of_trl


def published_templates() -> dict[str, str]:
    """Return the templates by name; none where TRL is not installed."""
    folder = templates_of_trl()
    files = folder.glob("*.jinja") if folder else ()
    return {file.stem: file.read_text(encoding="utf-8") for file in sorted(files)}


def published(name: str) -> str:
    """Return the text of one; the test fails where TRL is not installed."""
    if (folder := templates_of_trl()) is None:
        pytest.fail("TRL's templates are not here: run 'pip install --no-deps trl==1.16.0'.")
    return (folder / f"{name}.jinja").read_text(encoding="utf-8")
