"""The view kept by the browser's tab, so that a reload opens what was there before."""

from collections.abc import Callable
from uuid import uuid4

import streamlit as st

from maskviz.ui.components._assets import read_asset

KEY = "maskviz_kept"

_mount = st.components.v2.component("maskviz_kept_view", js=read_asset("kept_view.js"))


def kept_view(link: str, reopen: Callable[[str], None]) -> None:
    """Hand the tab the `link` of the view; call `reopen` with the link it kept before a reload."""
    session = st.session_state.setdefault("maskviz_session", uuid4().hex)

    def take() -> None:
        found = (st.session_state.get(KEY) or {}).get("link")
        if isinstance(found, str):  # the browser is not trusted
            reopen(found)

    _mount(key=KEY, data={"session": session, "link": link}, on_link_change=take)
