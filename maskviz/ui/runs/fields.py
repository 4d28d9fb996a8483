"""The fields of the form of a fine-tune, and what they hold across pages."""

from __future__ import annotations

from typing import Any

import streamlit as st

from maskviz.ui.shared.widgets import drawn

EXAMPLE_SET, TALKS, OWN_FILE = "Example set", "Conversations", "My own file"
DEFAULTS: dict[str, Any] = {
    "ft_source": EXAMPLE_SET,
    "ft_kind": "name",
    "ft_strength": 90,
    "ft_rows": 2000,
    "ft_hide": True,
    "ft_loss_strategy": "role:assistant",
    "ft_prompt_weight": 0.0,
    "ft_packing": False,
    "ft_end_of_turn": True,
    "ft_spans": "",
    "ft_groups": [],
    "ft_metric_for_best_model": "loss",
    "ft_click": "this row",
    "ft_by_hand": {"of": "", "rows": {}},  # changed in single rows of this file
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
_KEPT = "maskviz_finetune"  # the values, beside the widgets: those are lost when the page changes


def values() -> dict[str, Any]:
    """Return the form's values; a new session has the defaults."""
    return st.session_state.setdefault(_KEPT, dict(DEFAULTS))


def _keep(key: str) -> None:
    values()[key] = st.session_state[key]


def field(kind: Any, label: str, name: str, *args: Any, **options: Any) -> Any:
    """Draw a widget that keeps its value across pages."""
    key = f"ft_{name}"
    return drawn(
        kind, label, values()[key], *args, key=key, on_change=_keep, args=(key,), **options
    )
