"""Groups of a fine-tune: whom it is to be right for, and how right a run is for each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from maskviz.runs import Run
from maskviz.training.loop.grouped import GroupRow, group_rows
from maskviz.training.spec.spec import BEST
from maskviz.ui.runs.fields import field, values
from maskviz.ui.shared.grid import grid

_BEST_IN = {"loss": "loss", "accuracy": "accuracy", "worst_group_accuracy": "worst group"}


def fields(columns: Sequence[str]) -> dict[str, str]:
    """Ask which columns are groups, and by what the weights are chosen that are kept."""
    columns = [name for name in columns if "," not in name]  # the comma stands between them
    kept = values()
    if any(name not in columns for name in kept["ft_groups"]):
        kept["ft_groups"] = [name for name in kept["ft_groups"] if name in columns]
        st.session_state.pop("ft_groups", None)
    with st.expander("Groups and best weights"):
        groups = field(
            st.multiselect, "Columns with groups", "groups", columns,
            help="Whom is the model to be right for? Each evaluation has the accuracy of the worst "
            "group, of several columns of their crossing; the end has that of each.",
        )  # fmt: skip
        offered = [name for name in BEST if groups or name != "worst_group_accuracy"]
        if kept["ft_metric_for_best_model"] not in offered:
            kept["ft_metric_for_best_model"] = "loss"
            st.session_state.pop("ft_metric_for_best_model", None)
        best = field(
            st.selectbox, "Keep the weights that are best in", "metric_for_best_model", offered,
            format_func=lambda name: _BEST_IN[name],
            help="On held-out rows; early stopping goes by it, too. With the loss and no early "
            "stopping the last weights are kept.",
        )  # fmt: skip
    asked = {"group_columns": ",".join(groups)} if groups else {}
    return asked if best == "loss" else {**asked, "metric_for_best_model": best}


def without_groups(evaluations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of a run's table without the figures that have a table of their own."""
    own = ("group_accuracy", "group_rows", "worst_group_accuracy")
    return [{k: v for k, v in row.items() if k not in own} for row in evaluations]


def show(run: Run) -> None:
    """Whom the tuned model fails: each group, plain and masked, the worst one first."""
    rows = group_rows(run.result)
    if not rows:
        return
    st.markdown("**Whom does it fail?**")
    share = st.column_config.NumberColumn(format="%.1f %%")
    config = dict.fromkeys(("accuracy", "95 % from", "95 % to"), share)
    grid(pd.DataFrame(map(_row, rows)), f"{run.id}-groups", column_config=config)


def _row(row: GroupRow) -> dict[str, Any]:
    low, high = row.ci95 or (None, None)
    return {
        "split": row.split, "input": row.mask, "group": row.group, "rows": row.rows,
        "accuracy": 100 * row.accuracy,
        "95 % from": None if low is None else 100 * low,
        "95 % to": None if high is None else 100 * high,
    }  # fmt: skip
