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
from maskviz.training.loop.result import finding
from maskviz.training.loop.text_scores import scores


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


SCRIPTS = {
    "Chinese": "这部电影很好看我喜欢",
    "Japanese": "これは面白い映画です",
    "Thai": "หนังเรื่องนี้ดีมากเลย",
    "Hindi": "यह फिल्म बहुत अच्छी और मज़ेदार है",
    "Russian": "Фильм очень хороший и смешной",
    "Greek": "Η ταινία ήταν πολύ καλή",
    "Arabic": "الفيلم جميل جدا ومضحك",
    "Hebrew": "הסרט היה טוב מאוד",
    "Korean": "영화가 정말 재미있었어요 그렇죠",
    "French": "L'été à Paris était très beau",
    "mixed": "我喜欢 the film of Анна",
}


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_a_text_of_any_script_is_as_itself_and_unlike_another(text):
    same = scores([text], [text])
    assert same == {"bleu": 100.0, "chrf": 100.0, "rouge1": 1.0, "rouge2": 1.0, "rougeL": 1.0}
    other = scores([text], ["Это совсем другое предложение"])
    assert other["rougeL"] == 0 if "Анна" not in text else other["rougeL"] < 1
    half = rouge(text[: len(text) // 2], text)
    assert 0 < half["ROUGE-L"] < 1


def test_ascii_texts_score_as_the_packages_do():
    from rouge_score.rouge_scorer import RougeScorer
    from sacrebleu import corpus_bleu

    pairs = [
        ("The cats don't sleep; they're running!", "A cat doesn't sleep, it runs in U.S. parks."),
        ("Dogs 2 and 3 bark", "dogs bark 23 times"),
    ]
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
    for written_, wanted in pairs:
        theirs = scorer.score(wanted, written_)
        assert list(rouge(written_, wanted).values()) == [s.fmeasure for s in theirs.values()]
    said, wanted = (list(side) for side in zip(*pairs, strict=True))
    assert bleu_chrf(said, wanted)[0] == pytest.approx(corpus_bleu(said, [wanted]).score, abs=1e-6)
    chinese = SCRIPTS["Chinese"]
    ours = bleu_chrf([chinese[:8]], [chinese])[0]
    assert ours == pytest.approx(corpus_bleu([chinese[:8]], [[chinese]], tokenize="zh").score)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("cat", {"chrf", "rouge1", "rougeL"}),
        ("a cat sat", {"chrf", "rouge1", "rouge2", "rougeL"}),
        ("电影", {"chrf", "rouge1", "rouge2", "rougeL"}),
        ("?!", {"chrf"}),
    ],
)
def test_what_a_text_is_too_short_for_is_no_figure(text, kept):
    assert set(scores([text], [text])) == kept
    figures = {f"{name}_plain": value for name, value in scores([text], [text]).items()}
    said = finding({"metrics": {**figures, "written_rows_plain": 1}}, "dev", "seq2seq")
    assert ("no BLEU: no reference has four words" in said) == ("bleu" not in kept)
    assert "BLEU 0" not in said


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
    assert "typing errors change chrF by −" in result.finding
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
