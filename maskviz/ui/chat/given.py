"""Another conversation: an example, pasted or from a file."""

from __future__ import annotations

import json
from dataclasses import replace

import streamlit as st

from maskviz.errors import DataError, MaskvizError
from maskviz.examples import CONVERSATIONS, Spoken
from maskviz.masks.choice import Choice
from maskviz.text.conversation import Conversation, conversation_lines, read_conversation
from maskviz.ui.shared import state
from maskviz.ui.shared.page import escape
from maskviz.ui.shared.talk import Talk, of_conversation

_PASTED = state.DRAFTS[0]
_SAID = "chat_given_error"
_BEFORE = "chat_before"  # the conversation that another one took the place of


def first_talk() -> Talk:
    """Return the conversation that the page opens with."""
    return of_example(CONVERSATIONS[0])


def of_example(example: Spoken) -> Talk:
    """Return an example with what is hidden in it to begin with."""
    return Talk(
        read_conversation({"messages": list(example.messages)}).turns,
        choice=Choice(example.strategy, parameters=example.parameters),
    )


def another() -> None:
    """Examples, a field to paste into, a file, and the conversation as a file; folded."""
    with st.expander("Another conversation"):
        with st.container(horizontal=True):
            for example in CONVERSATIONS:
                st.button(
                    example.title, key=f"chat_example_{example.name}", help=example.shows,
                    on_click=_open_talk, args=(of_example(example),),
                )  # fmt: skip
            st.button("Empty", key="chat_empty", on_click=_open_talk, args=(Talk(),))
            if _BEFORE in st.session_state:
                st.button(
                    "The one before", key="chat_before_open", on_click=_open_talk,
                    args=(st.session_state[_BEFORE],),
                )  # fmt: skip
        st.text_area(
            "Paste one", key=_PASTED, height=90, on_change=_take_pasted,
            placeholder='[{"role": "user", "content": "…"}, …]  or plain text',
            help="OpenAI's messages, ShareGPT's conversations, a prompt and its response, or text.",
        )  # fmt: skip
        if said := st.session_state.pop(_SAID, ""):
            st.error(escape(said), icon="⚠️")
        _uploaded()
        _as_file()


def _uploaded() -> None:
    file = st.file_uploader(
        "Or a file", type=["json", "jsonl", "txt"], key="chat_file",
        help="JSON of one conversation, JSON Lines of many, or plain text.",
    )  # fmt: skip
    if file is None:
        return
    content, line = file.getvalue(), 1
    try:
        if file.name.lower().endswith(".jsonl"):
            count = sum(1 for row in content.split(b"\n") if row.strip())
            line = int(st.number_input(f"Line, of {count:,}", 1, max(1, count), key="chat_line"))
            found = _line(content, line)
        else:
            found = read_conversation(content)
    except MaskvizError as error:
        st.error(escape(str(error)), icon="⚠️")
        return
    turns = len(found.turns)
    st.button(
        f"Open its {turns} turn{'s' * (turns != 1)}", key="chat_open_file", on_click=_open,
        args=(found,),
    )  # fmt: skip


def _line(content: bytes, line: int) -> Conversation:
    rows = [row for row in content.split(b"\n") if row.strip()]
    if not rows:
        raise DataError("The file holds no conversation: give one on each line, as JSON.")
    return next(conversation_lines(rows[line - 1]))


def _as_file() -> None:
    talk = state.current().chat or Talk()
    messages = [turn.message() for turn in talk.turns]
    value = {"messages": messages, **({"tools": json.loads(talk.tools)} if talk.tools else {})}
    st.download_button(
        "Save as JSON", json.dumps(value, ensure_ascii=False, indent=2), "conversation.json",
        "application/json", on_click="ignore", key="chat_json",
    )  # fmt: skip


def _take_pasted() -> None:
    pasted = st.session_state[_PASTED]
    if not pasted.strip():
        return
    try:
        found = read_conversation(pasted)
    except MaskvizError as error:
        st.session_state[_SAID] = str(error)
        return
    st.session_state[_PASTED] = ""
    _open(found)


def _open(conversation: Conversation) -> None:
    _open_talk(of_conversation(conversation))


def _open_talk(talk: Talk) -> None:
    before = state.current().chat or Talk()
    if before.turns:
        st.session_state[_BEFORE] = before
    for key in [k for k in st.session_state if str(k).startswith("view_chat_")]:
        del st.session_state[key]
    state.update(chat=replace(talk, turn=before.turn + 1))
