"""The language of the text on the Mask page: shown, changed by a click, kept in a link."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from maskviz.ui.shared import state


def open_page(**link: str) -> AppTest:
    app = AppTest.from_file("../../pages/mask.py", default_timeout=120)
    for name, value in link.items():
        app.query_params[name] = value
    return app.run()


def captions(app: AppTest) -> str:
    return "\n".join(caption.value for caption in app.caption).replace("\\", "")


def test_the_language_is_shown_and_what_it_lacks() -> None:
    app = open_page(text="李明今年34岁，他是护士。", strategy="attribute")
    assert not app.exception
    assert "Language: Chinese (found)" in captions(app)
    assert "No spaCy pipeline of Chinese is installed" in captions(app)
    chosen = state.current_mask(app.session_state["maskviz_view"])
    hidden = [chosen.text[s.start : s.end] for s in chosen.spans]
    assert hidden == ["李明", "34岁", "他"]


def test_another_language_is_a_click_and_another_text_is_found_anew() -> None:
    app = open_page(text="東京都知事選挙", strategy="random")
    assert "Language: Chinese (found)" in captions(app)
    app.selectbox(key="view_language").set_value("ja").run()
    assert not app.exception
    assert "Language: Japanese (as given)" in captions(app)
    view = app.session_state["maskviz_view"]
    assert (view.language, state.current_mask(view).language) == ("ja", "ja")
    app.text_area(key="view_text").set_value("The film is dull, and the acting is bad.").run()
    assert app.session_state["maskviz_view"].language == ""
    assert "Language: English (found)" in captions(app)


@pytest.mark.parametrize(("given", "kept"), [("ja", "ja"), ("Japanese", "ja"), ("Klingon", "")])
def test_a_link_names_the_language(given: str, kept: str) -> None:
    app = open_page(text="東京都知事選挙", strategy="random", language=given)
    assert app.session_state["maskviz_view"].language == kept


def test_a_link_opens_no_folder_of_the_server() -> None:
    app = open_page(strategy="entity", parameters='{"pipeline": "/tmp", "types": []}')
    assert "pipeline" not in app.session_state["maskviz_view"].parameters
