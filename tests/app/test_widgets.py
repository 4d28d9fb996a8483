"""What a widget shows where the browser was not told of the session's value: its default."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

LINK = {
    "text": "Mrs Okafor, 61, met the clerk in Leeds. The clerk said nothing to her.",
    "strategy": "random", "ratio": "0.4", "seed": "7", "operator": "delete", "model": "mini",
    "second": '{"strategy": "key"}', "sign": "or", "complement": "true", "unit": "tokens",
}  # fmt: skip
KINDS = ("number_input", "slider", "text_input", "text_area", "checkbox", "toggle", "selectbox")


def opened(page: str, **link: str) -> AppTest:
    app = AppTest.from_file(f"../../pages/{page}.py", default_timeout=120)
    for name, value in {**LINK, **link}.items():
        app.query_params[name] = value
    return app.run()


def default(widget: Any) -> Any:
    """Return the default as the browser is sent it, in the words of the widget's value."""
    sent = widget.proto.default
    if widget.type == "slider":
        return sent[0]
    if widget.type == "selectbox":
        return widget.proto.options[sent] if widget.proto.HasField("default") else None
    return sent


def value_of(widget: Any) -> Any:
    if widget.type == "selectbox" and widget.value is not None:
        return widget.format_func(widget.value)
    return widget.value


@pytest.mark.parametrize("page", ["mask", "attention", "compare", "chat", "finetune"])
def test_what_the_session_holds_is_the_default_as_well(page: str) -> None:
    """A run that another overtakes drops what the browser was not sent, a value among it."""
    app = opened(page)
    shown = [widget for kind in KINDS for widget in app.get(kind) if widget.key]
    assert len(shown) > 4
    wrong = [widget.key for widget in shown if default(widget) != value_of(widget)]
    for group in app.get("button_group"):
        values = group.value if isinstance(group.value, list) else [group.value]
        if list(group.proto.default) != group.indices:
            wrong.append(group.key)
        assert len(group.indices) == len([v for v in values if v is not None])
    assert wrong == []


def test_a_links_seed_and_ratio_are_the_defaults_of_their_widgets() -> None:
    app = opened("mask")
    assert app.number_input(key="view_seed").proto.default == 7
    assert list(app.slider(key="view_ratio").proto.default) == [40]
    app.number_input(key="view_seed").set_value(9).run()
    assert app.number_input(key="view_seed").proto.default == 9
