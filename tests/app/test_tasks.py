"""The Tasks and Images pages: an example of each opens with a finding; bad input is one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).parents[2] / "app.py")
HOSTILE = "Anna said </script><img src=x onerror=alert(1)> and \u202e left. It was a dull film."


def _page(name: str, **state: object) -> AppTest:
    at = AppTest.from_file(APP, default_timeout=240)
    for key, value in state.items():
        at.session_state[key] = value
    return at.switch_page(f"pages/{name}.py").run()


def _words(at: AppTest) -> str:
    return " ".join(m.value for m in [*at.markdown, *at.caption]).replace("\\", "")


def test_sentiment_opens_with_what_hiding_attributes_changes():
    at = _page("tasks")
    assert not at.exception
    assert not at.error
    assert "words (attribute)" in _words(at)
    assert len(at.get("plotly_chart")) == 1


def test_summarisation_hides_what_repeats_and_measures_it():
    at = _page("tasks", tasks_tab="Summarisation")
    assert not at.exception
    assert not at.error
    assert "sentences repeat earlier ones; without them this summary comes closer" in _words(at)
    assert list(at.dataframe[0].value["measure"]) == ["ROUGE-1", "ROUGE-2", "ROUGE-L"]


@pytest.mark.parametrize("tab", ["Sentiment", "Summarisation"])
def test_hostile_text_stays_text(tab):
    key = {"Sentiment": "ts_text", "Summarisation": "tm_text"}[tab]
    at = _page("tasks", tasks_tab=tab, **{key: HOSTILE})
    assert not at.exception
    assert not any(m.allow_html for m in at.markdown)


def test_a_text_that_is_too_long_is_one_line():
    at = _page("tasks", ts_text="word " * 5000)
    assert not at.exception
    assert "25,000 characters" in at.error[0].value.replace("\\", "")


def test_an_unknown_model_is_one_line():
    at = _page("tasks", tasks_tab="Translation", tt_model="no such model")
    assert not at.exception
    assert "There is no model or folder" in at.error[0].value.replace("\\", "")


def test_translation_opens_its_cross_attention(monkeypatch):
    # The test runner forgets app.py before every run; the page would start again without the press.
    monkeypatch.setattr("maskviz.ui.shared.page._run_app_script", lambda: None)
    opened = []
    monkeypatch.setattr("streamlit.switch_page", opened.append)
    at = _page("tasks", tasks_tab="Translation")
    assert not at.exception
    next(b for b in at.button if b.label == "Open its cross attention").click()
    at.session_state["tasks_tab"] = "Translation"
    at.run()
    assert not at.exception
    assert opened == ["pages/attention.py"]
    view = at.session_state["maskviz_view"]
    assert view.model == "mini-translate"
    assert view.text == at.dataframe[0].value["the model read"][0]
    assert at.session_state["attention_part"] == "cross"
    at.switch_page("pages/attention.py").run()
    assert not at.exception
    assert not at.error
    assert at.session_state["attention_part"] == "cross"


def test_a_summariser_without_a_decoder_says_what_has_cross_attention():
    at = _page("tasks", tasks_tab="Summarisation")
    assert "give the name of one as the model" in _words(at)
    assert "Open its cross attention" not in [b.label for b in at.button]


def test_images_open_with_a_finding_three_pictures_and_the_answers():
    at = _page("images")
    assert not at.exception
    assert not at.error
    assert "Hiding 4 of 16 patches (attention)" in _words(at)
    assert len(at.get("plotly_chart")) == 4
    at = _page("images", im_model="no such model")
    assert "There is no model or folder" in at.error[0].value.replace("\\", "")
