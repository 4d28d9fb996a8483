"""Chat: hide part of a conversation and read two answers side by side, plain and masked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from maskviz.errors import DataError, MaskvizError
from maskviz.masks import Mask
from maskviz.models import load_model
from maskviz.ui.chat import answers, beside, cards, choices, given, hidden, reading
from maskviz.ui.shared import speaker, state
from maskviz.ui.shared.page import close_page, errors, escape, open_page
from maskviz.ui.shared.report_button import report_button
from maskviz.ui.shared.talk import Talk

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from maskviz.report import Report


def main() -> str:
    """The finding and the turns on the left, what to hide on the right; return what is hidden."""
    view = open_page(reads=False)
    if view.chat is None:
        view = state.update(chat=given.first_talk())
    talk, model = cards.take_clicks(view.chat or Talk()), speaker.speaker_of(view.model)
    picture, choice = st.columns([5, 3], gap="large")
    with choice:
        beside.offer(view)
        with errors():
            choices.strategy_controls(talk)
        choices.more_controls(talk, model or view.model)
        given.another()
    with picture:
        return conversation(state.current().chat or talk, view.model, model)


def conversation(talk: Talk, named: str, model: str | None) -> str:
    """Finding, turns, the two answers and what lies under them; return what is hidden in words."""
    headline = st.empty()
    chosen, said = mask_of(talk, model or named)
    headline.markdown(f"### {escape(said)}")
    if model is None:
        speaker.offer_speakers(named)
    else:
        speaker.say_speaker(named, model)
    cards.draw(talk, chosen)
    cards.bring_back()
    if chosen is None or model is None:
        return said
    with errors():
        ask(talk, chosen, model, headline)
    return f"{len(chosen.hidden_words):,} of {len(chosen.words):,} words hidden"


def mask_of(talk: Talk, model: str) -> tuple[Mask | None, str]:
    """Return what is hidden and the headline before an answer, or what stands in the way."""
    if not any(turn.texts for turn in talk.turns):
        return None, "No conversation yet: add a turn, paste one, or choose an example."
    try:
        chosen = hidden.current_mask(talk, model)
    except DataError as error:
        return None, str(error)
    except MaskvizError as error:
        st.error(escape(str(error)), icon="⚠️")
        return Mask(talk.conversation.text), "Nothing is hidden yet."
    return chosen, hidden.said(len(chosen.hidden_words), len(chosen.words))


def ask(talk: Talk, chosen: Mask, model: str, headline: DeltaGenerator) -> None:
    """The button, the answers as they come, and what may be said of them."""
    request, found = answers.request_of(talk, chosen, model), answers.held()
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button("Ask", type="primary", key="chat_ask")
        stop, save = st.empty(), st.empty()
    if pressed:
        with st.spinner(f"Loading {escape(model)} …", show_time=True):
            load_model(model)
            found = answers.begin(request)
    if found is None:
        reading.what_is_read(request)
        return
    stale = found.request.key != request.key
    if found.writing.running:
        stop.button("Stop", key="chat_stop", on_click=found.writing.stop)
    answers.show(found, stale)
    stop.empty()
    if found.writing.finished and not stale:
        with errors(), st.spinner("Setting it beside others …", show_time=True):
            seen = answers.finding(found)
            headline.markdown(f"### {escape(seen.sentence)}")
            if seen.comparison.notice:
                st.warning(escape(seen.comparison.notice), icon="✂️")
        report_button(lambda: report_of(found.request), "chat_report", save, "Save")
        with errors():
            reading.positions(found)
        reading.explained(found)
    reading.what_is_read(request)


def report_of(request: answers.Request) -> Report:
    """Return the report on a request."""
    from maskviz.report import conversation_report

    return conversation_report(
        request.mask, request.prompt, request.model, request.operator, request.longest
    )


close_page(hides=main(), spoken=True)
