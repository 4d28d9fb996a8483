"""Layers on the pages stand under the network's own numbers, where some compute no attention."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("streamlit")

from streamlit.testing.v1 import AppTest

from tests.tiny_models import build_any

APP = Path(__file__).parents[2] / "app.py"
TEXT = "Anna of Paris sees a dull, slow and empty story."


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A decoder of four layers, of which the second and the fourth attend."""
    kinds = ["conv", "full_attention", "conv", "full_attention"]
    given = {"num_key_value_heads": 1, "num_hidden_layers": 4, "layer_types": kinds}
    return str(build_any("lfm2", tmp_path_factory.mktemp("hybrid"), "CausalLM", **given))


def opened(page: str, hybrid: str, **link: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=180)
    given = {"text": TEXT, "strategy": "pattern", "parameters": '{"words": "dull"}'}
    for name, value in {**given, "operator": "delete", "model": hybrid, **link}.items():
        app.query_params[name] = value
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    assert not app.error, app.error[0].value
    return app


@pytest.mark.parametrize("show", ["plain", "difference"])
def test_the_attention_page_names_layers_by_their_own_numbers(show: str, hybrid: str) -> None:
    app = opened("attention", hybrid, show=show, head="4.1")
    assert any("Layers 1, 3" in warning.value for warning in app.warning)
    assert any(title.value.startswith("**Layer 4, head 1**") for title in app.markdown)
    assert sorted(set(app.dataframe[0].value["Layer"])) == [2, 4]
    other = opened("attention", hybrid, show=show, head="3.1")  # which computes none
    assert not any("Layer 3" in title.value for title in other.markdown)


def test_the_guide_offers_the_layers_that_attend(hybrid: str) -> None:
    app = opened("guide", hybrid)
    layer = app.selectbox(key="guide_layer_2_3")
    assert layer.options == ["2", "4"]
    plain = app.dataframe[0].value["weight"].tolist()
    layer.set_value(1).run()
    assert not app.exception
    assert app.dataframe[0].value["weight"].tolist() != plain
