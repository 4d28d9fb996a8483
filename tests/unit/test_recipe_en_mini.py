"""The recipe of `en_mini`: rows varied, the teacher's tags, the table of vectors."""

from __future__ import annotations

import importlib
import itertools
import sys
from pathlib import Path

import numpy as np
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


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch):
    """Import a module of the recipes, and forget them all afterwards."""
    monkeypatch.syspath_prepend(str(RECIPES))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(RECIPES) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def test_the_teachers_tags_are_the_best_sequence_that_begins_before_it_goes_on(recipe) -> None:
    teacher = recipe("en_teacher")
    rng = np.random.default_rng(0)
    kinds = range(teacher.TAGS)

    def allowed(tags: tuple[int, ...]) -> bool:
        pairs = zip((0, *tags), tags, strict=False)
        return all(tag == 0 or tag % 2 == 1 or before in (tag, tag - 1) for before, tag in pairs)

    for _ in range(5):
        scores = rng.normal(size=(3, teacher.TAGS)) * 2
        sequences = filter(allowed, itertools.product(kinds, repeat=3))
        best = max(sequences, key=lambda tags: sum(scores[range(3), tags]))
        assert teacher.best_tags(scores) == list(best)


def test_tags_and_spans_of_the_teacher_are_each_others_inverse(recipe) -> None:
    teacher, data = recipe("en_teacher"), recipe("en_data")
    spans = ((0, 2, "PERSON"), (2, 3, "PERSON"), (4, 5, "GPE"), (6, 9, "MISC"))
    row = data.Row(tuple("abcdefghi"), spans, "btc")
    assert tuple(teacher.spans_of_tags(teacher.tags_of(row))) == spans
    assert [teacher.shape(word) for word in ("lower", "Title", "UP", "iPad", "12.")] == [
        0,
        1,
        2,
        3,
        4,
    ]


def test_a_table_with_room_for_every_word_gives_the_vectors_it_was_fitted_to(recipe) -> None:
    vectors = recipe("en_vectors")
    words = ["hanks", "paris", "warner", "film", "the"]
    wanted = np.random.default_rng(0).normal(size=(len(words), 4)).astype(np.float32)
    weights = np.ones(len(words))
    table = vectors.table_of(2000, 4)
    table.data[:] = vectors.fitted(words, wanted, weights, 2000)
    found = table.get_batch([table.strings.add(word) for word in words])
    assert np.abs(found - wanted).max() < 0.02


def test_exchanged_names_keep_the_number_of_words_and_all_other_words(data) -> None:
    names = data.by_length({"PERSON": [("Ada", "Lovelace"), ("Grace",)], "GPE": [("Oslo",)]})
    words = ["Tom", "Hanks", "met", "Ann", "in", "New", "York", "City", "."]
    tags = ["PROPN", "PROPN", "VERB", "PROPN", "ADP", "PROPN", "PROPN", "PROPN", "PUNCT"]
    rng, seen = np.random.default_rng(0), set()
    for _ in range(50):
        varied = data.exchanged(words, tags, names, rng)
        assert varied[2::2] == words[2::2]  # no name of three words is known
        seen |= {tuple(varied[:2]), varied[3]}
    assert seen == {("Tom", "Hanks"), ("Ada", "Lovelace"), "Ann", "Grace", "Oslo"}
