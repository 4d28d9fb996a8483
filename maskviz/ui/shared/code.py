"""How code, commands and logs are shown: long lines wrap, high ones scroll by keyboard as well."""

from __future__ import annotations

import streamlit as st


def code(text: str, language: str | None = None, height: int | None = None) -> None:
    """Show code with a button to copy it, `height` pixels high where that is given.

    Streamlit's own height scrolls what lies inside the element that takes the focus, so that no
    key reaches it; here the focus lies inside what scrolls.
    """
    place = st if height is None else st.container(height=height, border=False)
    place.code(text, language=language, wrap_lines=True)
