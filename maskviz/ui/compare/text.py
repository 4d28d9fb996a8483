"""The Compare page on one text: the current mask, other strategies, a second model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress

import pandas as pd
import streamlit as st

from maskviz.errors import MaskvizError
from maskviz.evidence import Comparison, Effect, compare, compare_masks, sensitivity
from maskviz.evidence.text.compare import OPERATORS, operators_left_out, put_again
from maskviz.evidence.text.scale import Scale, shortened, visible
from maskviz.evidence.text.sentence import comparison_sentence
from maskviz.figures import compare as figures
from maskviz.masks import Mask
from maskviz.masks.expression import asks
from maskviz.models.tuned import base_of
from maskviz.readings import Prediction
from maskviz.readings.question import Spec
from maskviz.report import text_report
from maskviz.text.percent import percent
from maskviz.ui.compare.answer import show_answer, show_positions
from maskviz.ui.compare.file import long_control
from maskviz.ui.compare.turns import show_turns
from maskviz.ui.shared import fit, limits, state
from maskviz.ui.shared.asking import (
    question_controls,
    question_more,
    question_of,
    second_models,
    spec_of,
)
from maskviz.ui.shared.chart import chart
from maskviz.ui.shared.controls import operator_control, strategies_offered
from maskviz.ui.shared.conversation_control import text_or_conversation
from maskviz.ui.shared.grid import grid
from maskviz.ui.shared.notices import notices
from maskviz.ui.shared.page import errors, escape, say_unfamiliar
from maskviz.ui.shared.report_button import report_button
from maskviz.ui.shared.spoken import strategies_for
from maskviz.ui.shared.widgets import drawn

YOURS = "your mask"
_DEFAULT: tuple[str, ...] = ("random", "span", "sentence", "entity", "attribute", "key")
_FEW: tuple[str, ...] = ("random", "entity")


def show(view: state.View) -> None:
    """Answer and charts on the left, choices on the right."""
    picture, choice = st.columns([5, 3], gap="large")
    with choice:
        text_or_conversation(view, "compare")
        question_controls(view)
        names = _strategies(state.current())
        with st.expander("More"):
            question_more(state.current())
            operator_control(view)
            every = st.toggle(
                "Under five operators",
                help="Does the conclusion survive mask, delete, pad, attention and infill?",
            )
            other = _second_model(view)
            long = long_control("text_long")
    effects: list[Effect] = []
    with picture, errors():
        view = state.current()
        operator, question = view.operator, spec_of(view)
        headline = st.empty()
        with suppress(MaskvizError):  # raised again below, where it is shown
            first = compare(state.current_mask(view), view.model, operator, long, question)
            headline.markdown(f"### {escape(comparison_sentence(first))}")
        with st.spinner("Measuring whether that is more than chance …", show_time=True):
            operators = dict.fromkeys((operator, *(OPERATORS if every else ())))
            effects, left_out = _effects(view, names, tuple(operators), long, question)
        said = comparison_sentence(
            effects[0].comparison, effects[0].control, p_adjusted=effects[0].p_adjusted
        )
        headline.markdown(f"### {escape(said)}")
        _answer(view, effects)
        own = effects[0].comparison.mask
        report_button(
            lambda: text_report(own, view.model, operator, view.given, question), "compare_report"
        )
        for note in left_out:
            st.caption(note)
        if view.spoken is not None:
            show_turns(effects[0].comparison)
        if question != "labels" and long == "cut":
            show_positions(own, view.model, operator, question)
        if other:
            with errors():
                _beside(view, effects[0].comparison, other, long)
    if effects:
        _table(effects)


def _strategies(view: state.View) -> list[str]:
    """Ask for other strategies; a language model, which takes longer, begins with two."""
    default = _DEFAULT
    with suppress(MaskvizError):  # the page says it of the answer
        default = _DEFAULT if question_of(view)["name"] == "labels" else _FEW
    offered = [*strategies_for(view.spoken), *strategies_offered()]
    chosen = drawn(
        st.pills,
        "Strategies beside your mask",
        st.session_state.get("compared", list(default)),
        offered,
        selection_mode="multi",
        key="view_compared",
        wrap=True,
    )
    if chosen != list(default):
        st.session_state["compared"] = chosen
    return [name for name in offered if name in chosen]


def _second_model(view: state.View) -> str | None:
    names = second_models(view, view.operator)
    base = base_of(view.model)
    none = "none"
    options = [none, *names]
    return_value = st.selectbox(
        "Second model beside it",
        options,
        index=options.index(base) if base in options else 0,
        key=f"second_{view.model}_{view.operator}",
        accept_new_options="MASKVIZ_MODELS" not in os.environ,
        help="For instance a tuned model beside the one it came from.",
    )
    return None if return_value == none else return_value


def _effects(
    view: state.View, names: list[str], operators: tuple[str, ...], long: str, question: Spec
) -> tuple[list[Effect], list[str]]:
    """Compare the current mask and the other strategies; say which could not be drawn."""
    masks: list[tuple[str, Mask]] = [(YOURS, state.current_mask(view))]
    left_out = []
    for name in names:
        try:
            masks.append((name, _mask(view, name)))
        except MaskvizError as error:
            left_out.append(f"{name}: {escape(str(error))}")
    words = len(masks[0][1].words)
    if words > limits.ASKED:
        slow = [limits.asked(name, words) for name in names if asks(name, {})]
        above = notices(view)  # the page has said it of the mask's own strategy
        left_out += [escape(said) for said in slow if said not in above]
    empty = [name for name, m in masks[1:] if not m.spans]
    if empty:
        left_out.append(f"Nothing to hide in this text for {', '.join(empty)}.")
    kept = tuple((name, m) for name, m in masks if m.spans or name == YOURS)
    if len(operators) > 1:
        reasons = operators_left_out(kept[0][1], view.model, operators, long, question)
        left_out += [escape(reason) for reason in reasons]
    return _compared(kept, view.model, operators, long, question), left_out


def _mask(view: state.View, name: str) -> Mask:
    other = state.View(view.text, name, seed=view.seed, model=view.model, question=view.question)
    return state.strategy_mask(other)


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs={Mask: lambda m: m.to_json()})
def _compared(
    masks: tuple[tuple[str, Mask], ...],
    model: str,
    operators: tuple[str, ...],
    long: str,
    question: Spec,
) -> list[Effect]:
    return compare_masks(masks, model, operators, long=long, question=question)


def _answer(view: state.View, effects: list[Effect]) -> None:
    first = effects[0]
    if first.comparison.notice:
        st.warning(escape(first.comparison.notice), icon="✂️")
    say_unfamiliar(view)
    show_answer(first.comparison, first.control)
    shown = escape(Scale.of(first.comparison).name)
    st.markdown(f"**Each strategy beside chance: {shown} when it hides its words**")
    operator = first.comparison.operator
    own = [e for e in effects if e.comparison.operator == operator]
    chart(figures.strategies(own), "strategies")
    if len(own) < len(effects):
        _sensitivity(effects)


def _table(effects: list[Effect]) -> None:
    """Every figure of every strategy and operator."""
    first, scale = effects[0].comparison, Scale.of(effects[0].comparison)
    several = any(e.comparison.operator != first.operator for e in effects)
    grid(
        pd.DataFrame([_row(e, several) for e in effects]), "comparison",
        column_config={
            "p": st.column_config.NumberColumn(
                scale.name, format="percent" if scale.bounded else f"%{scale.digits}"
            ),
            **_COLUMNS,
            "change": _CHANGE
            if scale.bounded
            else st.column_config.NumberColumn(
                f"change, {scale.unit}".rstrip(", "), format=f"%+{scale.digits}"
            ),
        },
    )  # fmt: skip


def _sensitivity(effects: list[Effect]) -> None:
    """Strategies × operators, and whether what they show survives the operator."""
    said = _survives({name: one.conclusions for name, one in sensitivity(effects).items()})
    st.markdown(f"**{escape(said)}**")
    chart(figures.grid(effects), "grid")
    scale = Scale.of(effects[0].comparison)
    if scale.kind == "value":
        st.caption("Change of the value; \\* lies beyond chance.")
    else:
        what = "Δp of the plain label" if scale.bounded else f"Change of {escape(scale.name)}"
        st.caption(f"{what}; \\* lies beyond chance, F flips the answer.")


def _survives(found: Mapping[str, Mapping[str, str]]) -> str:
    """Say for which masks all operators lead to the same; found: mask → operator → conclusion."""
    alike = {name: own for name, own in found.items() if len(set(own.values())) == 1}
    said: list[str] = []
    for what, conclusions in _CONCLUDED.items():
        names = [n for n, own in alike.items() if next(iter(own.values())) in conclusions]
        if names:
            said.append(f"{what} {', '.join(names)}")
    shaky = [name for name in found if name not in alike]
    if shaky:
        said.append(f"What is found depends on the operator for {', '.join(shaky)}")
    return ". ".join(said) + "."


_CONCLUDED = {
    "Beyond chance in the same way under every operator:": ("flips", "lowers", "raises"),
    "Under no operator told apart from chance:": ("as chance",),
    "No verdict under any operator for": ("no verdict",),
    "Nothing to hide for": ("hides nothing",),
}
_CHANGE = st.column_config.NumberColumn(
    "Δp, points", format="%+.1f", help="Masked − plain, in percentage points."
)
_COLUMNS = {
    "hidden": st.column_config.NumberColumn("hidden words", format="percent"),
    "beyond chance": st.column_config.TextColumn(
        help="Whether the answer moves further than under other masks of the same kind and size, "
        "at 5 % with p allowing for all rows (Holm); – where there are too few of these, or the "
        "words were chosen for their effect."
    ),
    "chance, 95 %": st.column_config.TextColumn(
        help="The middle 95 % of p under the other masks."
    ),
    "chance flips": st.column_config.TextColumn(
        help="How many of the other masks change the answer."
    ),
    "rank": st.column_config.TextColumn(
        help="The place among all masks that were asked, 1 moves the answer furthest."
    ),
    "Δlogit": st.column_config.NumberColumn(format="%+.2f", help="Change of ln(p / (1 − p))."),
    "KL": st.column_config.NumberColumn(
        "KL, nats", format="%.3f",
        help="How far all probabilities move (Kullback–Leibler divergence): 0 is not at all.",
    ),
}  # fmt: skip


def _row(effect: Effect, several_operators: bool) -> dict[str, object]:
    """Return a row of the table; a regression has neither a label that flips nor a logit."""
    c, scale = effect.comparison, Scale.of(effect.comparison)
    regression = scale.kind == "value"
    change = scale.change(c)
    row = {
        "strategy": effect.name,
        "operator": c.operator if several_operators else None,
        "hidden": c.mask.realised_ratio,
        "answer": None if regression else _answered(c),
        "flips": None if regression else "yes" if c.flip else "no",
        "beyond chance": _verdict(effect),
        "rank": f"{effect.control.rank} of {effect.control.draws + 1}",
        "p": scale.value(c.masked),
        "change": round(100 * change, 1) + 0.0 if scale.bounded else change,  # no −0
        "chance, 95 %": _range(effect),
        "chance flips": None if regression else _flips(effect),
        "Δlogit": c.delta_logit[scale.label] if scale.bounded else None,
        "KL": c.kl,
    }
    return {name: value for name, value in row.items() if value is not None}


def _verdict(effect: Effect) -> str:
    if effect.p_adjusted is None:
        return "–"
    return f"{'yes' if effect.beyond_chance else 'no'}, p = {effect.p_adjusted:.2g}"


def _flips(effect: Effect) -> str:
    known = effect.control.draws and effect.control.flips == effect.control.flips
    return percent(effect.control.flips) if known else "–"


def _range(effect: Effect) -> str:
    """The middle 95 % of chance: in percent, or in the figure's own unit."""
    scale = Scale.of(effect.comparison)
    low, high, _ = scale.band(effect.control)
    if not effect.control.draws:
        return "–"
    if not scale.bounded:
        return f"{scale.said(low)} to {scale.said(high)}"
    return f"{100 * low:.1f} to {100 * high:.1f}\u00a0%"


def _beside(view: state.View, first: Comparison, other: str, long: str) -> None:
    """The same text, mask and question under a second model."""
    with st.spinner("Asking the second model …", show_time=True):
        second = compare(
            first.mask, other, fit.operator(other, view.operator), long, put_again(first)
        )
    st.markdown(f"**{escape(view.model)} beside {escape(other)}**")
    rows: list[dict[str, object]] = [
        {"model": c.model, "plain": _said(c, c.original), "masked": _said(c, c.masked)}
        | ({} if c.kl is None else {"flips": "yes" if c.flip else "no", "KL, nats": round(c.kl, 3)})
        for c in (first, second)
    ]
    grid(pd.DataFrame(rows), "two-models")


def _said(comparison: Comparison, answer: Prediction) -> str:
    if not comparison.subject:
        value = answer.confidence
        return f"{answer.label} {f'{value:.3f}' if comparison.valued else percent(value)}"
    scale = Scale.of(comparison)
    return f"{scale.name} {scale.said(scale.value(answer))}"


def _answered(comparison: Comparison) -> str:
    """Return what the model answers under the mask, as a cell has it."""
    detail = comparison.detail
    if "generation" in detail:
        return shortened(detail["generation"]["masked"], 40)
    if "next" in detail:
        return visible(detail["next"][1]["text"])
    return ", ".join(comparison.masked.chosen) or "(none)"
