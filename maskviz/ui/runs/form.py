"""The form of a fine-tune: widgets in, a RunSpec out."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any

import streamlit as st

from maskviz.data.groups import named_columns
from maskviz.errors import MaskvizError
from maskviz.masks.expression import asks
from maskviz.training import RunSpec
from maskviz.training.estimate import Estimate, estimate
from maskviz.training.spec.mask_spec import NO_STRATEGY
from maskviz.training.spec.spec import CAUSAL, EXAMPLE, MULTI, REGRESSION
from maskviz.ui.runs import data as runs_data
from maskviz.ui.runs import hyper as runs_hyper
from maskviz.ui.runs.fields import DEFAULTS, EXAMPLE_SET, OWN_FILE, TALKS, field, values
from maskviz.ui.shared import controls, state
from maskviz.ui.shared.page import escape
from maskviz.ui.shared.second import second_controls


def show() -> RunSpec | None:
    """Draw the form and return what it asks for, or None while no data is given."""
    data = runs_data.show()
    view = state.current()
    st.subheader("What is hidden while it learns")
    hide = field(st.toggle, "Hide words in training", "hide")
    marked = str((data or {}).get("spans_column", ""))
    if hide and marked:
        st.caption(f"Hidden is what the column {escape(marked)} marks in each row.")
    elif hide:
        controls.mask_controls(view, by_hand=False)
        second_controls(view, beside=False)
        _slow(view)
    st.subheader("Hyperparameters")
    chosen = runs_hyper.show()
    kept = _kept()
    if data is None:
        return None
    masking = _marked(data) if hide and marked else _masking(state.current(), hide)
    return RunSpec.build(
        model=view.model, seed=view.seed, name=values()["ft_name"].strip(),
        **kept, **data, **masking, **chosen,
    )  # fmt: skip


def _kept() -> dict[str, Any]:
    """Return what a cloned run was asked for beyond the form's fields, and show it."""
    kept = values().get("kept", {})
    if kept:
        said = ", ".join(f"{name} {_short(value)}" for name, value in kept.items())
        st.caption(f"As in the cloned run: {escape(said)}.")
        st.button("Drop these", on_click=values().pop, args=("kept",))
    return kept


def _short(value: Any) -> str:
    return value["strategy"] if isinstance(value, dict) and "strategy" in value else str(value)


def _beyond(spec: RunSpec) -> dict[str, Any]:
    """Return the settings of a run that the form has no field for, by their flat names."""
    plain = RunSpec()
    lacking = {
        "training": [name for name in asdict(spec.training) if f"ft_{name}" not in DEFAULTS],
        "data": ["eval_path", "eval_fraction"],
        "loss": ["cut"],
        "masking": ["matrix_parameters"],
    }
    found: dict[str, Any] = {}
    for part, names in lacking.items():
        own, usual = asdict(getattr(spec, part)), asdict(getattr(plain, part))
        found |= {name: own[name] for name in names if own[name] != usual[name]}
    if spec.evaluation:
        found["evaluation"] = asdict(spec.evaluation)
    return found


def _slow(view: state.View) -> None:
    """Say what takes the time: a strategy that asks a model about each word."""
    for choice in filter(None, [view.first, view.second if view.combined else None]):
        with suppress(MaskvizError):  # one that cannot be read: Start says so
            if asks(choice.strategy, choice.parameters):
                st.caption(
                    f"{choice.strategy} asks the model about each word of each row before it is "
                    "learned from: most of the time is for that."
                )


def _marked(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the mask that hides what a column marks."""
    operator = "delete" if data.get("task") in (CAUSAL, "seq2seq") else "mask"
    return {"strategy": "spans", "operator": operator, "dynamic": False}


def _masking(view: state.View, hide: bool) -> dict[str, Any]:
    matrix = values()["ft_matrix"]
    acting = {} if matrix == "none" else {"matrix": matrix}
    if not hide:
        return {"strategy": NO_STRATEGY, **acting}
    return {
        "strategy": view.strategy,
        "operator": view.operator,
        "ratio": view.ratio,
        "parameters": dict(view.parameters),
        "complement": view.complement,
        **({"second": view.second, "join": view.sign} if view.combined else {}),
        "dynamic": values()["ft_dynamic"],
        **acting,
    }


# estimate, clone ----------------------------------------------------------------------------


@st.cache_data(max_entries=64, ttl=300, show_spinner=False)
def estimated(document: str, _spec: RunSpec, runs_done: int) -> Estimate:
    """Return the estimate of a spec, computed anew when another run has ended."""
    return estimate(_spec)


def load(spec: RunSpec) -> None:
    """Fill the form with the settings of a run."""
    data, masking, training = spec.data, spec.masking, spec.training
    own = values()
    own |= {f"ft_{k}": getattr(training, k) for k in training.__dataclass_fields__
            if f"ft_{k}" in DEFAULTS}  # fmt: skip
    own |= {"ft_max_steps": max(0, training.max_steps), "ft_device": spec.device}
    own |= {"ft_precision": spec.precision, "ft_name": spec.name, "ft_hide": masking.active}
    if data.path == EXAMPLE and spec.task == CAUSAL:
        own["ft_source"] = TALKS
    elif data.path == EXAMPLE:
        own |= {"ft_source": EXAMPLE_SET, "ft_kind": data.kind, "ft_rows": data.max_rows or 2000}
        own["ft_strength"] = round(data.strength * 100)
    else:
        own |= {"ft_source": OWN_FILE, "upload": data.path, "columns_of": data.path}
        own |= {"ft_text": data.text_column, "ft_label": data.target_column or data.label_column}
        own["ft_labels"] = []  # found in the label column's name
        own["ft_learns"] = _learned(spec)
    own["ft_groups"] = named_columns(data.group_columns)
    own["ft_matrix"] = masking.matrix or "none"
    own |= {"ft_loss_strategy": spec.loss.strategy, "ft_prompt_weight": spec.loss.prompt_weight}
    own |= {"ft_end_of_turn": spec.loss.end_of_turn, "ft_spans": data.spans_column}
    own["ft_by_hand"] = {"of": data.path, "rows": dict(spec.loss.rows)}
    own["kept"] = _beyond(spec)
    for key in [k for k in st.session_state if str(k).startswith("ft_")]:
        del st.session_state[key]
    _load_view(spec)
    st.toast("The form has these settings now: change some, then start.")


def _learned(spec: RunSpec) -> str:
    other = {MULTI: "several", REGRESSION: "number", "seq2seq": "text", "mlm": "hidden"}
    other[CAUSAL] = "talk"
    return other.get(spec.kind, "classes")


def _load_view(spec: RunSpec) -> None:
    view = state.current()
    changes: dict[str, Any] = {"model": spec.model, "seed": spec.seed}
    if spec.masking.active and not spec.data.spans_column:
        masking = spec.masking
        changes |= {"strategy": masking.strategy, "operator": masking.operator}
        changes |= {"ratio": masking.ratio, "parameters": dict(masking.parameters), "saved": None}
        changes |= {"second": masking.second, "complement": masking.complement}
        changes |= {"sign": masking.join if masking.second else "beside"}
    state.open_view(replace(view, **{**changes, "edited": None}))
