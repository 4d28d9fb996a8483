"""What a decoder learns: its settings on the form, and a row with what is hidden and learned."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import streamlit as st

from maskviz.errors import MaskvizError
from maskviz.masks.loss import Change, clicked, clicked_here
from maskviz.text.percent import percent
from maskviz.training import RunSpec
from maskviz.training.loss_audit import Examined, LossAudit, Seen, taken
from maskviz.ui.components.token_strip import StripUnit, edited_units, token_strip
from maskviz.ui.runs.fields import field, values
from maskviz.ui.shared.page import escape

_SHOWN_STRIP = "lesson_strip"  # the strip of the last run of the page, for a click in it
_SHOWN = 40  # rows that may be looked at here; `maskviz audit --loss` reads them all


HERE, EVERYWHERE = "this row", "all rows"  # what a click changes


def fields(path: str) -> dict[str, Any]:
    """Ask what is learned, and whether rows are packed; a click in the strip below counts first.

    path: of the rows, to which changes by hand belong.
    """
    _take_click(path)
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
        "end_of_turn": ends, **_by_hand(path),
    }  # fmt: skip


def _take_click(path: str) -> None:
    """Let a clicked word be learned, or no longer, before the field that says so is drawn."""
    shown = values().pop(_SHOWN_STRIP, None)
    if shown is None:
        return
    key, words, hidden, learned, starts, row = shown
    edit = edited_units(key, len(words))
    turned = set() if edit is None else set(edit) ^ set(hidden)
    for i in sorted(turned)[:1]:
        if not words[i]:
            continue
        if values()["ft_click"] == HERE:
            change = Change(starts[i], words[i], not learned[i])
            keep_by_hand(path, clicked_here(_rows_by_hand(path), row, change))
        else:
            strategy = clicked(values()["ft_loss_strategy"], words[i], learned[i])
            values()["ft_loss_strategy"] = st.session_state["ft_loss_strategy"] = strategy


def keep_by_hand(path: str, rows: Mapping[str, Any]) -> None:
    """Keep what was changed by hand in single rows of a file."""
    values()["ft_by_hand"] = {"of": path, "rows": dict(rows)}


def _rows_by_hand(path: str) -> dict[str, Any]:
    kept = values()["ft_by_hand"]
    return dict(kept["rows"]) if kept["of"] == path else {}


def _by_hand(path: str) -> dict[str, Any]:
    """Say which rows were changed by hand, and let that be taken back."""
    rows = _rows_by_hand(path)
    if not rows:
        return {}
    numbers = ", ".join(sorted(rows, key=int)[:12])
    said, button = st.columns([3, 1], vertical_alignment="center")
    said.caption(f"Changed by hand, in these rows alone: {numbers}.")
    button.button("Take back", on_click=keep_by_hand, args=(path, {}), key="ft_take_back")
    return {"loss_rows": rows}


def show(spec: RunSpec) -> None:
    """Show a row as the model reads it: what is hidden in ink, what is learned underlined."""
    st.markdown("**What it learns**")
    try:
        found = _examined(spec.to_toml(), spec)
    except MaskvizError as error:
        st.warning(escape(str(error)))
        return
    count = found.count
    number, click = st.columns(2)
    with number:
        row = int(st.number_input("Row", 1, count, found.numbers[0], key="ft_lesson_row"))
    with click:
        field(st.segmented_control, "A click changes", "click", [HERE, EVERYWHERE], required=True)
    try:
        seen = found.seen(found.place_of(row))
    except MaskvizError as error:
        st.warning(escape(str(error)))
        return
    units, words, starts, tail = _units(seen)
    key = f"ft_lesson_{sha256(spec.to_toml().encode()).hexdigest()[:12]}_{row}"
    token_strip(units, key=key, label=f"Row {row}", tail=tail, noun="tokens")
    hidden = [i for i, unit in enumerate(units) if unit.hidden]
    values()[_SHOWN_STRIP] = (key, words, hidden, [unit.learned > 0 for unit in units], starts, row)
    audit = _audit(spec.to_toml(), found)
    st.caption(_learned(audit.learned_share, count, audit.ended_turns, audit.turns))
    if said := taken(seen):
        st.caption(escape(f"In this row {said}"))
    for why, rows in audit.left_out.items():
        st.caption(escape(f"{rows} {'row is' if rows == 1 else 'rows are'} left out: {why}"))


def _learned(share: float, rows: int, ended: int, turns: int) -> str:
    """Say what is learned of the rows that are shown."""
    of = f"the first {rows} rows" if rows != 1 else "the one row"
    ends = f", with the ends of {ended} of {turns} turn{'s' * (turns != 1)}" if turns else ""
    return (
        f"Underlined is what is learned: {percent(share)} of the tokens of {of}{ends}. In ink is "
        "what is hidden. A click on a word lets it be learned, or no longer: at this place of this "
        "row alone, or in all rows, where the field *Learns* says how."
    )


@st.cache_resource(max_entries=8, show_spinner=False)
def _examined(document: str, _spec: RunSpec) -> Examined:
    return Examined.of(_spec, most=_SHOWN)


@st.cache_resource(max_entries=8, show_spinner=False)
def _audit(document: str, _found: Examined) -> LossAudit:
    return _found.audit()


def _units(seen: list[Seen]) -> tuple[list[StripUnit], list[str], list[int], str]:
    """Return tokens as units of a strip, the word of each, its place, and what stands behind all.

    What the template writes is locked: no strategy is asked about it.
    """
    units: list[StripUnit] = []
    words: list[str] = []
    starts: list[int] = []
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
            starts.append(token.start)
            before = ""
        before += text[len(shown) :]
    return units, words, starts, before
