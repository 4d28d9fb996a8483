"""What holds for every strategy, on every text, with every seed."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maskviz.errors import MaskError, TextError
from maskviz.masks import STRATEGIES, Mask, apply, mask
from maskviz.models import load_model

NASTY = [
    "One",
    "Tom Hanks (45) flew to Paris; she didn't e-mail ann@example.org. She did not e-mail him.",
    "我们 喜欢 电影。 שלום עולם! مرحبا 🙂 👩‍👩‍👧 e\u0301",
    "<script>alert(1)</script> & <img src=x onerror=alert(1)>",
    "  spaces \t tabs\n\nlines   end  ",
    "good bad " * 300,
    "a.b,c;d:e!f?g_h",
    "ﬁlm №5 İstanbul \u200bzero\u00adwidth \ufeffmark\x00nul",
    "The plot is teh same.The plot is teh same!",
]
BUDGETED = {"random", "span", "collocation", "key"}  # those whose budget is one of words, exactly
# One row per way to call a strategy; a model stands for those that ask one.
GIVEN: list[tuple[str, dict]] = [
    ("random", {}),
    ("random-token", {"model": "bert"}),
    ("span", {}),
    ("sentence", {}),
    ("entity", {}),
    ("pos", {"tags": ["NOUN", "PUNCT", "ADJ"]}),
    ("attribute", {}),
    ("key", {"by": "model", "model": "classifier"}),
    ("key", {"by": "keyness"}),
    ("key", {"by": "tfidf"}),
    ("key", {"by": "lexicon"}),
    ("pii", {}),
    ("redundant", {"threshold": 0.4}),
    ("noise", {"surprisal": 0.0}),
    ("noise", {"surprisal": 1.0, "model": "bert"}),
    ("collocation", {}),
    ("pattern", {"pattern": r"\w*[aeo]\w*|[^\w ]+"}),
    ("spans", {"spans": "[[0, 1]]"}),
    ("manual", {"indices": [1]}),
]
# A strategy that needs no parameters is tried without a line of its own.
WAYS = GIVEN + [(name, {}) for name in STRATEGIES if name not in dict(GIVEN)]
texts = st.sampled_from(NASTY) | st.text(min_size=1, max_size=40).filter(str.strip)


@pytest.fixture(scope="module")
def models(tiny) -> dict[str, str]:
    """The folders that stand for the models of WAYS."""
    return {"bert": tiny("bert", "MaskedLM"), "classifier": tiny("bert")}


def made(way: tuple[str, dict], models: dict, text: str, ratio: float | None, seed: int):
    """Return the mask, or None where the text has no word or is not Unicode."""
    name, parameters = way
    given = {k: models.get(v, v) if k == "model" else v for k, v in parameters.items()}
    try:
        return mask(text, name, ratio=ratio, seed=seed, **given)
    except TextError:
        return None


@pytest.mark.parametrize("way", WAYS, ids=lambda way: "-".join([way[0], way[1].get("by", "")]))
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=texts, ratio=st.none() | st.floats(0, 1), seed=st.integers(0, 2**40))
def test_every_mask_of_every_strategy(way, models, text, ratio, seed) -> None:
    if way[0] == "pii":
        pytest.importorskip("presidio_analyzer", reason="Presidio is an extra")
    chosen = made(way, models, text, ratio, seed)
    if chosen is None:
        return
    check_spans(chosen)
    again = made(way, models, text, ratio, seed)
    assert again.to_json() == chosen.to_json()
    check_algebra(chosen)
    check_round_trip(chosen)
    check_budget(way, chosen, ratio)
    check_operators(chosen, load_model(models["bert"]))


WRITTEN = {
    "Arabic": "قالت آنا إن الفيلم رائع، لكن القصة كانت مملة جدًا (12 %).",
    "Hebrew with marks": "\u200fשָׁלוֹם\u200f עולם, הסרט \u202bטוב\u202c מאוד!",
    "Thai": "หนังเรื่องนี้สนุกมาก แต่ยาวเกินไป",
    "Chinese and Latin": "我们在Paris看了电影《The Room》，很好看。",
    "Turkish": "İYİ bir film, ISI ve ılık; Istanbul'da İzmir.",
    "ligatures": "Straße, ﬁne ﬄower and ǆ of the oﬃce, STRASSE.",
    "decomposed": "Une cafe\u0301 tre\u0300s agre\u0301able, nai\u0308ve.",
    "tabs and line ends": "a\tdull\r\n\tfilm\x0bof\u2028no\u00a0end\u3000here",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 1️⃣ ❤️ 🇫🇷🇩🇪",
    "not seen": "ze\u200bro wid\u200dth \ufeffmark so\u00adft \u2060join",
    "beyond the plane": "𝕬𝖓𝖓𝖆 said 𠜎𠜱 in 𐐷𐐶 and \U0001f600.",
    "one long word": "x" * 3000 + " and " + "é" * 3000,
}
NO_WORD = ("", " \t\n ", "?!… --- ..", "\u200b\u200d\ufeff", "\u202e\u202c")
BY_WORDS = {"random", "span", "collocation", "key", "noise", "manual"}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: "-".join([way[0], way[1].get("by", "")]))
def test_every_script_is_masked_at_its_own_characters(way, models) -> None:
    if way[0] == "pii":
        pytest.importorskip("presidio_analyzer", reason="Presidio is an extra")
    for text in WRITTEN.values():
        chosen = made(way, models, text, None, 3)
        if chosen is None:  # no list of words knows its language
            assert way[0] in ("noise", "entity", "pos", "attribute", "key")
            continue
        assert chosen.text == text
        check_spans(chosen)
        if way[0] in BY_WORDS:  # whole words: none is hidden in part
            covered = {c for i in chosen.hidden_words for c in range(*chosen.words[i])}
            assert covered <= {c for s in chosen.spans for c in range(s.start, s.end)}
        check_operators(chosen, load_model(models["bert"]))


@pytest.mark.parametrize("text", NO_WORD, ids=ascii)
def test_a_text_without_a_word_is_one_sentence(text) -> None:
    with pytest.raises(TextError, match="no words"):
        mask(text, "random")


def check_spans(chosen: Mask) -> None:
    """Inside the text, sorted, disjoint, trimmed, each with its reason."""
    edges = [(s.start, s.end) for s in chosen.spans]
    assert all(0 <= a < b <= len(chosen.text) for a, b in edges)
    assert all(b <= c for (_, b), (c, _) in pairwise(edges))
    assert all(s.reason for s in chosen.spans)
    hidden = [chosen.text[a:b] for a, b in edges]
    assert [piece.strip() for piece in hidden] == hidden


def check_algebra(chosen: Mask) -> None:
    everything = frozenset(i for i, c in enumerate(chosen.text) if not c.isspace())
    assert ~~chosen == chosen
    assert (chosen & ~chosen).spans == (chosen - chosen).spans == ()
    assert (chosen | ~chosen).characters == everything
    assert (chosen | chosen) == chosen == (chosen & chosen)


def check_round_trip(chosen: Mask) -> None:
    back = Mask.from_json(chosen.to_json(), chosen.text)
    assert back == chosen
    assert back.spans == chosen.spans
    assert json.loads(back.to_json()) == json.loads(chosen.to_json())


def check_budget(way: tuple[str, dict], chosen: Mask, ratio: float | None) -> None:
    name, parameters = way
    hidden, words = len(chosen.hidden_words), len(chosen.words)
    if name in BUDGETED:
        asked = STRATEGIES[name].default_ratio if ratio is None else ratio
        budget = min(words, max(1, round(asked * words))) if asked > 0 else 0
        # The word list hides no more words than are on it.
        assert hidden == budget or (parameters.get("by") == "lexicon" and hidden < budget)
    elif STRATEGIES[name].kind == "exhaustive" and ratio is not None:
        assert hidden <= (max(1, round(ratio * words)) if ratio > 0 else 0)


def check_operators(chosen: Mask, model) -> None:
    """What is visible keeps its ids under `mask` and `corrupt`, and its characters as text."""
    plain = model.tokenise(chosen.text)
    for operator in ("mask", "corrupt"):
        try:
            encoding = apply(chosen, operator, model)
        except MaskError:
            continue
        assert len(encoding) == len(plain.input_ids)
        for i, hidden in enumerate(encoding.hidden):
            offset = plain.offsets[i]
            assert hidden == bool(offset and chosen.characters & set(range(*offset)))
            assert hidden or encoding.input_ids[i] == plain.input_ids[i]
    visible = [c for i, c in enumerate(chosen.text) if i not in chosen.characters]
    blocked = chosen.blocked_text()
    assert [c for i, c in enumerate(blocked) if i not in chosen.characters] == visible
    assert len(blocked) == len(chosen.text)


def test_the_same_mask_on_every_machine() -> None:
    """Pinned draws: a mask of today is the mask of tomorrow."""
    text = "one two three four five six seven eight nine ten"
    pinned = json.loads(Path(__file__).with_name("pinned_masks.json").read_text("utf-8"))
    drawn = {
        name: [mask(text, name, ratio=0.3, seed=seed).hidden_words for seed in range(5)]
        for name in pinned
    }
    assert {n: [list(words) for words in seeds] for n, seeds in drawn.items()} == pinned
