"""The planted-distractor experiment on the Experiments page: one button, then figures."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from maskviz.evidence.cells import Cells
from maskviz.evidence.distractor.experiment import ARMS, QUICK, Experiment, Size
from maskviz.evidence.distractor.interference import known_cells, summarise
from maskviz.evidence.distractor.words import verdicts
from maskviz.figures.interference import accuracy_figure, recovery_figure
from maskviz.runs.background import Background
from maskviz.text.percent import percent
from maskviz.ui.experiments.cells import Panel, command, headline, verdicts_list
from maskviz.ui.shared.chart import chart
from maskviz.ui.shared.grid import grid
from maskviz.ui.shared.page import errors

_LONG: Size = {"rows": Experiment.rows, "steps": Experiment.steps}


def show() -> None:
    """The finding and its figures, then what can be changed."""
    picture, choice = st.columns([5, 2], gap="large")
    with choice:
        experiment, arguments = _choices()
    with picture, errors():
        panel = Panel(
            "if", experiment, arguments,
            lambda: _about(experiment), lambda cells: _result(experiment, cells),
        )  # fmt: skip
        panel.show(Background(f"interference-{experiment.id}"), known_cells(experiment))


def _choices() -> tuple[Experiment, list[str]]:
    """Ask what to plant and how large; return the experiment and its command."""
    kinds = ("name", "place", "age", "gender")
    kind = st.pills("Planted", kinds, default="name", required=True, key="if_kind", wrap=True)
    size = st.segmented_control(
        "Size", ["quick", "full"], default="quick", required=True, key="if_size",
        help=f"Quick: {QUICK['rows']} rows, {QUICK['steps']} steps. Full: {_LONG['rows']:,} rows, "
        f"{_LONG['steps']} steps.",
    )  # fmt: skip
    with st.expander("More"):
        strength = st.slider(
            "Tie to the label in training", 0.5, 1.0, 0.95, 0.05, key="if_strength",
            help="P(it goes with the label); 0.5 is no tie.",
        )  # fmt: skip
        noise = st.slider(
            "Training labels turned", 0.0, 0.5, Experiment.noise, 0.05, key="if_noise",
            help="Without any, a model that knows the task gains nothing from what is planted.",
        )  # fmt: skip
        seeds = st.number_input("Seeds", 2, 20, 5, key="if_seeds")
        keep = st.checkbox(
            "Start from the model's own classifier", key="if_keep",
            help="It may know the task already, and then leans less on what is planted.",
        )  # fmt: skip
    numbers = QUICK if size == "quick" else _LONG
    experiment = Experiment(
        kind=kind, strength=strength, noise=noise, seeds=int(seeds), fresh=not keep, **numbers
    )
    arguments = ["bench", "interference", "--json", "--kind", kind, "--seeds", str(int(seeds))]
    arguments += ["--strength", str(strength), "--noise", str(noise)]
    arguments += [*(["--quick"] if size == "quick" else []), *(["--keep-head"] if keep else [])]
    command(ARMS, int(seeds), arguments)
    return experiment, arguments


def _about(experiment: Experiment) -> None:
    st.markdown("### Does hiding what misleads keep a model from learning it?")
    tied, turned = percent(experiment.strength, 0), percent(experiment.noise, 0)
    st.markdown(
        f"In training a {experiment.kind} goes with the label in {tied} of the "
        f"rows and says nothing about it; {turned} of the labels are turned, so that "
        "it pays to lean on it. Six models are tuned: on plain text, with as many random "
        "words hidden, with entities, with personal attributes, with the words that tell labels "
        "apart, and with exactly the planted words hidden. Each is tested where what is planted "
        "fits the label, says nothing, and misleads."
    )


def _result(experiment: Experiment, cells: Cells) -> None:
    result = summarise(experiment, cells)
    headline(result.finding, len(cells["plain"]), experiment)
    chart(accuracy_figure(result), "if_accuracy")
    chart(recovery_figure(result), "if_recovery")
    verdicts_list(verdicts(result))
    grid(_table(result.arms), "arms", column_config=_columns())


def _table(arms: Any) -> pd.DataFrame:
    """Return a row for each arm; of a leak the accuracy by chance stands in brackets."""
    rows = []
    for arm, figures in arms.items():
        row = {"arm": arm, **{k: 100 * figures[k][0] for k in _SAID if not k.startswith("leak")}}
        for key in ("leakage_text", "leakage_representation"):
            own, chance = figures[key][0], figures[f"{key}_chance"][0]
            row[key] = f"{100 * own:.0f} ({100 * chance:.0f}) %"
        rows.append(row)
    return pd.DataFrame(rows)


_PROBE = "How often a probe reads what was planted from"
# figure → the short name of the command line's table, and what it says
_SAID = {
    "accuracy_aligned": ("aligned", "Accuracy where what is planted fits the label."),
    "accuracy_neutral": ("neutral", "Accuracy where it is drawn at random."),
    "accuracy_reversed": ("reversed", "Accuracy where it never fits."),
    "reliance": ("reliance", "Accuracy aligned − reversed."),
    "worst_group": ("worst group", "The lowest accuracy over label × planted group."),
    "recovery": ("recovery", "Share of the plain arm's reliance that is gone."),
    "leakage_text": ("leak, input", f"{_PROBE} the input (and by chance, from shuffled groups)."),
    "leakage_representation": (
        "leak, inside", f"{_PROBE} the model's last hidden states (and by chance)."
    ),
}  # fmt: skip


# Pixels: nine columns stand in the 640 that a window of 1,400 leaves them.
_WIDTHS = {"worst_group": 86, "leakage_text": 74}


def _columns() -> dict[str, Any]:
    column = st.column_config
    return {
        key: column.Column(name, help=text, width=_WIDTHS.get(key, 80))
        if key.startswith("leak")
        else column.NumberColumn(name, help=text, format="%.1f %%", width=_WIDTHS.get(key, 66))
        for key, (name, text) in _SAID.items()
    }
