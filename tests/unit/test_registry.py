"""A registry's order is that of its modules, whichever of them was imported first."""

from __future__ import annotations

import subprocess
import sys

import pytest

NAMES = {
    "maskviz.masks:STRATEGIES": "maskviz.masks.given",
    "maskviz.masks:OPERATORS": "maskviz.readings.infill",
    "maskviz.evidence:METHODS": "maskviz.evidence.words.baselines",
}


def _order(registry: str, first: str) -> list[str]:
    room, name = registry.split(":")
    code = f"import {first}; from {room} import {name}; print(*{name})"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return ran.stdout.split()


@pytest.mark.parametrize("registry", NAMES)
def test_the_order_is_that_of_the_modules(registry) -> None:
    usual = _order(registry, "maskviz")
    assert len(usual) > 5
    assert _order(registry, NAMES[registry]) == usual
