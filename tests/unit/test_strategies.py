"""The strategies that look at language: each on a text that shows what it is for."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from maskviz.errors import ParameterError, UnknownNameError
from maskviz.evidence.words.keyness import inverse_document_frequency, log_odds, tfidf_scores
from maskviz.masks import mask
from maskviz.masks.collocation import collocations
from maskviz.readings.noise import _edits


def hidden(chosen) -> list[str]:
    return [chosen.text[s.start : s.end] for s in chosen.spans]


def test_entity_finds_names_and_filters_by_type() -> None:
    text = "Tom Hanks flew to Paris with Maria Lopez."
    everything = mask(text, "entity")
    assert "Paris" in hidden(everything)
    places = mask(text, "entity", types=["GPE"])
    assert {s.label for s in places.spans} <= {"GPE", "LOC"}
    with pytest.raises(UnknownNameError, match="entity type"):
        mask(text, "entity", types=["PLANET"])


def test_sentences_are_hidden_whole() -> None:
    text = "We met on Monday. The film was dull. Nobody laughed at all."
    assert hidden(mask(text, "sentence", indices=[2])) == ["The film was dull."]
    assert len(mask(text, "sentence", ratio=0.34).spans) == 1
    with pytest.raises(ParameterError, match="no sentence 9"):
        mask(text, "sentence", indices=[9])


def test_pos_hides_a_part_of_speech() -> None:
    chosen = mask("The small dog sees a big cat.", "pos", tags=["NOUN"])
    assert hidden(chosen) == ["dog", "cat"]
    with pytest.raises(UnknownNameError, match="part of speech"):
        mask("text", "pos", tags=["NOUNS"])


def test_redundant_hides_the_repetition_and_not_the_first() -> None:
    text = "The acting is great. The story is slow. The acting is really great. I left early."
    chosen = mask(text, "redundant")
    assert hidden(chosen) == ["The acting is really great."]
    assert "repeats sentence 1" in chosen.spans[0].reason
    assert mask(text, "redundant", threshold=1).spans == ()
    with pytest.raises(ParameterError, match="threshold"):
        mask(text, "redundant", threshold=0)


def test_redundant_takes_a_text_of_many_sentences() -> None:
    text = "The acting is great. The story is slow. The acting is really great. I left early. "
    chosen = mask(text * 1500, "redundant")  # 6,000 sentences
    assert len(chosen.spans) == 1500 * 4 - 3


def test_noise_passes_over_names_and_words_of_no_end() -> None:
    text = f"Zbqrt Hanks flew to Paris with {'x' * 5000} and teh dog. Tom Hanks liked it."
    assert hidden(mask(text, "noise", surprisal=0))[-1] == "teh"
    names = {n for s in mask(text, "entity").spans for n in text[s.start : s.end].split()}
    assert not names & set(hidden(mask(text, "noise", surprisal=0)))


def test_noise_hides_what_is_misspelt_and_says_what_was_meant() -> None:
    text = "I realy loved teh costumes, but the stroy was dull in 2003."
    chosen = mask(text, "noise", surprisal=0)
    assert hidden(chosen) == ["realy", "teh", "stroy"]
    assert "'really'" in chosen.spans[0].reason
    assert mask(text, "noise", surprisal=0, threshold=9).spans == ()
    asked = mask(text, "noise", surprisal=1)
    assert set(hidden(asked)) <= set(hidden(chosen))
    assert all("bits of surprise" in s.reason for s in asked.spans)


def test_a_text_of_emoji_needs_no_pipeline_for_noise(monkeypatch) -> None:
    monkeypatch.setattr("maskviz.text.pipelines.annotate", None)
    assert mask("👩\u200d👧 👍 " * 1000, "noise").spans == ()


def test_edits_are_one_edit_away() -> None:
    assert {"the", "eh", "tech", "eth"} <= _edits("teh")
    assert "teh" not in _edits("teh")


def test_collocation_hides_units_whole_and_meets_its_budget() -> None:
    unit = max(collocations().items(), key=lambda item: item[1])[0]
    text = f"We saw it one day and {unit} was there, and nobody else came by then."
    words = text.lower().split()
    for seed in range(20):
        chosen = mask(text, "collocation", ratio=0.4, seed=seed)
        assert len(chosen.hidden_words) == round(0.4 * len(chosen.words))
    whole = [
        s
        for seed in range(20)
        for s in mask(text, "collocation", ratio=0.4, seed=seed).spans
        if text[s.start : s.end].lower() == unit
    ]
    assert whole, words
    assert "collocation" in whole[0].reason


def test_log_odds_are_those_of_the_formula() -> None:
    texts, labels = ["a a b", "b b c"], ["x", "y"]
    scores = log_odds(texts, labels)
    a, b = 2 + 2, 3 + 6 - 2 - 2  # y + a, n + a0 − y − a for the word "a" under x
    other_a, other_b = 0 + 2, 3 + 6 - 0 - 2
    delta = math.log(a / b) - math.log(other_a / other_b)
    assert scores["x"]["a"] == pytest.approx(delta / math.sqrt(1 / a + 1 / other_a))
    assert scores["x"]["a"] == pytest.approx(-scores["y"]["a"])


def test_tfidf_agrees_with_scikit_learn() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = ["red fish blue fish", "one fish", "two birds in a red sky"]
    vectoriser = TfidfVectorizer(norm=None, token_pattern=r"\w+")
    matrix = vectoriser.fit_transform(texts).toarray()
    ours = tfidf_scores(texts[0], texts)
    column = vectoriser.vocabulary_
    assert ours == pytest.approx([matrix[0, column[w]] for w in texts[0].split()])
    assert inverse_document_frequency(texts)["fish"] < inverse_document_frequency(texts)["sky"]


@pytest.mark.parametrize("by", ["keyness", "tfidf", "lexicon"])
def test_key_without_a_model(by: str, tmp_path) -> None:
    text = "The costumes are lovely, but the story is dull."
    chosen = mask(text, "key", by=by, ratio=0.25)
    assert 0 < len(chosen.hidden_words) <= 2
    if by == "lexicon":
        assert hidden(chosen) == ["lovely", "dull"]
    table = tmp_path / "t.csv"
    rows = (
        ["text,label"] + [f"zebra {i},a" for i in range(20)] + [f"horse {i},b" for i in range(20)]
    )
    table.write_text("\n".join(rows), encoding="utf-8")
    if by == "keyness":
        assert hidden(mask("a zebra ran", "key", by=by, data=str(table), ratio=0.3)) == ["zebra"]


def test_key_refuses_an_unknown_way() -> None:
    with pytest.raises(UnknownNameError, match="keyness"):
        mask("text", "key", by="guess")


def test_pii_reads_a_long_text_in_pieces(monkeypatch) -> None:
    pytest.importorskip("presidio_analyzer", reason="Presidio is an extra")
    monkeypatch.setattr("maskviz.text.pipelines._PIECE", 120)
    text = "Write to ann.lee@example.org about the film.\n" * 12
    chosen = mask(text, "pii", types="EMAIL_ADDRESS")
    assert hidden(chosen) == ["ann.lee@example.org"] * 12


def test_pii_finds_addresses_and_numbers_without_a_network() -> None:
    pytest.importorskip("presidio_analyzer", reason="Presidio is an extra")
    text = "Write to ann.lee@example.org or call +1 212 555 0198; card 4111 1111 1111 1111."
    chosen = mask(text, "pii")
    found = {s.label: text[s.start : s.end] for s in chosen.spans}
    assert found["EMAIL_ADDRESS"] == "ann.lee@example.org"
    assert found["CREDIT_CARD"] == "4111 1111 1111 1111"
    assert all(s.score and "score" in s.reason for s in chosen.spans)
    assert list(mask(text, "pii", types="CREDIT_CARD").spans) == [
        s for s in chosen.spans if s.label == "CREDIT_CARD"
    ]


def test_random_token_is_bernoulli_per_token_like_transformers_collator() -> None:
    """Counts of hidden tokens have the collator's mean and variance."""
    import torch
    from transformers import DataCollatorForLanguageModeling

    from maskviz.models import load_model

    model = load_model("mini")
    text = "the film was long and the story did not move at all but we stayed " * 3
    plain = model.tokenise(text)
    n = sum(o is not None for o in plain.offsets)
    ours = [len(mask(text, "random-token", ratio=0.15, seed=s).spans) for s in range(400)]
    torch.manual_seed(0)
    collator = DataCollatorForLanguageModeling(model.tokenizer, mlm_probability=0.15)
    batch = collator([{"input_ids": list(plain.input_ids)} for _ in range(400)])
    theirs = (batch["labels"] != -100).sum(1).numpy()
    expected, spread = 0.15 * n, math.sqrt(n * 0.15 * 0.85)
    for counts in (np.array(ours), theirs):
        assert counts.mean() == pytest.approx(expected, abs=4 * spread / 20)
        assert counts.std() == pytest.approx(spread, rel=0.2)


def test_the_order_of_random_choices_rests_on_random_alone() -> None:
    """Pinned, so that a mask of today is the mask of tomorrow on every machine."""
    chosen = mask("one two three four five six seven eight nine ten", "random", ratio=0.3, seed=42)
    rng = random.Random(42)
    keys = [rng.random() for _ in range(10)]
    assert set(chosen.hidden_words) == set(sorted(range(10), key=keys.__getitem__)[:3])
