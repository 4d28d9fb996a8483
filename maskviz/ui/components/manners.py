"""What the browser's page does by itself: a phone's menu closes, Tab enters at what is chosen."""

import streamlit as st

from maskviz.ui.components._assets import read_asset

KEY = "maskviz_manners"

_mount = st.components.v2.component(KEY, js=read_asset("manners.js"))


def manners() -> None:
    """Mount it where nothing is seen; a page that is already there keeps it."""
    with st.container(key=KEY):
        _mount(key=f"{KEY}_js")
