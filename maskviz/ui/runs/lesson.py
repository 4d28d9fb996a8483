"""What a decoder learns: its settings on the form, and a row with what is hidden and learned."""

from __future__ import annotations

from typing import Any

import streamlit as st

from maskviz.errors import MaskvizError
from maskviz.text.percent import percent
from maskviz.training import RunSpec
from maskviz.training.loss_audit import Examined, LossAudit, Seen, taken
from maskviz.ui.components.token_strip import StripUnit, token_strip
from maskviz.ui.runs.fields import field
from maskviz.ui.shared.page import escape

_SHOWN = 40  # rows that may be looked at here; `maskviz audit --loss` reads them all


def fields() -> dict[str, Any]:
    """Ask what is learned, and whether rows are packed."""
    left, right = st.columns(2)
    with left:
        strategy = field(
            st.text_input, "Learns", "loss_strategy",
            help="role:assistant, last-turn, any strategy, or an expression of them such as "
            "role:assistant - entity.",
        )  # fmt: skip
    with right:
        weight = field(
            st.number_input, "Weight of prompts", "prompt_weight", 0.0, 1.0, step=0.05,
            help="With which prompts are learned as well; 0 leaves them out.",
        )  # fmt: skip
    packing = field(
        st.toggle, "Pack rows", "packing",
        help="Several rows in one of max_length, each attending to itself alone: less padding.",
    )  # fmt: skip
    return {"loss_strategy": strategy, "prompt_weight": weight, "packing": packing}


def show(spec: RunSpec) -> None:
    """Show a row as the model reads it: what is hidden in ink, what is learned underlined."""
    st.markdown("**What it learns**")
    try:
        found = _examined(spec.to_toml(), spec)
    except MaskvizError as error:
        st.warning(escape(str(error)))
        return
    count = found.count
    row = int(st.number_input("Row", 1, count, found.numbers[0], key="ft_lesson_row"))
    try:
        seen = found.seen(found.place_of(row))
    except MaskvizError as error:
        st.warning(escape(str(error)))
        return
    units, tail = _units(seen)
    token_strip(
        units, key=f"ft_lesson_{abs(hash(spec.to_toml()))}_{row}", label=f"Row {row}",
        tail=tail, noun="tokens",
    )  # fmt: skip
    audit = _audit(spec.to_toml(), found)
    st.caption(
        f"Underlined is what is learned: {percent(audit.learned_share, 0)} of the tokens of the "
        f"first {count} rows, with the ends of {audit.ended_turns} of {audit.turns} turns. In ink "
        "is what is hidden."
    )
    if said := taken(seen):
        st.caption(escape(f"In this row {said}"))
    for why, rows in audit.left_out.items():
        st.caption(escape(f"{rows} rows are left out: {why}"))


@st.cache_resource(max_entries=8, show_spinner=False)
def _examined(document: str, _spec: RunSpec) -> Examined:
    return Examined.of(_spec, most=_SHOWN)


@st.cache_resource(max_entries=8, show_spinner=False)
def _audit(document: str, _found: Examined) -> LossAudit:
    return _found.audit()


def _units(seen: list[Seen]) -> tuple[list[StripUnit], str]:
    """Return tokens as units of a strip, white space before each, and what stands behind all."""
    units: list[StripUnit] = []
    before = ""
    for token in seen:
        text = token.text.lstrip()
        before += token.text[: len(token.text) - len(text)]
        shown = text.rstrip()
        if shown:
            units.append(StripUnit(shown, before, token.hidden, locked=True, learned=token.weight))
            before = ""
        before += text[len(shown) :]
    return units, before
