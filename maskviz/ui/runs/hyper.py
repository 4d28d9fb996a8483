"""The hyperparameters of a fine-tune: three in sight, the others folded away."""

from __future__ import annotations

from typing import Any

import streamlit as st

from maskviz.masks.matrices import MATRICES
from maskviz.training.spec.spec import CLASS_WEIGHTS, DEVICES, PRECISIONS, SCHEDULES
from maskviz.ui.runs.fields import DEFAULTS, field, values


def show() -> dict[str, Any]:
    """Draw the fields; return the settings by their names."""
    left, middle, right = st.columns([3, 4, 3])
    with left:
        field(
            st.number_input, "epochs", "num_train_epochs", 0.1, 100.0, step=1.0,
            format="%g", help="num_train_epochs: how often each row is seen.",
        )  # fmt: skip
    with middle:
        field(
            st.number_input, "learning_rate", "learning_rate", 1e-7, 1e-1, step=1e-5,
            format="%.1e", help="The highest rate; it rises at first and then falls.",
        )  # fmt: skip
    with right:
        field(
            st.number_input, "batch_size", "per_device_train_batch_size", 1, 1024,
            help="per_device_train_batch_size: rows in one step. Fewer need less memory.",
        )  # fmt: skip
    with st.expander("More hyperparameters"):
        _more()
    chosen = {k.removeprefix("ft_"): values()[k] for k in DEFAULTS if k in _TRAINING}
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
    field(st.text_input, "Name of the run", "name", max_chars=60, placeholder="model and strategy")
    field(
        st.checkbox, "Draw the masks anew each epoch", "dynamic",
        help="Otherwise each row keeps the mask it got first.",
    )  # fmt: skip
    left, right = st.columns(2)
    with left:
        _left()
    with right:
        _right()
    field(
        st.checkbox, "gradient_checkpointing", "gradient_checkpointing",
        help="Less memory and about a third more time: layers are computed again on the way "
        "back instead of kept.",
    )  # fmt: skip
    field(
        st.checkbox, "torch_compile", "torch_compile",
        help="Half a minute before the first step, and shorter steps from there: for long "
        "runs, above all of small models on a GPU.",
    )  # fmt: skip


def _left() -> None:
    number = st.number_input
    field(number, "max_steps", "max_steps", 0, 1_000_000, help="0: num_train_epochs decides.")
    field(number, "max_length", "max_length", 8, 8192, help="Tokens; what is longer is cut.")
    field(number, "weight_decay", "weight_decay", 0.0, 1.0, step=0.01)
    field(
        st.selectbox, "lr_scheduler_type", "lr_scheduler_type", SCHEDULES,
        help="How the learning rate falls.",
    )  # fmt: skip
    field(st.selectbox, "device", "device", DEVICES)
    field(
        number, "early_stopping_patience", "early_stopping_patience", 0, 100,
        help="Stop after so many evaluations without a lower loss; 0: never.",
    )  # fmt: skip
    field(
        number, "lora_r", "lora_r", 0, 256,
        help="Rank of LoRA's matrices (pip install maskviz[lora]); 0: all weights are tuned.",
    )  # fmt: skip


def _right() -> None:
    number = st.number_input
    field(
        number, "max_minutes", "max_minutes", 0.0, 10_000.0, step=1.0, format="%g",
        help="0: no limit. Otherwise it trains as long, whatever the epochs.",
    )  # fmt: skip
    field(
        number, "warmup_steps", "warmup_steps", 0.0, 10_000.0, step=0.05, format="%g",
        help="Below 1 a share of all steps, otherwise a count.",
    )  # fmt: skip
    field(number, "label_smoothing_factor", "label_smoothing_factor", 0.0, 0.5, step=0.05)
    field(number, "gradient_accumulation_steps", "gradient_accumulation_steps", 1, 256)
    field(st.selectbox, "precision", "precision", PRECISIONS, help="auto: bf16 if native.")
    field(
        st.selectbox, "class_weights", "class_weights", CLASS_WEIGHTS,
        help="balanced: rare labels count more.",
    )  # fmt: skip
    field(
        st.selectbox, "Attention matrix", "matrix",
        ["none", *(name for name in MATRICES if name != "custom")],
        help="Who may attend to whom inside self-attention while it learns.",
    )  # fmt: skip
