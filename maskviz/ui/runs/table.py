"""All runs as a table; chosen ones over each other, with the settings in which they differ."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from maskviz import runs
from maskviz.errors import MaskvizError
from maskviz.figures.runs import overlay_figure
from maskviz.report import run_report
from maskviz.runs import Run
from maskviz.runs.compare import differing_settings, finding, summary_row
from maskviz.sweeps.shipped import shipped_runs
from maskviz.ui.runs import form as runs_form
from maskviz.ui.runs.panel import CHIPS
from maskviz.ui.shared.chart import chart
from maskviz.ui.shared.code import code
from maskviz.ui.shared.grid import download, grid, in_names
from maskviz.ui.shared.page import errors, escape
from maskviz.ui.shared.report_button import report_button

_POLL_SECONDS = 2.0
_NEWEST = 4  # runs whose curves are shown while none is selected
_SHARES = (
    "Accuracy plain", "95 % from", "95 % to", "Accuracy masked", "Worst group plain",
    "Worst group masked", "Reversed plain", "Reversed masked", "Reliance plain", "Reliance masked",
)  # fmt: skip


def show() -> None:
    """Draw the table, and what is chosen in it."""
    found = runs.list_runs()
    if not found:
        empty()
        return
    if any(not run.is_over for run in found):
        _live_table()
    else:
        _table(found)
    chosen = _chosen(found)
    with errors():
        if len(chosen) == 1:
            actions(chosen[0])
        elif not chosen:
            st.caption(
                "Select one row to open, clone or delete that run, several to compare them. "
                "Below: the newest."
            )
        compare(chosen or [run for run in found if run.history][:_NEWEST])


def empty() -> None:
    """Say how the first run comes here."""
    st.markdown("### No runs yet")
    st.markdown(
        "Every fine-tune is kept here with its settings, curves and results, whether it was "
        "started on the page, from the command line or in Python."
    )
    st.page_link("pages/finetune.py", label="Start the first one", icon="▶️")
    _example()


def _example() -> None:
    """Two finished runs that came with maskviz, as two that are selected stand here."""
    found = shipped_runs()
    st.markdown("**An example: what two runs look like beside each other**")
    compare(found)
    told = pd.DataFrame([summary_row(run) for run in found]).drop(columns="Progress")
    told = told.dropna(axis="columns", how="all")
    shares = [name for name in _SHARES if name in told]
    told[shares] = told[shares].astype(float) * 100
    share = st.column_config.NumberColumn(format="%.1f %%")
    grid(told, "example-runs", column_config=dict.fromkeys(shares, share))
    st.caption(
        "An example that came with maskviz: reviews whose names go with the label, once as they "
        "are and once with names hidden. The command trains its like here."
    )
    code(
        "maskviz train --data example --strategy attribute --ratio 0.15 --max-steps 40 "
        "--set max_rows=300"
    )


@st.fragment(run_every=_POLL_SECONDS)
def _live_table() -> None:
    """Draw the table again and again while a run is active."""
    found = runs.list_runs()
    before = st.session_state.get("runs_selected")
    _table(found)
    selected = [run.id for run in _chosen(found)]
    st.session_state["runs_selected"] = selected
    if all(run.is_over for run in found) or (before is not None and selected != before):
        st.rerun()  # the whole page: what is below the table follows the selection


def _table(found: Sequence[Run]) -> None:
    st.session_state["runs_listed"] = [run.id for run in found]
    st.markdown(f"### {escape(finding(found))}")
    table = pd.DataFrame([_row(run) for run in found])
    table = table.dropna(axis="columns", how="all")
    if all(run.state == "done" for run in found):
        table = table.drop(columns="Progress")
    shares = [name for name in _SHARES if name in table]
    table[shares] = table[shares].astype(float) * 100
    share = st.column_config.NumberColumn(format="%.1f %%")
    st.dataframe(
        in_names(table),
        key="runs_table",
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        column_config={
            **dict.fromkeys(shares, share),
            "State": st.column_config.MultiselectColumn(
                options=[name for name, _ in CHIPS.values()],
                color=[colour for _, colour in CHIPS.values()],
            ),
            "Progress": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1),
            "Minutes": st.column_config.NumberColumn(format="%.1f"),
            "Started": st.column_config.DatetimeColumn(format="distance"),
        },
    )
    table["State"] = table["State"].str[0]
    download(table, "runs")


def _row(run: Run) -> dict[str, Any]:
    row = summary_row(run)
    return {"State": [CHIPS[run.state][0]], **row}


def _chosen(found: Sequence[Run]) -> list[Run]:
    selection = st.session_state.get("runs_table")
    rows = selection["selection"]["rows"] if selection else []
    listed = st.session_state.get("runs_listed", [])
    ids = [listed[i] for i in rows if i < len(listed)]
    return [run for run in found if run.id in ids]


# one run ------------------------------------------------------------------------------------


def actions(run: Run) -> None:
    """Open, clone, cancel, resume or delete."""
    st.markdown(f"**{escape(run.id)}**  {escape(run.reason)}")
    row = st.container(horizontal=True)
    if row.button("Open", type="primary"):
        st.query_params.clear()
        st.switch_page("pages/finetune.py", query_params={"run": run.id})
    cloned = row.button(
        "Clone", on_click=runs_form.load, args=(run.spec,),
        help="Opens the form with these settings, to change and start.",
    )  # fmt: skip
    if cloned:
        st.switch_page("pages/finetune.py")
    if not run.is_over:
        row.button("Cancel", on_click=_act, args=("cancel", run.id))
        return
    if run.state == "done":
        report_button(lambda: run_report(run), f"report_{run.id}", row)
    else:
        row.button("Resume", on_click=_act, args=("resume", run.id))
    with row.popover("Delete"):
        st.markdown(f"{escape(run.id)} and its tuned model are deleted for good.")
        st.button("Delete it", type="primary", on_click=_act, args=("delete", run.id))


def _act(name: str, run_id: str) -> None:
    try:
        getattr(runs, name)(run_id)
    except MaskvizError as error:
        st.toast(escape(str(error)), icon="⚠️")
    if name == "delete":
        st.session_state.pop("runs_table", None)


# several ------------------------------------------------------------------------------------


def compare(chosen: Sequence[Run]) -> None:
    """Lay the curves over each other; below, what differs."""
    histories = {run.id: run.history for run in chosen if run.history}
    if not histories:
        return
    left, right = st.columns(2)
    accuracy = overlay_figure(histories, "plain_accuracy", "Accuracy on held-out rows, plain")
    chart(accuracy, "overlay_accuracy", left)
    loss = overlay_figure(histories, "loss", "Training loss")
    chart(loss, "overlay_loss", right)
    if len(chosen) > 1:
        st.markdown(f"**{escape(finding(chosen))}**")
        differences(chosen)
    else:
        with st.expander("All settings"):
            code(chosen[0].spec.to_toml(), "toml")


def differences(chosen: Sequence[Run]) -> None:
    """A table of the settings in which the chosen runs differ."""
    differing = differing_settings({run.id: run.spec for run in chosen})
    if not differing:
        st.markdown("**These runs have the same settings.**")
        return
    st.markdown(f"**They differ in {len(differing)} setting{'s' * (len(differing) > 1)}**")
    table = pd.DataFrame(differing, dtype=object).T
    table.columns = [run.id for run in chosen]
    grid(table.map(_shown).rename_axis("setting"), "settings", hide_index=False)


def _shown(value: Any) -> str:
    text = Path(value).name if isinstance(value, str) and "/" in value else str(value)
    return "–" if value in (None, "", {}) or value != value else text
