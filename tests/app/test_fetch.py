"""A model that is fetched in one click, on the page that asks for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from maskviz.runs.background import Background
from maskviz.ui.shared import fetch


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return the commands that a page starts; none of them runs."""
    found: list[list[str]] = []
    monkeypatch.setattr(Background, "start", lambda self, arguments: found.append(arguments))
    monkeypatch.setattr(Background, "alive", property(lambda self: bool(found)))
    monkeypatch.setattr(Background, "stop", lambda self: found.clear())
    monkeypatch.setattr(fetch, "_POLL_SECONDS", None)
    return found


def page(model: str) -> AppTest:
    app = AppTest.from_file("../../pages/mask.py", default_timeout=120)
    app.query_params["model"] = model
    return app.run()


def keys(app: AppTest) -> set[str]:
    return {button.key for button in app.sidebar.button}


def test_the_picker_names_it_and_one_click_fetches_it(started, maskviz_home: Path) -> None:
    app = page("mini")
    assert "smollm2" in app.sidebar.selectbox(key="view_model").options
    assert "fetch_smollm2" not in keys(app)
    app.sidebar.selectbox(key="view_model").set_value("smollm2").run()
    assert not app.exception
    button = app.sidebar.button(key="fetch_smollm2")
    assert button.label == "Fetch SmolLM2-135M-Instruct (93 MB)"
    (maskviz_home / "pulls").mkdir()
    said = json.dumps({"what": "fetching", "share": 0.35})
    (maskviz_home / "pulls" / "smollm2.json").write_text(said, encoding="utf-8")
    button.click().run()
    assert started == [["models", "pull", "smollm2"]]
    assert keys(app) >= {"stop_smollm2"}
    app.sidebar.button(key="stop_smollm2").click().run()
    assert "fetch_smollm2" in keys(app)
    assert not app.exception


def test_what_went_wrong_is_one_sentence_beside_the_button(started, maskviz_home: Path) -> None:
    log = maskviz_home / "background" / "pull-smollm2" / "log.txt"
    log.parent.mkdir(parents=True)
    log.write_text("maskviz: The model <b>'smollm2'</b> cannot be fetched.\n", encoding="utf-8")
    app = page("smollm2")
    (error,) = app.sidebar.error
    assert error.value.replace("\\", "") == "The model <b>'smollm2'</b> cannot be fetched."
    assert "fetch_smollm2" in keys(app)


def test_a_server_that_does_not_list_it_offers_nothing(started, monkeypatch) -> None:
    monkeypatch.setenv("MASKVIZ_MODELS", "mini")
    app = page("smollm2")
    assert "fetch_smollm2" not in keys(app)
    assert "smollm2" not in page("mini").sidebar.selectbox(key="view_model").options
