"""A line of 1 MB: each page reads its beginning, says so, and keeps the mask that goes with it."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from maskviz.masks import Mask, mask
from maskviz.ui.shared import limits, state

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
    assert limits.words_in(limits.first_words(LINE)) == limits.ASKED


def test_a_view_reads_the_beginning_and_a_saved_mask_with_it() -> None:
    saved = mask(LINE, "random", ratio=0.5)
    view = state.View(LINE, "manual", saved=saved.to_json())
    assert view.given == WORDS
    chosen = state.strategy_mask(view)
    assert chosen.text == view.text == limits.beginning(LINE)
    assert chosen.characters == {i for i in saved.characters if i < len(view.text)}
    assert "the first" in state.notices(view)[0]
    assert state.notices(state.View("A film.", "random")) == []


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
    assert "about the first 6 of 15 words" in state.notices(view)[0]
    by_list = state.View(text, "key", ratio=0.5, parameters={"by": "lexicon"})
    assert state.notices(by_list) == []
    assert "key - entity asks" in state.notices(state.View(text, "key - entity"))[0]
    assert state.notices(state.View(text, "no-such")) == []


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
