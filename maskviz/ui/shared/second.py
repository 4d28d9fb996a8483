"""A second strategy on the same text: beside the first, or joined to it."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import streamlit as st

from maskviz.figures.theme import colours_of
from maskviz.masks import JOINS, STRATEGIES, Choice, Mask
from maskviz.masks.audit import jaccard
from maskviz.masks.registry import for_plain_texts
from maskviz.text.percent import percent
from maskviz.ui.components.token_strip import token_strip
from maskviz.ui.shared import controls, state
from maskviz.ui.shared.page import escape
from maskviz.ui.shared.strip import strip_units
from maskviz.ui.shared.widgets import drawn

_SLOT = "view_2_"


def second_controls(view: state.View, beside: bool = True) -> None:
    """The second strategy, how it joins the first, and what it takes.

    beside: whether it may also stand beside the first, without joining it.
    """
    with st.expander("A second strategy", expanded=view.second is not None):
        name = view.second.strategy if view.second else None
        drawn(
            st.selectbox, "Second strategy", name, list(for_plain_texts()), key=f"{_SLOT}strategy",
            placeholder="choose one", on_change=_take_strategy, label_visibility="collapsed",
        )  # fmt: skip
        if view.second is None:
            more = "Compare two strategies on this text, or combine them."
            st.caption(more if beside else "Combine it with the first: or, and, minus.")
            return
        entry = STRATEGIES[view.second.strategy]
        st.caption(entry.summary)
        _joins(view, beside)
        controls.choice_controls(view.second, entry, _SLOT)
        controls.folded_controls(view.second, entry, _SLOT)


def _joins(view: state.View, beside: bool) -> None:
    signs = list(state.SIGNS if beside else JOINS)
    key = f"{_SLOT}sign" if beside else f"{_SLOT}join"
    sign = view.sign if view.sign in signs else None
    drawn(
        st.segmented_control, "How it joins the first", sign, signs, key=key,
        required=sign is not None, on_change=_take_sign, args=(key,), width="stretch",
    )  # fmt: skip
    unused = f"Not used so far: choose how it joins {view.strategy}."
    st.caption(state.SIGNS[view.sign] if view.sign in signs else escape(unused))


def _take_strategy() -> None:
    name = st.session_state[f"{_SLOT}strategy"]
    state.update(second=Choice(name) if name else None)
    st.session_state.pop(f"{_SLOT}ratio", None)
    st.session_state.pop(f"{_SLOT}seed", None)


def _take_sign(key: str) -> None:
    state.update(sign=st.session_state[key] or "beside")


def second_strip(view: state.View, chosen: Mask, shown: int) -> None:
    """The second strategy's own mask under the first's, and how far the two agree."""
    if view.second is None:
        return
    name = view.second.strategy
    other = state.mask_of(view, view.second)
    st.markdown(f"**{escape(name)} alone**")
    text_hash = hashlib.sha256(view.text.encode()).hexdigest()[:16]
    token_strip(
        [replace(unit, locked=True) for unit in strip_units(other, other.words[:shown])],
        key=f"beside_{text_hash}",
        label=f"The text as {name} alone masks it",
        revision=str(hash(other)),
        tail=view.text[other.words[-1][1] :],
        more=len(other.words) > shown,
        colours=colours_of({s.label for s in other.spans if s.label}),
    )
    if view.combined:
        said = _agreement(view.strategy, state.mask_before_joining(view), name, other)
    else:
        said = _agreement("your mask", chosen, name, other)
    st.caption(escape(said))


def _agreement(one: str, first: Mask, two: str, second: Mask) -> str:
    """Say how many words each hides, and how many are the same."""
    both = len(set(first.hidden_words) & set(second.hidden_words))
    words = f"{len(second.words):,} word{'s' * (len(second.words) != 1)}"
    hides = f"{two} hides {len(second.hidden_words):,} of {words}, {one} "
    if not (first.hidden_words or second.hidden_words):
        return f"{hides}none: there is nothing to compare."
    same = f"{both:,} {'is' if both == 1 else 'are'} the same"
    alike = percent(jaccard(first, second))
    return f"{hides}{len(first.hidden_words):,}; {same} (Jaccard {alike})."
