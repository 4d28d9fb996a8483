"""A line of 1 MB: each page reads its beginning, says so, and keeps the mask that goes with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from maskviz.errors import TextError
from maskviz.masks import Mask, mask
from maskviz.models import load_model
from maskviz.ui.compare import text as compare_text
from maskviz.ui.shared import limits, state
from maskviz.ui.shared.notices import notices

LINE = ("A<b> said <script>alert(1)</script> in the film. " * 25_000)[:1_000_000]
WORDS = len(Mask(LINE).words)


def words_of(app: AppTest) -> str:
    return " ".join(m.value for m in [*app.markdown, *app.caption]).replace("\\", "")


def test_the_beginning_ends_behind_a_word_and_short_texts_stay() -> None:
    assert limits.beginning("short") == "short"
    read = limits.beginning(LINE)
    assert limits.LONGEST - 200 < len(read) <= limits.LONGEST
    assert LINE.startswith(read + " ")
    assert limits.beginning("x" * 30_000) == "x" * limits.LONGEST
    assert limits.first_words("one two three") == "one two three"
    assert limits.words_in(limits.first_words(LINE)) == limits.OF_LONGER < limits.ASKED
    whole = "word " * limits.ASKED
    assert limits.first_words(whole) == whole
    assert limits.words_in(limits.first_words(whole + "more")) == limits.OF_LONGER


def test_a_view_reads_the_beginning_and_a_saved_mask_with_it() -> None:
    saved = mask(LINE, "random", ratio=0.5)
    view = state.View(LINE, "manual", saved=saved.to_json())
    assert view.given == WORDS
    chosen = state.strategy_mask(view)
    assert chosen.text == view.text == limits.beginning(LINE)
    assert chosen.characters == {i for i in saved.characters if i < len(view.text)}
    assert "the first" in notices(view)[0]
    assert notices(state.View("A film.", "random")) == []


@pytest.mark.parametrize("page", ["mask", "attention", "guide"])
def test_a_page_says_what_it_reads_of_a_line_of_1_mb(page: str) -> None:
    app = AppTest.from_file("../../app.py", default_timeout=240)
    app.session_state["maskviz_view"] = state.View(LINE, "random")
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    assert not app.error
    assert f"of {WORDS:,} words" in words_of(app)


def test_a_model_is_asked_about_the_first_words_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ASKED", 6)
    text = "A great film. A dull plot. Nobody in the hall stayed to see the end."
    view = state.View(text, "key", ratio=0.5)
    chosen = state.strategy_mask(view)
    assert chosen.text == text
    assert chosen.hidden_words
    assert max(chosen.hidden_words) < 6
    assert "about the first 6 of 15 words" in notices(view)[0]
    by_list = state.View(text, "key", ratio=0.5, parameters={"by": "lexicon"})
    assert notices(by_list) == []
    assert "key - entity asks" in notices(state.View(text, "key - entity"))[0]
    assert notices(state.View(text, "no-such")) == []


@pytest.fixture
def texts_asked() -> Iterator[list[int]]:
    """How many texts mini's classifier reads in each pass."""
    seen: list[int] = []
    network = load_model("mini").network("classify")
    hook = network.register_forward_pre_hook(
        lambda network, given, named: seen.append(len(named["input_ids"])), with_kwargs=True
    )
    yield seen
    hook.remove()


@pytest.mark.parametrize("words", [20, 21, 4_000])
def test_a_long_text_asks_a_model_about_no_more_than_a_short_one(
    words: int, texts_asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ASKED", 20)
    monkeypatch.setattr(limits, "OF_LONGER", 8)
    text = " ".join(f"A{words} dull but wonderful film {i}" for i in range(words))
    text = " ".join(text.split()[:words])
    state.strategy_mask(state.View(text, "key"))
    assert 2 < sum(texts_asked) <= 2 + (20 if words <= 20 else 8)  # two of them without a mask


def test_compare_says_what_changes_before_it_measures_chance(
    texts_asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_soon(*given: object) -> object:
        raise TextError(f"{sum(texts_asked)} texts were read until now.")

    monkeypatch.setattr(compare_text, "_effects", too_soon)
    app = AppTest.from_file("../../app.py", default_timeout=240)
    app.session_state["maskviz_view"] = state.View(LINE, "random", seed=11)
    app.switch_page("pages/compare.py").run()
    assert not app.exception
    (finding,) = (m.value for m in app.markdown if m.value.startswith("### "))
    assert finding.startswith("### Hiding ")
    assert "random masks" not in finding
    assert [error.value for error in app.error] == ["2 texts were read until now\\."]


def test_word_by_word_scores_the_first_words_until_all_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "ASKED", 3)
    app = AppTest.from_file("../../app.py", default_timeout=240)
    app.session_state["maskviz_view"] = state.View("A great film, a dull plot.", "random")
    app.session_state["compare_tab"] = "Word by word"
    app.switch_page("pages/compare.py").run()
    assert not app.exception
    assert "Scored: the first 3 of 6 words" in words_of(app)
    assert len(app.dataframe[-1].value) == 3
    app.toggle(key="explain_whole").set_value(True).run()
    assert len(app.dataframe[-1].value) == 6
