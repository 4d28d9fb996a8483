"""A conversation on the Compare page, broken down: by role, and turn by turn."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from maskviz.evidence import Comparison, Explanation
from maskviz.evidence.text.roles import RoleEffect, TurnEffect, by_role, by_turn
from maskviz.evidence.text.scale import Scale
from maskviz.evidence.words.turns import by_turn as scores_by_turn
from maskviz.readings.question import asked
from maskviz.text.conversation import Conversation
from maskviz.text.percent import number
from maskviz.ui.shared.grid import grid
from maskviz.ui.shared.page import escape

_NOTICEABLE = 0.02  # of a probability, of nats or of a value
_AT_ONCE = 12  # turns that are hidden one by one without being asked for


def show_turns(compared: Comparison) -> None:
    """Show what each role's part of the mask does, and what hiding each turn alone does."""
    scale, spoken = Scale.of(compared), _turns_of(compared)
    unit = ", points" if scale.bounded else f", {scale.unit}".rstrip(", ")
    many = 100 if scale.bounded else 1
    st.markdown("**By role and turn**")
    if spoken > _AT_ONCE and not st.toggle(
        f"Hide each of the {spoken} turns by itself", key="compare_turns"
    ):
        turns = []
    else:
        with st.spinner("Hiding each turn by itself …", show_time=True):
            turns = _by_turn(_key(compared), compared)
    roles = _by_role(_key(compared), compared)
    column = f"change{unit}"
    if len(roles) > 1:
        rows = [_role_row(role, column, many) for role in roles]
        grid(pd.DataFrame(rows), "roles", column_config=_columns(column))
        st.caption("What each role's part of your mask does by itself.")
    if turns:
        st.markdown(f"**{escape(_strongest(turns, scale))}**")
        frame = pd.DataFrame([_turn_row(turn, column, many) for turn in turns])
        grid(frame, "turns", column_config=_columns(column))
        st.caption(
            f"Each turn hidden by itself: how far {escape(scale.name)} moves. “in your mask”: so "
            "many of its words does your mask hide."
        )


def turns_of_scores(found: Explanation, spoken: Conversation) -> None:
    """Show the scores of the words, summed by turn."""
    rows = [
        {
            "turn": turn["turn"],
            "role": turn["role"],
            "words": turn["words"],
            "score": turn["score"],
            "share of all": turn["share"],
        }
        for turn in scores_by_turn(found.words, spoken)
    ]
    st.markdown("**Turn by turn**")
    share = st.column_config.NumberColumn(format="percent", help="Of the sum of all |scores|.")
    grid(
        pd.DataFrame(rows), "score-turns",
        column_config={**_columns("score"), "share of all": share},
    )  # fmt: skip


def _turns_of(compared: Comparison) -> int:
    question = compared.question
    said = question.get("conversation") if isinstance(question, dict) else None
    return len(said["messages"]) if said else 0


def _key(compared: Comparison) -> str:
    mask = compared.mask.to_json()
    return repr((mask, compared.model, compared.operator, compared.question))


@st.cache_data(max_entries=32, show_spinner=False)
def _by_turn(key: str, _compared: Comparison) -> list[TurnEffect]:
    return by_turn(_compared, asked(_compared.model, _compared.question).about(_compared.mask.text))


@st.cache_data(max_entries=32, show_spinner=False)
def _by_role(key: str, _compared: Comparison) -> list[RoleEffect]:
    return by_role(_compared, asked(_compared.model, _compared.question).about(_compared.mask.text))


def _strongest(turns: list[TurnEffect], scale: Scale) -> str:
    """Say which turn moves the answer most when it alone is hidden, and how far."""
    known = [(turn.delta, turn) for turn in turns if turn.delta is not None]
    if not known:
        return "No turn can be hidden by itself: nothing would be left to read."
    change, top = max(known, key=lambda one: abs(one[0]))
    size = number(100 * change, "+.1f") if scale.bounded else number(change, "+.2f")
    far, count = f"{size} {scale.unit}".rstrip(), len(known)
    if count == 1:
        return (
            f"Hiding turn {top.turn} ({top.role}), the one that can be, moves {scale.name} {far}."
        )
    if abs(change) < _NOTICEABLE:
        return f"Hiding each of {count} turns by itself moves {scale.name} by {far} at most."
    return (
        f"Of {count} turns hidden by themselves, turn {top.turn} ({top.role}) moves {scale.name} "
        f"most: {far}."
    )


def _role_row(role: RoleEffect, column: str, many: int) -> dict[str, object]:
    return {
        "role": role.role,
        "hidden words": role.words,
        column: None if role.delta is None else many * role.delta,
        "flips": _flips(role.flip),
    }


def _turn_row(turn: TurnEffect, column: str, many: int) -> dict[str, object]:
    row = {
        "turn": turn.turn,
        "role": turn.role,
        "words": turn.words,
        "in your mask": turn.hidden,
        column: None if turn.delta is None else many * turn.delta,
    }
    return row if turn.flip is None else {**row, "flips": _flips(turn.flip)}


def _flips(flip: bool | None) -> str:
    return "–" if flip is None else "yes" if flip else "no"


def _columns(column: str) -> dict[str, object]:
    return {column: st.column_config.NumberColumn(format="%+.2f")}
