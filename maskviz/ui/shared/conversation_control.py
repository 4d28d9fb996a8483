"""A conversation in the place of the text: chosen on the page that reads it."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from maskviz.errors import DataError, MaskvizError
from maskviz.examples import CONVERSATIONS
from maskviz.text.conversation import Conversation, read_conversation
from maskviz.ui.shared import limits, speaker, state
from maskviz.ui.shared.controls import text_box
from maskviz.ui.shared.page import escape
from maskviz.ui.shared.spoken import with_conversation

_PASTED = state.DRAFTS[1]
_SAID = "conversation_error"
_BEFORE = "conversation_before"  # the text that a conversation took the place of


def text_or_conversation(view: state.View, place: str) -> None:
    """The text, editable, and what to read in its place."""
    text_box(view)
    with st.expander("A conversation", expanded=view.spoken is not None):
        conversation_control(view, place)


def conversation_control(view: state.View, place: str) -> None:
    """Offer conversations; `place` makes the keys of the widgets."""
    spoken = view.spoken
    st.caption(_now(spoken))
    if speaker.speaks(view.model) is False:
        speaker.offer_speakers(view.model, place)
        return
    with st.container(horizontal=True):
        if view.chat is not None and view.chat.turns:
            st.button("The one on Chat", key=f"{place}_of_chat", on_click=_take_chat)
        for example in CONVERSATIONS:
            st.button(
                example.title, key=f"{place}_{example.name}", help=example.shows,
                on_click=_take, args=({"messages": list(example.messages)},),
            )  # fmt: skip
        if spoken is not None:
            st.button("A plain text again", key=f"{place}_text", on_click=_plain)
    st.text_area(
        "Paste one", key=_PASTED, height=90, on_change=_take_pasted,
        placeholder='[{"role": "user", "content": "…"}, …]',
        help="OpenAI's messages, ShareGPT's conversations, a prompt and its response, or text. "
        "Turns are written on the page Chat.",
    )  # fmt: skip
    if said := st.session_state.pop(_SAID, ""):
        st.error(escape(said), icon="⚠️")


def _now(spoken: Conversation | None) -> str:
    if spoken is None:
        return "The text is read as it is."
    count = len(spoken.begun)
    return f"A conversation of {count} turn{'s' * (count != 1)} is read, behind the chat template."


def open_conversation(given: object) -> None:
    """Put a conversation in the place of the text, asked for its answer unless that is chosen.

    Raises DataError for one that is broken, or longer than a page reads.
    """
    whole = read_conversation(given)
    prompt, before = whole.prompt, state.current()
    if len(prompt.text) > limits.LONGEST:
        raise DataError(
            f"The conversation has {len(prompt.text):,} characters and {limits.LONGEST:,} are the "
            "limit here: ask about it on the page Chat, or with "
            "'maskviz compare --conversation FILE'."
        )
    question = with_conversation(before.question, prompt.to_dict())
    if question["name"] == "answer" and whole.answer:
        question["answer"] = whole.answer
    if before.spoken is None:
        st.session_state[_BEFORE] = before.text
    state.open_view(
        replace(before, text=prompt.text, question=question, edited=None, saved=None, given=0)
    )


def _take(given: object) -> None:
    try:
        open_conversation(given)
    except MaskvizError as error:
        st.session_state[_SAID] = str(error)


def _take_chat() -> None:
    talk = state.current().chat
    try:
        if talk is not None:
            open_conversation(talk.conversation)
    except MaskvizError as error:
        st.session_state[_SAID] = str(error)


def _take_pasted() -> None:
    pasted = st.session_state[_PASTED]
    if not pasted.strip():
        return
    _take(pasted)
    if _SAID not in st.session_state:
        st.session_state[_PASTED] = ""


def _plain() -> None:
    before = state.current()
    text = st.session_state.get(_BEFORE, before.text)
    question = {k: v for k, v in before.question.items() if k not in ("conversation", "answer")}
    state.open_view(replace(before, text=text, question=question, edited=None, saved=None, given=0))
