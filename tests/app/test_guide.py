"""The Guide page, driven without a browser."""

from __future__ import annotations

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest


def test_the_rows_numbers_add_up() -> None:
    app = AppTest.from_file("../../app.py", default_timeout=120)
    app.query_params["text"] = "The story is dull and slow."
    app.query_params["strategy"] = "pattern"
    app.query_params["parameters"] = '{"words": "dull"}'
    app.switch_page("pages/guide.py").run()
    assert not app.exception
    assert not app.error
    assert "attends most to" in app.markdown[0].value
    table = app.dataframe[0].value
    assert table["weight"].sum() == pytest.approx(1, abs=1e-3)
    hidden = table[table["key"] == "dull"]
    assert hidden["log M"].tolist() == ["−∞"]
    assert hidden["weight"].tolist() == [0.0]
    total = float(table["weight · v₁"].sum())
    assert any(f"{total:.3f}" in c.value for c in app.caption)
    app.selectbox(key="guide_matrix").set_value("causal").run()
    assert not app.exception
    row = int(app.selectbox(key=f"guide_row_{len(table)}").value)
    after = app.dataframe[0].value
    assert (after["weight"][row + 1 :] == 0).all()
    for where in ("this layer alone", "this head alone"):  # its own row is cut as it was
        app.session_state["guide_where"] = where
        app.run()
        assert not app.exception
        assert not app.error
        assert (app.dataframe[0].value["weight"][row + 1 :] == 0).all()
    alone = app.dataframe[0].value
    assert (alone["score q·k/√d"] - after["score q·k/√d"]).abs().max() > 0  # below nothing is cut


def test_a_matrix_of_ones_gives_back_the_plain_attention() -> None:
    app = AppTest.from_file("../../app.py", default_timeout=120)
    app.query_params["text"] = "The story is dull and slow."
    app.query_params["strategy"] = "random"
    app.switch_page("pages/guide.py").run()
    tokens = len(app.dataframe[0].value)
    app.selectbox(key="guide_matrix").set_value("random").run()
    app.slider(key="guide_pairs").set_value(100).run()
    everything = app.dataframe[0].value["weight"].tolist()
    app.selectbox(key="guide_matrix").set_value("custom").run()
    assert not app.exception
    assert "Give a table" in app.markdown[0].value
    ones = "\n".join([",".join("1" * tokens)] * tokens)
    app.get("file_uploader")[0].upload("ones.csv", ones.encode(), "text/csv").run()
    assert app.dataframe[0].value["weight"].tolist() == pytest.approx(everything)
    app.get("file_uploader")[0].upload("bad.csv", b"1,0\n0,1\n", "text/csv").run()
    assert not app.exception
    assert any(f"give {tokens} rows" in e.value for e in app.error)


@pytest.mark.parametrize(
    ("page", "asked", "key", "value"),
    [
        ("experiments", {"tab": "Planted distractor"}, "experiments_tab", "Planted distractor"),
        ("tasks", {"tab": "Translation"}, "tasks_tab", "Translation"),
        ("tasks", {"tab": "no such tab"}, "tasks_tab", "Sentiment"),
    ],
)
def test_a_link_of_the_guide_opens_its_tab(page, asked, key, value) -> None:
    app = AppTest.from_file("../../app.py", default_timeout=120)
    app.query_params.update(asked)
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    assert app.session_state[key] == value


def test_a_link_of_the_guide_tries_its_strategy_on_the_readers_text() -> None:
    app = AppTest.from_file("../../app.py", default_timeout=120)
    app.query_params.update({"text": "The story is dull. The cast is warm.", "strategy": "entity"})
    app.switch_page("pages/guide.py").run()
    rows = [link for link in app.get("page_link") if "its row beside chance" in link.proto.label]
    assert {link.proto.query_string for link in rows} == {"try=sentence", "try=pos"}
    app.query_params["try"] = "sentence"
    app.switch_page("pages/compare.py").run()
    assert not app.exception
    assert "sentence" in app.markdown[0].value
    assert app.session_state["maskviz_view"].text == "The story is dull. The cast is warm."
    app.session_state["maskviz_view"] = replace(app.session_state["maskviz_view"], strategy="key")
    app.run()
    assert "sentence" not in app.markdown[0].value  # it is followed once


def test_why_a_ratio_is_measured_on_the_readers_text() -> None:
    app = AppTest.from_file("../../app.py", default_timeout=120)
    app.query_params["text"] = "The film was so good that I went to see it again the next day."
    app.switch_page("pages/guide.py").run()
    app.button(key="guide_ratios").click().run()
    assert not app.exception
    table = app.table[0].value
    assert table["asked for"].tolist() == [
        "5\u00a0%",
        "15\u00a0%",
        "30\u00a0%",
        "50\u00a0%",
        "80\u00a0%",
    ]
    first, last = (
        float(table["guessed right by mini"].iloc[i].split("\u00a0")[0]) for i in (0, -1)
    )
    assert first > last
