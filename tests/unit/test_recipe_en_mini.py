"""The variation of training rows in the recipe of `en_mini`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

RECIPES = Path(__file__).resolve().parents[2] / "recipes"


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch):
    """The recipe's module of training rows."""
    monkeypatch.syspath_prepend(str(RECIPES))
    yield __import__("en_data")
    del sys.modules["en_data"]


def test_varied_rows_keep_their_kinds_and_the_words_around_the_names(data) -> None:
    names = {"PERSON": [("Ada", "Lovelace"), ("Grace",)], "GPE": [("New", "York"), ("Oslo",)]}
    tokens = ("we", "met", "Alan", "Turing", "in", "Paris", "with", "@", "bot", ".")
    spans = ((2, 4, "PERSON"), (5, 6, "GPE"), (7, 9, "PERSON"))
    augment, seen = data.Augmenter(names, seed=0), set()
    for _ in range(300):
        row = augment(data.Row(tokens, spans, "template"))
        kinds = [label for _, _, label in row.spans]
        assert kinds == ["PERSON", "GPE", "PERSON"][-len(kinds) :]
        inside = {i for start, end, _ in row.spans for i in range(start, end)}
        rest = [token.lower() for i, token in enumerate(row.tokens) if i not in inside]
        assert ["we", "met", "in", "with", "."][-len(rest) :] == rest
        last = row.spans[-1]
        assert row.tokens[last[0] : last[1]] == ("@", "bot")  # handles are never exchanged
        seen.update(" ".join(row.tokens[start:end]) for start, end, _ in row.spans)
    assert {"Alan Turing", "Ada Lovelace", "Oslo", "paris"} <= seen
    assert seen & {"Gralace", "Adalace"} or any(name.startswith("Adalo") for name in seen)
