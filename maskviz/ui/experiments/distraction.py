"""The distraction experiment on the Experiments page: one button, then figures."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from maskviz.evidence.cells import Cells
from maskviz.evidence.distraction.distraction import known_cells, summarise
from maskviz.evidence.distraction.experiment import ARMS, COUNTS, OPERATORS, QUICK, Experiment, Size
from maskviz.evidence.distraction.result import Distraction
from maskviz.figures.distraction import accuracy_figure, log_p_figure
from maskviz.runs.background import Background
from maskviz.ui.experiments.cells import Panel, command, headline, verdicts_list
from maskviz.ui.shared.chart import chart
from maskviz.ui.shared.grid import grid
from maskviz.ui.shared.page import errors

_LONG: Size = {
    "rows": Experiment.rows, "tests": Experiment.tests, "steps": Experiment.steps,
    "seeds": Experiment.seeds,
}  # fmt: skip


def show() -> None:
    """The finding and its figures, then what can be changed."""
    picture, choice = st.columns([5, 2], gap="large")
    with choice:
        experiment, arguments = _choices()
    with picture, errors():
        panel = Panel("di", experiment, arguments, _about, lambda cells: _result(experiment, cells))
        panel.show(Background(f"distraction-{experiment.id}"), known_cells(experiment))


def _choices() -> tuple[Experiment, list[str]]:
    """Ask how large; return the experiment and its command."""
    size = st.segmented_control(
        "Size", ["quick", "full"], default="quick", required=True, key="di_size",
        help=f"Quick: {QUICK['seeds']} seeds, {QUICK['steps']} steps, and no verdict. Full: "
        f"{_LONG['seeds']} seeds, {_LONG['steps']} steps.",
    )  # fmt: skip
    operator = st.segmented_control(
        "Masks hide by", list(OPERATORS), default="delete", required=True, key="di_operator",
        help="delete takes the words out; attention leaves them where nobody sees them.",
    )  # fmt: skip
    numbers = QUICK if size == "quick" else _LONG
    with st.expander("More"):
        seeds = st.number_input(
            "Seeds", 2, 20, numbers["seeds"], key=f"di_seeds_{size}",
            help="A verdict needs five.",
        )  # fmt: skip
    experiment = replace(Experiment(operator=operator, **numbers), seeds=int(seeds))
    arguments = ["bench", "distraction", "--json", "--operator", operator]
    arguments += ["--seeds", str(int(seeds)), *(["--quick"] if size == "quick" else [])]
    command(ARMS, int(seeds), arguments)
    return experiment, arguments


def _about() -> None:
    st.markdown("### Do irrelevant sentences disturb a chat model, and which tuning cures it?")
    st.markdown(
        "Questions to look up, compare and add, beside up to eight sentences that have nothing to "
        "do with them, or beside as much filler that says nothing. The model as it is answers "
        "them, and six tuned on the same questions: with the irrelevant sentences in sight, with "
        "as many random words hidden, with any sentences hidden, with exactly the irrelevant ones "
        "hidden, and to write down first what matters, all of it read or a part of it masked. In "
        "training there are at most two of these, and other names and sentences."
    )


def _result(experiment: Experiment, cells: Cells) -> None:
    result = summarise(experiment, cells)
    headline(result.finding, len(cells["base"]), experiment)
    chart(accuracy_figure(result), "di_accuracy")
    chart(log_p_figure(result), "di_log_p")
    if result.verdicts:
        verdicts_list(result.verdicts)
    grid(_table(result), "arms", column_config=_columns())


def _table(result: Distraction) -> pd.DataFrame:
    """Return a row for each arm, shares in percent."""
    rows = []
    for arm, figures in result.arms.items():
        row: dict[str, object] = {"arm": arm}
        for k in COUNTS:
            row[f"k{k}"] = 100 * figures[f"accuracy_irrelevant_{k}"][0]
        for name in ("cost", "slope_accuracy"):
            row[name] = 100 * figures[name][0]
        masked = figures.get(f"accuracy_masked_{COUNTS[-1]}")
        row["masked"] = None if masked is None else 100 * masked[0]
        rows.append(row)
    return pd.DataFrame(rows)


def _columns() -> dict[str, object]:
    column = st.column_config.NumberColumn
    shown = {
        f"k{k}": column(f"k = {k}", help=f"Right, beside {k} of them.", format="%.1f %%")
        for k in COUNTS
    }
    return {
        **shown,
        "cost": column(
            "cost", format="%.1f",
            help="Points of accuracy beside filler − beside irrelevant sentences, mean over k > 0.",
        ),
        "slope_accuracy": column(
            "slope", format="%.2f", help="Points of accuracy per irrelevant sentence."
        ),
        "masked": column(
            f"hidden, k = {COUNTS[-1]}", format="%.1f %%",
            help="Right where the irrelevant sentences are hidden at test, too.",
        ),
    }  # fmt: skip
