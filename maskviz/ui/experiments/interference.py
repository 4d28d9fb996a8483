"""The planted-distractor experiment on the Experiments page: one button, then figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from maskviz.evidence.cells import Cells
from maskviz.evidence.distractor.experiment import QUICK, Experiment, Size, arms_of
from maskviz.evidence.distractor.interference import known_cells, summarise
from maskviz.evidence.distractor.own import Own
from maskviz.evidence.distractor.words import verdicts
from maskviz.figures.interference import accuracy_figure, recovery_figure
from maskviz.runs.background import Background
from maskviz.text.percent import percent
from maskviz.ui.experiments import own as own_rows
from maskviz.ui.experiments.cells import Panel, command, headline, verdicts_list
from maskviz.ui.shared.chart import chart
from maskviz.ui.shared.grid import grid
from maskviz.ui.shared.page import errors

_LONG: Size = {"rows": Experiment.rows, "steps": Experiment.steps}


_EXAMPLE, _OWN = "Example set", "My own file"


def show() -> None:
    """The finding and its figures, then what can be changed."""
    picture, choice = st.columns([5, 2], gap="large")
    waits, asked = False, None  # so it stays where an error is shown beside
    with choice, errors():
        rows = st.segmented_control(
            "Rows", [_EXAMPLE, _OWN], default=_EXAMPLE, required=True, key="if_rows"
        )
        planted = own_rows.choice() if rows == _OWN else None
        waits = rows == _OWN and planted is None
        asked = None if waits else _choices(planted)
    with picture, errors():
        if waits:
            _wanted()
        elif asked is not None:
            _shown(*asked)


def _wanted() -> None:
    st.markdown("### Does hiding what misleads keep a model from learning it, in your rows?")
    st.markdown(
        "Choose a table with a text and one of two labels in each row. A word, a sentence or a "
        "name of your choice is planted so that it goes with the label; then the model is tuned "
        "with and without masks, and tested where what is planted misleads."
    )


def _shown(experiment: Experiment, arguments: list[str]) -> None:
    planted = experiment.own
    if planted is not None:
        own_rows.check(experiment, planted)
    panel = Panel(
        "if", experiment, arguments,
        lambda: _about(experiment) if planted is None else own_rows.about(experiment, planted),
        lambda cells: _result(experiment, cells),
    )  # fmt: skip
    panel.show(Background(f"interference-{experiment.id}"), known_cells(experiment))


def _choices(planted: Own | None) -> tuple[Experiment, list[str]]:
    """Ask what to plant and how large; return the experiment and its command."""
    kind = _kind() if planted is None else Experiment.kind
    size = st.segmented_control(
        "Size", ["quick", "full"], default="quick", required=True, key="if_size",
        help=f"Quick: {QUICK['rows']} rows, {QUICK['steps']} steps. Full: {_LONG['rows']:,} rows, "
        f"{_LONG['steps']} steps.",
    )  # fmt: skip
    there = planted is not None and planted.kind == "column"
    with st.expander("More"):
        if planted is not None and not there:
            planted = own_rows.placed(planted)
        strength, noise = (Experiment.strength, Experiment.noise) if there else _ties()
        seeds = st.number_input("Seeds", 2, 20, 5, key="if_seeds")
        keep = planted is None and _keeps()
    numbers = QUICK if size == "quick" else _LONG
    experiment = Experiment(
        kind=kind, strength=strength, noise=noise, seeds=int(seeds), fresh=not keep,
        arms=arms_of(planted), own=planted, **numbers,
    )  # fmt: skip
    arguments = ["bench", "interference", "--json", "--seeds", str(int(seeds))]
    arguments += ["--strength", str(strength), "--noise", str(noise)]
    arguments += [*(["--quick"] if size == "quick" else []), *(["--keep-head"] if keep else [])]
    arguments += ["--kind", kind] if planted is None else own_rows.options(planted)
    shown = [Path(a).name if planted and a == planted.path else a for a in arguments]
    command(experiment.arms, int(seeds), shown)
    return experiment, arguments


def _kind() -> str:
    kinds = ("name", "place", "age", "gender")
    return str(st.pills("Planted", kinds, default="name", required=True, key="if_kind", wrap=True))


def _ties() -> tuple[float, float]:
    """Ask how closely what is planted goes with the label, and how many labels are turned."""
    strength = st.slider(
        "Tie to the label in training", 0.5, 1.0, Experiment.strength, 0.05, key="if_strength",
        help="P(it goes with the label); 0.5 is no tie.",
    )  # fmt: skip
    noise = st.slider(
        "Training labels turned", 0.0, 0.5, Experiment.noise, 0.05, key="if_noise",
        help="Without any, a model that knows the task gains nothing from what is planted.",
    )  # fmt: skip
    return strength, noise


def _keeps() -> bool:
    return st.checkbox(
        "Start from the model's own classifier", key="if_keep",
        help="It may know the task already, and then leans less on what is planted.",
    )  # fmt: skip


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
