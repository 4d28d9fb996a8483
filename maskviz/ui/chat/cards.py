"""The turns on the page: drawn as cards, and what the user does to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from maskviz.figures.theme import colours_of
from maskviz.masks import Mask
from maskviz.text.conversation import ROLES, Conversation, Turn
from maskviz.text.words import mended, word_offsets
from maskviz.ui.chat.hidden import units_of
from maskviz.ui.components.token_strip import StripUnit
from maskviz.ui.components.turn_cards import Act, Card, acts_of, clicked_words, turn_cards
from maskviz.ui.shared import state
from maskviz.ui.shared.strip import strip_units
from maskviz.ui.shared.talk import Talk

KEY = "chat_cards"
_TAKEN = "chat_taken"  # the number of the last act that was taken
DELETED = "chat_deleted"  # (at, turn) of the turn that was deleted last
_KINDS = {"thought": "thought", "content": "said", "argument": "handed to the tool"}


def take_clicks(talk: Talk) -> Talk:
    """Return the talk with the words that are hidden now; call it before the mask is made."""
    clicked = clicked_words(KEY, sum(talk.words), talk.revision)
    if clicked is None:
        return talk
    view = state.update(chat=talk.clicked(clicked))
    return view.chat or talk


def draw(talk: Talk, chosen: Mask | None) -> None:
    """Draw the turns; `chosen` is what is hidden, None while that cannot be told."""
    units = _units(talk, chosen)
    labels = {span.label for span in chosen.spans if span.label} if chosen else set()
    turn_cards(
        _cards(talk, units),
        units,
        key=KEY,
        revision=talk.revision,
        roles=ROLES,
        taken=st.session_state.get(_TAKEN, 0),
        take=_take_acts,
        colours=colours_of(labels),
    )


def _units(talk: Talk, chosen: Mask | None) -> list[StripUnit]:
    if not any(text.strip() for turn in talk.turns for _, text in turn.texts):
        return []
    # Turns that cannot be a conversation yet, such as a result without its call, are shown too.
    plain = Conversation(tuple(Turn("user", text) for t in talk.turns for _, text in t.texts))
    units, first = strip_units(chosen or Mask(plain.text), units_of(plain)), 0
    for turn, count in zip(talk.turns, talk.words, strict=True):
        if count:  # what stands before it in its own card
            said = _said(turn)
            own = said[: word_offsets(said)[0][0]]
            units[first] = replace(units[first], before=own)
        first += count
    return units


def _said(turn: Turn) -> str:
    return "\n\n".join(text for _, text in turn.texts)


def _cards(talk: Talk, units: Sequence[StripUnit]) -> list[Card]:
    cards, first = [], 0
    for number, (turn, count) in enumerate(zip(talk.turns, talk.words, strict=True), 1):
        cards.append(_card(turn, number, first, count, units))
        first += count
    return cards


def _card(turn: Turn, number: int, first: int, count: int, units: Sequence[StripUnit]) -> Card:
    said = _said(turn)
    ends = [end for _, end in word_offsets(said)]
    kinds, at = [], first
    for kind, text in turn.texts:
        if kind != "content" or turn.thought:
            kinds.append((at, _KINDS[kind]))
        at += len(word_offsets(text))
    calls = ", ".join(f"calls {call.name}" for call in turn.calls)
    return Card(
        turn.role,
        f"{number} {turn.role}",
        f"turn {number}, {turn.role}",
        first,
        count,
        said[ends[-1] :] if ends else said,
        tuple(kinds),
        calls,
        turn.content,
        turn.thought,
    )


def _take_acts() -> None:
    """Do to the turns what the user did; called before the page runs."""
    talk = state.current().chat or Talk()
    for act in acts_of(KEY, st.session_state.get(_TAKEN, 0), ROLES):
        talk = _done(talk, act)
        st.session_state[_TAKEN] = act.number
    state.update(chat=talk)


def _done(talk: Talk, act: Act) -> Talk:
    if act.act == "add" and act.at <= len(talk.turns):
        return talk.added(act.at, Turn(_next_role(talk.turns[: act.at])))
    if act.at >= len(talk.turns):
        return talk
    before = talk.turns[act.at]
    if act.act == "delete":
        st.session_state[DELETED] = (act.at, before)
        return talk.without(act.at)
    written = replace(
        before, role=act.role, content=mended(act.content), thought=mended(act.thought)
    )
    if act.role != "assistant":
        written = replace(written, calls=())
    return talk.with_turn(act.at, written)


def _next_role(before: Sequence[Turn]) -> str:
    return "assistant" if before and before[-1].role in ("user", "tool") else "user"


def bring_back() -> None:
    """Offer the turn that was deleted last."""
    if DELETED not in st.session_state:
        return
    at, _ = st.session_state[DELETED]
    st.button(f"Bring back turn {at + 1}", key="chat_bring_back", on_click=_bring_back)


def _bring_back() -> None:
    at, turn = st.session_state.pop(DELETED)
    talk = state.current().chat or Talk()
    state.update(chat=talk.added(min(at, len(talk.turns)), turn))
