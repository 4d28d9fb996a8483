"""Widgets that show what the session holds, also where a message of theirs is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st


def drawn(kind: Any, label: str, value: Any, *args: Any, key: str, **options: Any) -> Any:
    """Draw a widget under `key` that shows `value` until its user chooses another; return what
    it shows.

    The browser is told of the session's value once, and a run that overtakes another drops what
    the browser has not been sent: it would then show the widget's default and send that back as
    the user's choice. So what the session holds is the default as well.
    """
    now = st.session_state.setdefault(key, value)
    return kind(label, *args, key=key, **_default(kind.__name__, now, *args[:1]), **options)


def _default(kind: str, now: Any, options: Sequence[Any] = ()) -> dict[str, Any]:
    """Return the argument that makes `now` the default of a widget of this kind."""
    if kind in ("pills", "segmented_control", "multiselect"):
        return {"default": now}
    if kind in ("selectbox", "radio"):
        return {"index": list(options).index(now) if now in options else None}
    return {"value": now}
