"""The form of a fine-tune: widgets in, a RunSpec out."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from maskviz.data import guess_columns, make_example, preview
from maskviz.data.distractor import KINDS
from maskviz.data.uploads import keep
from maskviz.errors import DataError, MaskvizError
from maskviz.masks.expression import asks
from maskviz.masks.matrices import MATRICES
from maskviz.training import RunSpec
from maskviz.training.estimate import Estimate, estimate
from maskviz.training.mask_spec import NO_STRATEGY
from maskviz.training.spec import (
    CLASS_WEIGHTS,
    DEVICES,
    EXAMPLE,
    MULTI,
    PRECISIONS,
    REGRESSION,
    SCHEDULES,
)
from maskviz.ui import controls, state
from maskviz.ui.page import escape
from maskviz.ui.second import second_controls

_EXAMPLE, _UPLOAD = "Example set", "My own file"
_DEFAULTS: dict[str, Any] = {
    "ft_source": _EXAMPLE,
    "ft_kind": "name",
    "ft_strength": 90,
    "ft_rows": 2000,
    "ft_hide": True,
    "ft_learns": "classes",
    "ft_early_stopping_patience": 0,
    "ft_class_weights": "none",
    "ft_lora_r": 0,
    "ft_torch_compile": False,
    "ft_gradient_checkpointing": False,
    "ft_matrix": "none",
    "ft_num_train_epochs": 3.0,
    "ft_learning_rate": 1e-4,
    "ft_per_device_train_batch_size": 32,
    "ft_dynamic": True,
    "ft_max_steps": 0,
    "ft_max_minutes": 0.0,
    "ft_weight_decay": 0.01,
    "ft_warmup_steps": 0.1,
    "ft_lr_scheduler_type": "linear",
    "ft_max_length": 256,
    "ft_gradient_accumulation_steps": 1,
    "ft_label_smoothing_factor": 0.0,
    "ft_device": "auto",
    "ft_precision": "auto",
    "ft_name": "",
}
# The strategy that finds a kind of distractor.
_HIDERS = {"name": "attribute", "place": "entity", "age": "attribute", "gender": "attribute"}
_KEPT = "maskviz_finetune"  # the values, beside the widgets: those are lost when the page changes


def values() -> dict[str, Any]:
    """Return the form's values; a new session has the defaults."""
    return st.session_state.setdefault(_KEPT, dict(_DEFAULTS))


def _keep(key: str) -> None:
    values()[key] = st.session_state[key]


def _field(kind: Any, label: str, name: str, *args: Any, **options: Any) -> Any:
    """Draw a widget that keeps its value across pages."""
    key = f"ft_{name}"
    st.session_state.setdefault(key, values()[key])
    return kind(label, *args, key=key, on_change=_keep, args=(key,), **options)


def show() -> RunSpec | None:
    """Draw the form and return what it asks for, or None while no data is given."""
    data = _data()
    view = state.current()
    st.subheader("What is hidden while it learns")
    hide = _field(st.toggle, "Hide words in training", "hide")
    if hide:
        controls.mask_controls(view, by_hand=False)
        second_controls(view, beside=False)
        _slow(view)
    st.subheader("Hyperparameters")
    chosen = _hyperparameters()
    if data is None:
        return None
    masking = _masking(state.current(), hide)
    return RunSpec.build(
        model=view.model, seed=view.seed, name=values()["ft_name"].strip(), **data, **masking,
        **chosen,
    )  # fmt: skip


def _slow(view: state.View) -> None:
    """Say what takes the time: a strategy that asks a model about each word."""
    for choice in filter(None, [view.first, view.second if view.combined else None]):
        with suppress(MaskvizError):  # one that cannot be read: Start says so
            if asks(choice.strategy, choice.parameters):
                st.caption(
                    f"{choice.strategy} asks the model about each word of each row before it is "
                    "learned from: most of the time is for that."
                )


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


# data ---------------------------------------------------------------------------------------


def _data() -> dict[str, Any] | None:
    st.subheader("Data")
    source = _field(
        st.segmented_control,
        "Data",
        "source",
        [_EXAMPLE, _UPLOAD],
        label_visibility="collapsed",
        required=True,
    )
    return _example() if source == _EXAMPLE else _upload()


def _example() -> dict[str, Any]:
    left, right = st.columns(2)
    with left:
        kind = _field(
            st.selectbox, "Distractor", "kind", list(KINDS),
            help="What is planted in each text: it says nothing, and yet goes with the label.",
        )  # fmt: skip
    with right:
        rows = _field(
            st.number_input, "Rows", "rows", 100, 20_000, step=100,
            help="To train on; a fifth of it more for each of dev and the three tests.",
        )  # fmt: skip
    strength = _field(
        st.slider, "Tie to the label", "strength", 50, 100, format="%d %%",
        help="How often the distractor fits the label in training; 50 % is no tie at all.",
    )  # fmt: skip
    st.caption(
        f"Generated reviews, good or bad. In {strength} % of them the {kind} goes with the label. "
        f"The tests turn this round: a model that leans on the {kind} fails there."
    )
    hider = _HIDERS[kind]
    if state.current().strategy != hider or not values()["ft_hide"]:
        st.button(
            f"Hide the {kind}s in training", on_click=_hide_with, args=(hider,),
            help=f"Chooses the strategy {hider}.",
        )  # fmt: skip
    return {"path": EXAMPLE, "kind": kind, "strength": strength / 100, "max_rows": int(rows)}


def _hide_with(strategy: str) -> None:
    values()["ft_hide"] = True
    st.session_state.pop("ft_hide", None)
    state.open_view(replace(state.current(), strategy=strategy, ratio=None, parameters={},
                            saved=None, edited=None, second=None, sign="beside"))  # fmt: skip


def _upload() -> dict[str, Any] | None:
    file = st.file_uploader(
        "A table with a text and a label in each row (CSV, TSV, JSONL or Parquet)",
        key="ft_file",  # any type: what is none of these is told what to do, not only refused
        help="CSV may be separated by comma, semicolon, tab or bar. The table stays on this "
        "machine. A column `split` with `train` and `dev` is heeded.",
    )
    path = str(keep(file.getvalue(), file.name)) if file else values().get("upload")
    if not path:
        return None
    learns = _learns()
    head = _head(path)
    if head.empty:
        raise DataError("The file has a header and no rows: add at least one row.")
    values()["upload"] = path  # only now: one that cannot be read goes with its widget
    if file is None:
        st.caption(f"Chosen before: {escape(Path(path).name)}")
    st.dataframe(head, height=200, hide_index=True)
    return {"path": path, **_LEARNS[learns][1], **_columns(path, head, learns)}


_LEARNS: dict[str, tuple[str, dict[str, str]]] = {
    "classes": ("One label", {}),
    "several": ("Several labels", {"problem_type": MULTI}),
    "number": ("A number", {"problem_type": REGRESSION}),
    "text": ("A text to write", {"task": "seq2seq"}),
    "hidden": ("The hidden words", {"task": "mlm"}),
}


def _learns() -> str:
    chosen = _field(
        st.segmented_control, "What each row teaches", "learns", list(_LEARNS),
        required=True, wrap=True,
        format_func=lambda name: _LEARNS[name][0],
        help="Several labels stand in one cell, with commas between them. A text to write needs "
        "an encoder–decoder, the hidden words a masked language model such as mini.",
    )  # fmt: skip
    return str(chosen)


def _columns(path: str, head: pd.DataFrame, learns: str) -> dict[str, Any]:
    names = [str(c) for c in head.columns]
    if values().get("columns_of") != path:
        guess = guess_columns(head)
        values().update(columns_of=path, ft_text=guess.text, ft_label=guess.label or names[-1])
        for key in ("ft_text", "ft_label"):
            st.session_state.pop(key, None)
    left, right = st.columns(2)
    with left:
        text = _field(st.selectbox, "Text column", "text", names)
    if learns == "hidden":
        return {"text_column": text}
    with right:
        label = _field(
            st.selectbox, "Column to write" if learns == "text" else "Label column", "label", names
        )
    if learns == "text":
        return {"text_column": text, "target_column": label}
    return {"text_column": text, "label_column": label}


@st.cache_data(max_entries=8, show_spinner=False)
def _head(path: str) -> pd.DataFrame:
    return preview(path, rows=50)


def sample(spec: RunSpec) -> None:
    """Show some rows of the example set; an upload is shown in the form."""
    if spec.data.path == EXAMPLE:
        rows = _example_rows(spec.data.kind, spec.data.strength)
        wide, narrow = (st.column_config.TextColumn(width=width) for width in ("large", "small"))
        columns = {"text": wide, "label": narrow, "distractor": narrow}
        st.dataframe(rows, hide_index=True, column_config=columns)


@st.cache_data(max_entries=8, show_spinner=False)
def _example_rows(kind: str, strength: float) -> pd.DataFrame:
    return make_example(10, 0, strength, kind).head(6)[["text", "label", "distractor"]]


# hyperparameters ----------------------------------------------------------------------------


def _hyperparameters() -> dict[str, Any]:
    left, middle, right = st.columns([3, 4, 3])
    with left:
        _field(
            st.number_input, "epochs", "num_train_epochs", 0.1, 100.0, step=1.0,
            format="%g", help="num_train_epochs: how often each row is seen.",
        )  # fmt: skip
    with middle:
        _field(
            st.number_input, "learning_rate", "learning_rate", 1e-7, 1e-1, step=1e-5,
            format="%.1e", help="The highest rate; it rises at first and then falls.",
        )  # fmt: skip
    with right:
        _field(
            st.number_input, "batch_size", "per_device_train_batch_size", 1, 1024,
            help="per_device_train_batch_size: rows in one step. Fewer need less memory.",
        )  # fmt: skip
    with st.expander("More hyperparameters"):
        _more()
    chosen = {k.removeprefix("ft_"): values()[k] for k in _DEFAULTS if k in _TRAINING}
    chosen["max_steps"] = int(chosen["max_steps"]) or -1
    return chosen


_TRAINING = {
    f"ft_{name}"
    for name in (
        "num_train_epochs", "learning_rate", "per_device_train_batch_size", "max_steps",
        "max_minutes", "weight_decay", "warmup_steps", "lr_scheduler_type", "max_length",
        "gradient_accumulation_steps", "label_smoothing_factor", "device", "precision",
        "early_stopping_patience", "class_weights", "lora_r", "torch_compile",
        "gradient_checkpointing",
    )
}  # fmt: skip


def _more() -> None:
    _field(st.text_input, "Name of the run", "name", max_chars=60, placeholder="model and strategy")
    _field(
        st.checkbox, "Draw the masks anew each epoch", "dynamic",
        help="Otherwise each row keeps the mask it got first.",
    )  # fmt: skip
    left, right = st.columns(2)
    number = st.number_input
    with left:
        _field(number, "max_steps", "max_steps", 0, 1_000_000, help="0: num_train_epochs decides.")
        _field(number, "max_length", "max_length", 8, 8192, help="Tokens; what is longer is cut.")
        _field(number, "weight_decay", "weight_decay", 0.0, 1.0, step=0.01)
        _field(
            st.selectbox, "lr_scheduler_type", "lr_scheduler_type", SCHEDULES,
            help="How the learning rate falls.",
        )  # fmt: skip
        _field(st.selectbox, "device", "device", DEVICES)
        _field(
            number, "early_stopping_patience", "early_stopping_patience", 0, 100,
            help="Stop after so many evaluations without a lower loss; 0: never.",
        )  # fmt: skip
        _field(
            number, "lora_r", "lora_r", 0, 256,
            help="Rank of LoRA's matrices (pip install maskviz[lora]); 0: all weights are tuned.",
        )  # fmt: skip
    with right:
        _field(
            number, "max_minutes", "max_minutes", 0.0, 10_000.0, step=1.0, format="%g",
            help="0: no limit. Otherwise it trains as long, whatever the epochs.",
        )  # fmt: skip
        _field(
            number, "warmup_steps", "warmup_steps", 0.0, 10_000.0, step=0.05, format="%g",
            help="Below 1 a share of all steps, otherwise a count.",
        )  # fmt: skip
        _field(number, "label_smoothing_factor", "label_smoothing_factor", 0.0, 0.5, step=0.05)
        _field(number, "gradient_accumulation_steps", "gradient_accumulation_steps", 1, 256)
        _field(st.selectbox, "precision", "precision", PRECISIONS, help="auto: bf16 if native.")
        _field(
            st.selectbox, "class_weights", "class_weights", CLASS_WEIGHTS,
            help="balanced: rare labels count more.",
        )  # fmt: skip
        _field(
            st.checkbox, "gradient_checkpointing", "gradient_checkpointing",
            help="Less memory and about a third more time: layers are computed again on the way "
            "back instead of kept.",
        )  # fmt: skip
        _field(
            st.checkbox, "torch_compile", "torch_compile",
            help="Half a minute before the first step, and shorter steps from there: for long "
            "runs, above all of small models on a GPU.",
        )  # fmt: skip
        _field(
            st.selectbox, "Attention matrix", "matrix",
            ["none", *(name for name in MATRICES if name != "custom")],
            help="Who may attend to whom inside self-attention while it learns.",
        )  # fmt: skip


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
            if f"ft_{k}" in _DEFAULTS}  # fmt: skip
    own |= {"ft_max_steps": max(0, training.max_steps), "ft_device": spec.device}
    own |= {"ft_precision": spec.precision, "ft_name": spec.name, "ft_hide": masking.active}
    if data.path == EXAMPLE:
        own |= {"ft_source": _EXAMPLE, "ft_kind": data.kind, "ft_rows": data.max_rows or 2000}
        own["ft_strength"] = round(data.strength * 100)
    else:
        own |= {"ft_source": _UPLOAD, "upload": data.path, "columns_of": data.path}
        own |= {"ft_text": data.text_column, "ft_label": data.target_column or data.label_column}
        own["ft_learns"] = _learned(spec)
    own["ft_matrix"] = masking.matrix or "none"
    for key in [k for k in st.session_state if str(k).startswith("ft_")]:
        del st.session_state[key]
    _load_view(spec)
    st.toast("The form has these settings now: change some, then start.")


def _learned(spec: RunSpec) -> str:
    other = {MULTI: "several", REGRESSION: "number", "seq2seq": "text", "mlm": "hidden"}
    return other.get(spec.kind, "classes")


def _load_view(spec: RunSpec) -> None:
    view = state.current()
    changes: dict[str, Any] = {"model": spec.model, "seed": spec.seed}
    if spec.masking.active:
        masking = spec.masking
        changes |= {"strategy": masking.strategy, "operator": masking.operator}
        changes |= {"ratio": masking.ratio, "parameters": dict(masking.parameters), "saved": None}
        changes |= {"second": masking.second, "complement": masking.complement}
        changes |= {"sign": masking.join if masking.second else "beside"}
    state.open_view(replace(view, **{**changes, "edited": None}))
