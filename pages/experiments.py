"""Experiments: every run, sweeps, distractors planted and irrelevant, continued pre-training."""

import streamlit as st

from maskviz.ui.experiments import (
    distraction as distraction_panel,
)
from maskviz.ui.experiments import (
    interference as interference_panel,
)
from maskviz.ui.experiments import (
    pretraining as pretraining_panel,
)
from maskviz.ui.experiments import (
    sweeps as sweeps_panel,
)
from maskviz.ui.runs import table as runs_table
from maskviz.ui.shared.page import close_page, errors, open_page, take_tab


def main() -> None:
    """One tab for each; only the open one is computed."""
    view = open_page(reads=False)
    names = ("Runs", "Sweeps", "Planted distractor", "Distraction", "Pre-training")
    take_tab("experiments_tab", names)
    runs, sweeps, planted, beside, reading = st.tabs(
        names, on_change="rerun", key="experiments_tab"
    )
    if runs.open:
        with runs, errors():
            runs_table.show()
    if sweeps.open:
        with sweeps, errors():
            sweeps_panel.show(view)
    if planted.open:
        with planted, errors():
            interference_panel.show()
    if beside.open:
        with beside, errors():
            distraction_panel.show()
    if reading.open:
        with reading, errors():
            pretraining_panel.show(view)


main()
close_page()
