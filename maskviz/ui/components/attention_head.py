"""One head large, with the tokens on both axes."""

import streamlit as st

from maskviz.figures.static_files import read_static

_mount = st.components.v2.component(
    "maskviz_attention_head",
    html=read_static("attention_head.html"),
    css="".join(map(read_static, ("common.css", "attention.css", "attention_head.css"))),
    js=read_static("marks.js") + read_static("common.js") + read_static("attention_head.js"),
)


def attention_head(message: bytes, key: str) -> None:
    """Show one head large, from its `head_message`; values on hover and by arrow keys.

    Cells travel as 16 bits, so that the values shown are exact to 0.002 of a percentage point.
    """
    _mount(key=key, data=message)
