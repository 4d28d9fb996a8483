"""The Guide page, driven without a browser."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def test_the_rows_numbers_add_up() -> None:
    app = AppTest.from_file("../../pages/guide.py", default_timeout=120)
    app.query_params["text"] = "The story is dull and slow."
    app.query_params["strategy"] = "pattern"
    app.query_params["parameters"] = '{"words": "dull"}'
    app.run()
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
