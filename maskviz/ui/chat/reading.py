"""What lies under two answers: where hiding matters, what they rest on, what the model reads."""

from __future__ import annotations

import hashlib

import pandas as pd
import streamlit as st

from maskviz.evidence.text.spoken import rank_said, turn_name
from maskviz.evidence.words.answer import AnswerMatrix, answer_matrix
from maskviz.evidence.words.staged import is_long
from maskviz.masks import Mask
from maskviz.models import Model, load_model
from maskviz.readings.language.conversing import rendered
from maskviz.readings.question import asked
from maskviz.ui.chat.answers import Asked, Request, sentences
from maskviz.ui.compare.answer import show_positions
from maskviz.ui.components.lit_text import answer_lights, placed_text
from maskviz.ui.shared import limits, state
from maskviz.ui.shared.grid import grid
from maskviz.ui.shared.page import errors, escape

_EXPLAINED = "chat_explained"  # the key of the request that *Explain* was pressed for
_PAGES = {
    "compare": "Other strategies and operators on this conversation.",
    "attention": "Every head over this conversation, as the model's template writes it.",
}
_MOST_SHOWN = 60_000  # characters of a rendering that are drawn


def positions(found: Asked) -> None:
    """The strip: how far the next token moves behind each visible one."""
    request = found.request
    if request.mask.hidden_words:
        show_positions(request.mask, request.model, request.operator, request.question())


def explained(found: Asked) -> None:
    """On a press: the words of the prompt over the tokens of the answer, and all sentences."""
    request = found.request
    with st.container(horizontal=True):
        if st.session_state.get(_EXPLAINED) != request.key:
            st.button(
                "Explain", key="chat_explain", on_click=_explain, args=(request.key,),
                help="Hides each word, and each sentence, in turn: what does the answer rest on?",
            )  # fmt: skip
        if len(request.mask.text) <= limits.LONGEST:
            _elsewhere(request)
    if st.session_state.get(_EXPLAINED) != request.key:
        return
    st.markdown("**What does the plain answer rest on?**")
    with errors(), st.spinner("Hiding each word in turn …", show_time=True):
        _matrix(request)
    with errors(), st.spinner("Hiding each sentence in turn …", show_time=True):
        _sentences(found)


def _elsewhere(request: Request) -> None:
    """Open the same conversation, mask and model on another page, in the place of its text."""
    for page, shows in _PAGES.items():
        if st.button(f"Open in {page.capitalize()}", key=f"chat_{page}", help=shows):
            view = state.View(
                request.mask.text, "manual", operator=request.operator, model=request.model,
                saved=request.mask.to_json(), question=request.question(),
            )  # fmt: skip
            state.open_view(view)
            st.switch_page(f"pages/{page}.py")


def _explain(key: str) -> None:
    st.session_state[_EXPLAINED] = key


def _matrix(request: Request) -> None:
    put = asked(load_model(request.model), request.question())
    if is_long(put, request.mask.text):
        st.caption("The conversation is long: its sentences are hidden one by one, not its words.")
        return
    answer_lights(
        _lights(request.key, request), request.mask.text, key=f"chat_lights_{_hash(request.key)}",
        note="Blue words speak for the answer, orange ones against it.",
    )  # fmt: skip


@st.cache_data(max_entries=32, show_spinner=False)
def _lights(key: str, _request: Request) -> AnswerMatrix:
    put = asked(load_model(_request.model), _request.question())
    return answer_matrix(_request.mask.text, put)


def _sentences(found: Asked) -> None:
    ranked = sentences(found)
    if not ranked:
        return
    prompt = found.request.prompt
    st.markdown("**Its sentences, the strongest first**")
    if said := rank_said(ranked, found.request.mask):
        st.markdown(escape(said))
    rows = [
        {
            "rank": place,
            "fall of ln p": one.fall,
            "in": turn_name(prompt, one.turn),
            "sentence": one.text,
        }
        for place, one in enumerate(ranked, 1)
    ]
    grid(
        pd.DataFrame(rows), "sentences",
        column_config={"fall of ln p": st.column_config.NumberColumn(format="%+.2f")},
    )  # fmt: skip
    st.caption("How far the log-probability of the plain answer falls without it, in nats.")


def what_is_read(request: Request) -> None:
    """The rendering of the model's own template, with the places of the contents; folded."""
    with st.expander("What the model reads"), errors():
        model = load_model(request.model)
        put = asked(model, request.question())
        read = put.model.tokenise(request.prompt.text)
        rendering = rendered(model, request.prompt)
        own = sum(turn is None for turn in read.turns)
        st.caption(
            escape(
                f"{len(read.input_ids):,} tokens, {own:,} of them of the chat template (grey). "
                "Blocks are hidden in the masked one."
            )
        )
        for said in filter(None, [read.said]):
            st.warning(escape(said), icon="✂️")
        kinds = _kinds(rendering.owner, request.mask)[:_MOST_SHOWN]
        placed_text(rendering.text[:_MOST_SHOWN], kinds, key=f"chat_read_{_hash(request.key)}")
        if len(rendering.text) > _MOST_SHOWN:
            st.caption(f"The first {_MOST_SHOWN:,} of {len(rendering.text):,} characters.")


def _kinds(owner: list[int], mask: Mask) -> str:
    """Return for each character `t` (the template's), `c` (a content's) or `h` (hidden)."""
    hidden = mask.characters
    return "".join("t" if i < 0 else "h" if i in hidden else "c" for i in owner)


def notices(model: Model, request: Request) -> str:
    """Return what the template does to the conversation, empty where nothing is to be said."""
    return asked(model, request.question()).model.tokenise(request.prompt.text).said


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:12]
