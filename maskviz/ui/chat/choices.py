"""What to hide of a conversation: strategies in sight, all else folded."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from maskviz.masks import OPERATORS, STRATEGIES, Choice
from maskviz.masks.expression import is_expression
from maskviz.ui.shared import controls, fit, state
from maskviz.ui.shared.spoken import finds
from maskviz.ui.shared.talk import Talk
from maskviz.ui.shared.widgets import drawn

COMMON = ("manual", "sentence", "turn", "role", "entity", "random", "thought", "tool", "example")
_SLOT = controls.CHAT
USUAL = "delete"  # the operator of decoders


def operator_of(talk: Talk, model: str) -> str:
    """Return how what is hidden reaches the model."""
    return fit.operator(model, talk.operator or USUAL)


def strategy_controls(talk: Talk) -> None:
    """The strategy, and what it takes."""
    name = talk.choice.strategy
    offered = [one for one in COMMON if one == name or finds(one, talk.turns)]
    combined = is_expression(name)
    if not combined and name not in offered:
        offered.append(name)
    drawn(
        st.pills, "Hide", None if combined else name, offered, key=f"{_SLOT}strategy",
        on_change=_take_strategy, args=(f"{_SLOT}strategy",), required=not combined, wrap=True,
    )  # fmt: skip
    entry = None if combined else STRATEGIES[name]
    st.caption("Several strategies, combined." if entry is None else entry.summary)
    if entry is None or entry.kind != "manual":
        controls.choice_controls(talk.choice, entry, _SLOT)


def more_controls(talk: Talk, model: str) -> None:
    """Other strategies, the complement, the operator, how long an answer may be; all folded."""
    name = talk.choice.strategy
    with st.expander("More", expanded=is_expression(name)):
        entry = None if is_expression(name) else STRATEGIES[name]
        controls.folded_controls(talk.choice, entry, _SLOT)
        others = [one for one in STRATEGIES if one not in COMMON]
        drawn(
            st.selectbox,
            "Other strategies",
            name if name in others else None,
            others,
            key=f"{_SLOT}other",
            on_change=_take_strategy,
            args=(f"{_SLOT}other",),
            placeholder="choose one",
            help="\n".join(f"- **{one}**: {STRATEGIES[one].summary}" for one in others),
        )
        drawn(
            st.text_input,
            "Strategies in one expression",
            name if is_expression(name) else "",
            key=f"{_SLOT}combined",
            on_change=_take_strategy,
            args=(f"{_SLOT}combined",),
            placeholder="entity - pattern:/the/",
        )
        drawn(
            st.checkbox, "Hide all else (complement)", talk.complement, key=f"{_SLOT}complement",
            on_change=_take_complement,
            help="Keeps what the strategy would hide, and hides the rest.",
        )  # fmt: skip
        _operator(talk, model)
        drawn(
            st.number_input, "Tokens of an answer, at most", talk.longest, 1, 256,
            key=f"{_SLOT}longest", on_change=_take_longest,
        )  # fmt: skip


def _operator(talk: Talk, model: str) -> None:
    offered, own = fit.operators(model), operator_of(talk, model)
    if st.session_state.get(f"{_SLOT}operator") not in offered:
        st.session_state[f"{_SLOT}operator"] = own
    drawn(
        st.selectbox, "Operator", own, offered, key=f"{_SLOT}operator", on_change=_take_operator,
        help="\n".join(f"- **{name}**: {OPERATORS[name].summary}" for name in offered),
    )  # fmt: skip
    st.caption(OPERATORS[own].summary)


def _talk() -> Talk:
    return state.current().chat or Talk()


def _take_strategy(key: str) -> None:
    chosen = st.session_state[key]
    if not chosen or not chosen.strip():
        return
    state.update(chat=_talk().choosing(choice=Choice(chosen.strip())))
    for name in ("ratio", "strategy", "other", "combined"):
        if f"{_SLOT}{name}" != key:
            st.session_state.pop(f"{_SLOT}{name}", None)


def _take_complement() -> None:
    state.update(chat=_talk().choosing(complement=st.session_state[f"{_SLOT}complement"]))


def _take_operator() -> None:
    state.update(chat=replace(_talk(), operator=st.session_state[f"{_SLOT}operator"]))


def _take_longest() -> None:
    state.update(chat=replace(_talk(), longest=st.session_state[f"{_SLOT}longest"]))
