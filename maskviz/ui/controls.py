"""The controls that choose a mask: strategy, ratio, seed and what a strategy takes besides."""

from __future__ import annotations

from typing import Any

import streamlit as st

from maskviz.masks import OPERATORS, STRATEGIES
from maskviz.masks.registry import Parameter, Strategy
from maskviz.ui import state

_RATIO_HELP = {
    "budgeted": "How much to hide, as a share of all words.",
    "bernoulli": "The probability that a token is hidden.",
    "exhaustive": "At most this share of the words is hidden; 100 % hides all that matches.",
}


def text_box(view: state.View) -> None:
    """The text, editable."""
    st.session_state.setdefault("view_text", view.text)
    st.text_area("Text", key="view_text", height=150, on_change=_take, args=("text",))


def mask_controls(view: state.View) -> None:
    """Strategy, ratio and seed in sight; all else under More."""
    entry = STRATEGIES[view.strategy]
    st.session_state.setdefault("view_strategy", view.strategy)
    st.pills(
        "Strategy",
        list(STRATEGIES),
        key="view_strategy",
        on_change=_take_strategy,
        required=True,
        wrap=True,
    )
    st.caption(entry.summary)
    for parameter in entry.parameters:
        _parameter(view, entry, parameter)
    if entry.kind != "manual":
        left, right = st.columns([3, 2], vertical_alignment="bottom")
        with left:
            _ratio(view, entry)
        with right:
            st.session_state.setdefault("view_seed", view.seed)
            st.number_input(
                "Seed", 0, 2**31 - 1, key="view_seed", on_change=_take, args=("seed",),
                help="The same text, settings and seed give the same mask.",
            )  # fmt: skip
    with st.expander("More"):
        operator_control(view)


def operator_control(view: state.View) -> None:
    """How the mask reaches the model."""
    st.session_state.setdefault("view_operator", view.operator)
    st.selectbox(
        "Operator",
        list(OPERATORS),
        key="view_operator",
        on_change=_take,
        args=("operator",),
        help="\n".join(f"- **{o.name}**: {o.summary}" for o in OPERATORS.values()),
    )
    st.caption(OPERATORS[view.operator].summary)


def _ratio(view: state.View, entry: Strategy) -> None:
    share = view.ratio if view.ratio is not None else entry.default_ratio
    percent = 100 if share is None else round(100 * share)
    st.session_state.setdefault("view_ratio", percent)
    st.slider(
        "At most" if entry.kind == "exhaustive" else "Ratio",
        0,
        100,
        key="view_ratio",
        format="%d %%",
        on_change=_take_ratio,
        help=_RATIO_HELP[entry.kind],
    )


def _parameter(view: state.View, entry: Strategy, parameter: Parameter) -> None:
    """Draw the widget that a parameter's kind asks for."""
    if parameter.name == "model" or len(parameter.choices) == 1:
        return  # the model is the page's; a single choice is none
    key = f"view_p_{entry.name}_{parameter.name}"
    value = view.parameters.get(parameter.name, parameter.default)
    options: dict[str, Any] = {
        "key": key,
        "on_change": _take_parameter,
        "args": (entry.name, parameter),
        "help": parameter.help,
    }
    label = parameter.name.capitalize()
    if parameter.kind == "choices":
        st.session_state.setdefault(key, list(value))
        st.pills(label, parameter.choices, selection_mode="multi", wrap=True, **options)
    elif parameter.kind == "choice":
        st.session_state.setdefault(key, value)
        st.selectbox(label, parameter.choices, **options)
    elif parameter.kind == "number":
        st.session_state.setdefault(key, float(value))
        st.number_input(label, **options)
    else:
        shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        st.session_state.setdefault(key, shown)
        st.text_input(label, placeholder=parameter.help, **options)


def _take(name: str) -> None:
    state.update(**{name: st.session_state[f"view_{name}"]})


def _take_strategy() -> None:
    state.update(strategy=st.session_state["view_strategy"], ratio=None, parameters={}, saved=None)
    st.session_state.pop("view_ratio", None)


def _take_ratio() -> None:
    percent = st.session_state["view_ratio"]
    exhaustive = STRATEGIES[state.current().strategy].kind == "exhaustive"
    state.update(ratio=None if exhaustive and percent == 100 else percent / 100, saved=None)


def _take_parameter(strategy: str, parameter: Parameter) -> None:
    value = st.session_state[f"view_p_{strategy}_{parameter.name}"]
    if parameter.kind == "integers":
        value = _integers(value)
    elif parameter.kind == "choices":
        value = list(value)
    state.update(parameters={**state.current().parameters, parameter.name: value}, saved=None)


def _integers(written: str) -> list[int]:
    """Read `1, 3`; anything that is no number is left out and said so."""
    items = [item.strip() for item in written.split(",") if item.strip()]
    wrong = [item for item in items if not item.isdecimal()]
    if wrong:
        st.toast(f"{wrong[0][:20]!r} is no whole number and is left out: write such as 1, 3.")
    return [int(item) for item in items if item.isdecimal()]
