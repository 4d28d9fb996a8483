"""The controls that choose a mask: strategy, ratio, seed and what a strategy takes besides."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import streamlit as st

from maskviz.errors import MaskvizError, ParameterError
from maskviz.masks import OPERATORS, STRATEGIES, Choice
from maskviz.masks.choose import checked_parameter
from maskviz.masks.expression import is_expression, needs
from maskviz.masks.registry import Parameter, Strategy, for_plain_texts
from maskviz.text import Document
from maskviz.text.languages import LANGUAGES
from maskviz.text.pipelines import BUNDLED
from maskviz.text.remarks import language_line, remarks
from maskviz.ui.shared import fit, state
from maskviz.ui.shared.page import escape
from maskviz.ui.shared.widgets import drawn

COMMON = ("random", "span", "sentence", "entity", "attribute", "key", "pattern", "manual")
NEED_INPUT = ("pattern", "manual")  # they hide nothing until the user says what
FIRST = "view_"  # what the keys of the first strategy's widgets begin with
CHAT = "view_chat_"  # and those of the Chat page's
_RATIO_HELP = {
    "budgeted": "How much to hide, as a share of all words.",
    "bernoulli": "The probability that a token is hidden.",
    "exhaustive": "At most this share of the words is hidden; 100 % hides all that matches.",
}


def strategies_offered() -> list[str]:
    """Return the strategies that hide something of a plain text without more being said."""
    return [name for name in for_plain_texts() if name not in NEED_INPUT]


def text_box(view: state.View) -> None:
    """The text, editable."""
    # Set anew each time: back on a page, the browser shows no value that was only kept.
    st.session_state["view_text"] = view.text
    drawn(
        st.text_area, "Text", view.text, key="view_text", height=150, on_change=_take,
        args=("text",),
    )  # fmt: skip
    language_control(view)


def language_control(view: state.View) -> None:
    """The language of the text in one quiet line, with what it lacks here; a click changes it."""
    if not view.text.strip():
        return
    document = Document(view.text, view.parameters.get("pipeline") or BUNDLED, spoken=view.language)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(escape(language_line(document)))
        with st.popover("Change", type="tertiary", help="Another language than the one found."):
            st.session_state["view_language"] = view.language
            drawn(
                st.selectbox,
                "Language of the text",
                view.language,
                ["", *sorted(LANGUAGES, key=LANGUAGES.__getitem__)],
                key="view_language",
                format_func=lambda code: LANGUAGES.get(code, "found by itself"),
                on_change=_take,
                args=("language",),
            )
    with suppress(MaskvizError):  # a strategy that cannot be read: its own error says so
        for sentence in remarks(document, needs(view.strategy) if view.saved is None else ()):
            st.caption(escape(sentence))


def mask_controls(view: state.View, by_hand: bool = True) -> None:
    """Strategy, ratio and seed in sight; all else under More.

    by_hand: whether words may be chosen by clicks, as on one text.
    """
    combined = is_expression(view.strategy)
    entry = None if combined else STRATEGIES[view.strategy]
    _strategy(view, entry, COMMON if by_hand else COMMON[:-1])
    st.caption("Several strategies, combined." if entry is None else entry.summary)
    choice_controls(view.first, entry)
    with st.expander("More", expanded=combined):
        folded_controls(view.first, entry)
        _more_strategies(view, combined)
        drawn(
            st.checkbox,
            "Hide all else (complement)",
            view.complement,
            key="view_complement",
            on_change=_take,
            args=("complement",),
            help="Keeps what the strategy would hide, and hides the rest.",
        )
        operator_control(view)


def choice_controls(choice: Choice, entry: Strategy | None, slot: str = FIRST) -> None:
    """What a strategy takes: its own parameters, ratio and seed. `slot` is whose they are."""
    if entry is not None:
        _parameters(choice, entry, slot, folded=False)
    if entry is not None and entry.kind == "manual":
        return
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        _ratio(choice, entry, slot)
    with right:
        drawn(
            st.number_input, "Seed", choice.seed, 0, state.SEEDS, key=f"{slot}seed",
            on_change=_take_seed, args=(slot,),
            help="The same text, settings and seed give the same mask.",
        )  # fmt: skip


def folded_controls(choice: Choice, entry: Strategy | None, slot: str = FIRST) -> None:
    """What a strategy takes and few need: drawn among what is folded away."""
    if entry is not None:
        _parameters(choice, entry, slot, folded=True)


def _parameters(choice: Choice, entry: Strategy, slot: str, folded: bool) -> None:
    for parameter in fit.parameters(state.current().model, entry):
        if parameter.folded is folded:
            _parameter(choice, entry, parameter, slot)


def change(slot: str, **changes: Any) -> None:
    """Replace values of the first strategy, of the second, or of the conversation's."""
    view, choice = state.current(), choice_of(slot)
    if slot == FIRST:
        state.update(**changes, saved=None)
    elif choice is not None and slot == CHAT and view.chat is not None:
        state.update(chat=view.chat.choosing(choice=replace(choice, **changes)))
    elif choice is not None:
        state.update(second=replace(choice, **changes))


def choice_of(slot: str) -> Choice | None:
    """Return the choice whose widgets begin with `slot`."""
    view = state.current()
    if slot == CHAT:
        return view.chat.choice if view.chat else None
    return view.first if slot == FIRST else view.second


def _strategy(view: state.View, entry: Strategy | None, common: Sequence[str]) -> None:
    """The common strategies as chips, and the chosen one where it is another."""
    offered = [*common, *([entry.name] if entry and entry.name not in common else [])]
    drawn(
        st.pills,
        "Strategy",
        entry.name if entry else None,
        offered,
        key="view_strategy",
        on_change=_take_strategy,
        args=("view_strategy",),
        required=entry is not None,
        wrap=True,
    )


def _more_strategies(view: state.View, combined: bool) -> None:
    """The other strategies, and several combined in one line."""
    others = [name for name in for_plain_texts() if name not in COMMON]
    drawn(
        st.selectbox,
        "Other strategies",
        view.strategy if view.strategy in others else None,
        others,
        key="view_other",
        on_change=_take_strategy,
        args=("view_other",),
        placeholder="choose one",
        help="\n".join(f"- **{name}**: {STRATEGIES[name].summary}" for name in others),
    )
    drawn(
        st.text_input,
        "Strategies in one expression",
        view.strategy if combined else "",
        key="view_combined",
        on_change=_take_strategy,
        args=("view_combined",),
        placeholder="entity - pattern:/the/",
        help="`a | b` hides both, `a & b` what both hide, `a - b` the rest, `~a` all else; "
        "a colon adds the types, the ratio or the /pattern/.",
    )


def operator_control(view: state.View) -> None:
    """How the mask reaches the model."""
    offered = fit.operators(view.model)
    if st.session_state.get("view_operator") not in offered:
        st.session_state["view_operator"] = view.operator
    drawn(
        st.selectbox,
        "Operator",
        view.operator,
        offered,
        key="view_operator",
        on_change=_take,
        args=("operator",),
        help=_operator_help(offered),
    )
    st.caption(OPERATORS[view.operator].summary)


def operator_control_of(chosen: str, key: str, model: str) -> str:
    """Choose an operator of a model for one form alone; return its name."""
    offered = fit.operators(model)
    return st.selectbox(
        "Operator",
        offered,
        offered.index(fit.operator(model, chosen)),
        key=f"{key}_{'_'.join(offered)}",
        help=_operator_help(offered),
    )


def _operator_help(offered: Sequence[str]) -> str:
    return "\n".join(f"- **{name}**: {OPERATORS[name].summary}" for name in offered)


def _ratio(choice: Choice, entry: Strategy | None, slot: str) -> None:
    """The share to hide; strategies that are combined take it where they have a budget."""
    kind, default = (entry.kind, entry.default_ratio) if entry else ("budgeted", 0.15)
    share = choice.ratio if choice.ratio is not None else default
    percent = 100 if share is None else round(100 * share)
    drawn(
        st.slider,
        "At most" if kind == "exhaustive" else "Ratio",
        percent,
        0,
        100,
        key=f"{slot}ratio",
        format="%d %%",
        on_change=_take_ratio,
        args=(slot, kind),
        help=_RATIO_HELP[kind],
    )


def _parameter(choice: Choice, entry: Strategy, parameter: Parameter, slot: str = FIRST) -> None:
    """Draw the widget that a parameter's kind asks for."""
    if parameter.name in ("model", "data"):
        return  # the model is the page's own; a page does not open the server's files
    key = f"{slot}p_{entry.name}_{parameter.name}"
    value = _shown_value(choice, entry, parameter)
    options: dict[str, Any] = {
        "key": key,
        "on_change": _take_parameter,
        "args": (slot, key, parameter),
        "help": parameter.help,
    }
    label = parameter.label or parameter.name.capitalize()
    if parameter.kind == "choices":
        drawn(
            st.pills,
            label,
            list(value),
            parameter.choices,
            selection_mode="multi",
            wrap=True,
            **options,
        )
    elif parameter.kind == "choice":
        drawn(st.selectbox, label, value, parameter.choices, **options)
    elif parameter.kind == "number":
        drawn(st.number_input, label, float(value), step=parameter.step, format="%g", **options)
    else:
        shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        drawn(st.text_input, label, shown, placeholder=parameter.help, **options)


def _shown_value(choice: Choice, entry: Strategy, parameter: Parameter) -> Any:
    """Return the value a widget can show; the mask itself says what is wrong with another."""
    value = choice.parameters.get(parameter.name, parameter.default)
    try:
        checked_parameter(entry, parameter, value)
    except ParameterError:
        return parameter.default
    if parameter.kind == "choices":
        return [item for item in value if item in parameter.choices]
    if parameter.kind == "choice" and value not in parameter.choices:
        return parameter.default
    return value


def _take(name: str) -> None:
    view = state.update(**{name: st.session_state[f"view_{name}"]})
    if view.given:  # the box holds what is read
        st.session_state["view_text"] = view.text


def _take_strategy(key: str) -> None:
    chosen = st.session_state[key]
    if not chosen or not chosen.strip():
        return
    state.update(strategy=chosen.strip(), ratio=None, parameters={}, saved=None)
    for other in ("view_ratio", "view_strategy", "view_other", "view_combined"):
        if other != key:
            st.session_state.pop(other, None)


def _take_seed(slot: str) -> None:
    change(slot, seed=st.session_state[f"{slot}seed"])


def _take_ratio(slot: str, kind: str) -> None:
    percent = st.session_state[f"{slot}ratio"]
    whole = kind == "exhaustive" and percent == 100
    change(slot, ratio=None if whole else percent / 100)


def _take_parameter(slot: str, key: str, parameter: Parameter) -> None:
    value = st.session_state[key]
    if parameter.kind == "integers":
        value = _integers(value)
    elif parameter.kind == "choices":
        value = list(value)
    choice = choice_of(slot)
    if choice is not None:
        change(slot, parameters={**choice.parameters, parameter.name: value})


def _integers(written: str) -> list[int]:
    """Read `1, 3`; anything that is no number is left out and said so."""
    items = [item.strip() for item in written.split(",") if item.strip()]
    wrong = [item for item in items if not item.isdecimal()]
    if wrong:
        st.toast(
            f"{escape(repr(wrong[0][:20]))} is no whole number and is left out: write such as 1, 3."
        )
    return [int(item) for item in items if item.isdecimal()]
