"""A tuned model beside the one it came from: the same conversation, put to either."""

from __future__ import annotations

import streamlit as st

from maskviz.models.tuned import base_of
from maskviz.ui.shared import state

_KEY, _PAIR = "chat_beside", "maskviz_chat_pair"


def offer(view: state.View) -> None:
    """Let the user change between a tuned model and its base; nothing where it is none."""
    base = base_of(view.model)
    pair = (base, view.model) if base else st.session_state.get(_PAIR, ())
    if view.model not in pair:
        return
    st.session_state[_PAIR] = pair
    st.session_state[_KEY] = view.model
    st.segmented_control(
        "Who answers", list(pair), key=_KEY, required=True, on_change=_take,
        help="A tuned model and the one it came from: the conversation and what is hidden stay.",
    )  # fmt: skip


def _take() -> None:
    st.session_state.pop("view_model", None)
    state.update(model=st.session_state[_KEY])
