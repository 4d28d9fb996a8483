"""Pages in the tests' own process load nothing beside what they need."""

from __future__ import annotations

import pytest

from maskviz import warm


@pytest.fixture(autouse=True)
def _lazy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(warm.LAZY, "1")
