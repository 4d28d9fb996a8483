"""Typing errors, what hiding or repairing them does to a translation, summaries without repeats."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskviz import Mask, MaskSpan
from maskviz.data.typos import SHORTEST, typos
from maskviz.errors import InputError, ParameterError
from maskviz.evidence.files import written
from maskviz.evidence.files.written import (
    WAYS,
    bleu_chrf,
    infilled,
    noisy_translation,
    redundant_summary,
    rouge,
)


@given(st.text(max_size=200), st.floats(0, 1), st.integers(0, 50))
@settings(max_examples=150, deadline=None)
def test_typos_are_where_they_say_and_as_many_as_asked(text, rate, seed):
    noisy = typos(text, rate, seed)
    assert noisy.original == text
    assert typos(text, rate, seed) == noisy
    assert [p for p in noisy.places if not noisy.text[p[0] : p[1]].strip()] == []
    assert all(end - start >= SHORTEST - 1 for start, end in noisy.places)
    assert noisy.places or noisy.text == text


def test_a_rate_is_of_the_words_that_can_carry_an_error():
    text = "some words here have four letters or more of them"
    able = [word for word in text.split() if len(word) >= SHORTEST]
    noisy = typos(text, 0.5, 3)
    assert len(noisy.places) == round(0.5 * len(able))
    assert len(noisy.text.split()) == len(text.split())
    changed = sum(a != b for a, b in zip(text.split(), noisy.text.split(), strict=True))
    assert changed == len(noisy.places)
    assert typos(text, 0.0).text == text
    with pytest.raises(ParameterError, match=r"is 1\.2"):
        typos(text, 1.2)


def test_scores_are_the_packages_own():
    assert bleu_chrf(["the cat sat on the mat"], ["the cat sat on the mat"]) == (100.0, 100.0)
    assert bleu_chrf(["dog"], ["the cat sat on the mat"])[0] < 1
    assert rouge("the cat sat", "the cat sat")["ROUGE-2"] == 1.0
    assert rouge("a b c d", "a b x y")["ROUGE-1"] == pytest.approx(0.5)


def test_infilled_text_keeps_all_that_is_visible(tiny):
    mask = Mask("Anna loved the film.", (MaskSpan(5, 10),))
    text = infilled(mask, tiny("bert", "MaskedLM"))
    assert text.startswith("Anna ")
    assert text.endswith(" the film.")
    assert infilled(Mask("Anna left."), tiny("bert", "MaskedLM")) == "Anna left."


def test_four_ways_are_translated_and_the_hits_of_noise_are_counted(monkeypatch, tiny):
    """The translator copies its input: scores then measure the input itself."""

    class Copied:
        def __init__(self, text):
            self.source = self.text = text

    def copied(texts, model):
        return [Copied(text) for text in texts]

    monkeypatch.setattr("maskviz.readings.translation.translate_many", copied)
    reader = tiny("bert", "MaskedLM")

    def found(text, strategy, model):
        start = text.index("w", 3)
        return Mask(text, (MaskSpan(start, start + 4),), strategy)

    monkeypatch.setattr(written, "choose_mask", found)
    source = "We must answer this question before winter comes."
    result = noisy_translation([source], [source], 1.0, 0, tiny("t5", "Seq2SeqLM"), reader)
    by_way = {way.way: way for way in result.ways}
    assert tuple(by_way) == WAYS
    assert by_way["clean"].chrf == 100
    assert by_way["noisy"].chrf < 90
    assert "Typing errors cost" in result.finding
    with pytest.raises(InputError, match="2 sources and 1 references"):
        noisy_translation(["a", "b"], ["a"])


def test_a_summary_without_what_repeats(monkeypatch):
    class Summary:
        def __init__(self, text):
            self.text = text

    monkeypatch.setattr("maskviz.readings.summarise", lambda text, model, n: Summary(text))
    text = "The library closes in summer. In summer the library closes. The bus lends books."
    found = redundant_summary(text, "The library closes in summer. The bus lends books.")
    assert next(s.reason for s in found.mask.spans).startswith("sentence 2 repeats sentence 1")
    before, after = found.rouge["ROUGE-L"]
    assert after > before
    assert after == 1.0
    assert redundant_summary(text).rouge == {}
