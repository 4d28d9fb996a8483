"""What a decoder learns: its settings on the form, and a row with what is hidden and learned."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import streamlit as st

from maskviz.errors import MaskvizError
from maskviz.masks.loss import clicked
from maskviz.text.percent import percent
from maskviz.training import RunSpec
from maskviz.training.loss_audit import Examined, LossAudit, Seen, taken
from maskviz.ui.components.token_strip import StripUnit, edited_units, token_strip
from maskviz.ui.runs.fields import field, values
from maskviz.ui.shared.page import escape

_SHOWN_STRIP = "lesson_strip"  # the strip of the last run of the page, for a click in it
_SHOWN = 40  # rows that may be looked at here; `maskviz audit --loss` reads them all


def fields() -> dict[str, Any]:
    """Ask what is learned, and whether rows are packed; a click in the strip below counts first."""
    _take_click()
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
    with left:
        ends = field(
            st.toggle, "Learns where to stop", "end_of_turn",
            help="The end marks of turns that are learned whole.",
        )  # fmt: skip
    with right:
        packing = field(
            st.toggle, "Pack rows", "packing",
            help="Several rows in one of max_length, each attending to itself alone: less padding.",
        )  # fmt: skip
    return {
        "loss_strategy": strategy, "prompt_weight": weight, "packing": packing,
        "end_of_turn": ends,
    }  # fmt: skip


def _take_click() -> None:
    """Let a clicked word be learned, or no longer, before the field that says so is drawn."""
    shown = values().pop(_SHOWN_STRIP, None)
    if shown is None:
        return
    key, words, hidden, learned = shown
    edit = edited_units(key, len(words))
    turned = set() if edit is None else set(edit) ^ set(hidden)
    for i in sorted(turned)[:1]:
        if words[i]:
            strategy = clicked(values()["ft_loss_strategy"], words[i], learned[i])
            values()["ft_loss_strategy"] = st.session_state["ft_loss_strategy"] = strategy


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
    units, words, tail = _units(seen)
    key = f"ft_lesson_{sha256(spec.to_toml().encode()).hexdigest()[:12]}_{row}"
    token_strip(units, key=key, label=f"Row {row}", tail=tail, noun="tokens")
    hidden = [i for i, unit in enumerate(units) if unit.hidden]
    values()[_SHOWN_STRIP] = (key, words, hidden, [unit.learned > 0 for unit in units])
    audit = _audit(spec.to_toml(), found)
    st.caption(
        f"Underlined is what is learned: {percent(audit.learned_share, 0)} of the tokens of the "
        f"first {count} rows, with the ends of {audit.ended_turns} of {audit.turns} turns. In ink "
        "is what is hidden. A click on a word lets it be learned in all rows, or no longer: the "
        "field *Learns* says how."
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


def _units(seen: list[Seen]) -> tuple[list[StripUnit], list[str], str]:
    """Return tokens as units of a strip, the word of each, and what stands behind all.

    What the template writes is locked: no strategy is asked about it.
    """
    units: list[StripUnit] = []
    words: list[str] = []
    before = ""
    for token in seen:
        text = token.text.lstrip()
        before += token.text[: len(token.text) - len(text)]
        shown = text.rstrip()
        if shown:
            locked = not token.word
            units.append(
                StripUnit(shown, before, token.hidden, locked=locked, learned=token.weight)
            )
            words.append(token.word)
            before = ""
        before += text[len(shown) :]
    return units, words, before
