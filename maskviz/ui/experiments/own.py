"""A distractor in rows of one's own: the file, its columns, and what is planted there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import streamlit as st

from maskviz.data import guess_columns, preview
from maskviz.data.distractor import KINDS
from maskviz.evidence.distractor.experiment import Experiment
from maskviz.evidence.distractor.own import PLACES, Own, own, own_frame
from maskviz.text.percent import percent
from maskviz.ui.shared import table
from maskviz.ui.shared.grid import in_names
from maskviz.ui.shared.page import escape

_COLUMN = "a column it has"
_PLANTS = (*KINDS, "word", "sentence", _COLUMN)
_WRITTEN = {"word": "zebra", "sentence": "Sent from my phone."}
_EXAMPLES = 2  # rows of each test that are shown


def choice() -> Own | None:
    """Ask for a table, two of its columns and what is planted; None while there is no table."""
    found = table.source("if_table")
    if found is None:
        return None
    name, path = found
    head = preview(path, name, 50)
    names, guess = [str(c) for c in head.columns], guess_columns(head)
    left, right = st.columns(2)
    text = left.selectbox("Text column", names, names.index(guess.text), key=f"if_text_{path.name}")
    label = right.selectbox(
        "Label column", names, names.index(guess.label) if guess.label else len(names) - 1,
        key=f"if_label_{path.name}", help="With two labels.",
    )  # fmt: skip
    plant = st.selectbox(
        "What is planted", _PLANTS, key="if_plant",
        help="In a sentence of its own, or a word or sentence that you write. Of a column nothing "
        "is planted: its values go with the labels already, and rows that have the other label "
        "are the test.",
    )  # fmt: skip
    rest = [column for column in names if column not in (text, label)]
    return own(str(path), text, label, _plant(plant, rest))


def _plant(kind: str, columns: list[str]) -> str:
    if kind == _COLUMN:
        return str(st.selectbox("The column", columns, key="if_column") or "")
    if kind in _WRITTEN:
        written = st.text_input(f"The {kind}", _WRITTEN[kind], key=f"if_{kind}", max_chars=200)
        return f"{kind}:{written}"
    return kind


def placed(asked: Own) -> Own:
    """Ask where in a text it is planted."""
    place = st.segmented_control(
        "Where in a text", PLACES, default=asked.place, required=True, key="if_place"
    )
    return replace(asked, place=str(place))


def options(asked: Own) -> list[str]:
    """Return the options of the command line that ask for the same."""
    return [
        "--data", asked.path, "--text-column", asked.text_column,
        "--label-column", asked.label_column, "--plant", asked.plant, "--place", asked.place,
    ]  # fmt: skip


def about(experiment: Experiment, asked: Own) -> None:
    """Say what is done with the rows, and show some of them."""
    frame = _frame(experiment, asked)
    counts = frame.split.value_counts()
    st.markdown("### Does hiding what misleads keep a model from learning it, in your rows?")
    st.markdown(
        escape(
            f"{counts['train']:,} rows of {Path(asked.path).name} are learned from, "
            f"{counts['aligned']:,} that fit and {counts['reversed']:,} that mislead are the test. "
            f"{_tie(experiment, asked)} The arms differ in what is hidden: nothing, random words, "
            "entities, personal attributes, the words that tell labels apart"
            + ("." if asked.kind == "column" else ", and exactly what is planted.")
        )
    )
    shown = pd.concat([frame[frame.split == split].head(_EXAMPLES) for split in _TESTS])
    named = asked.plant if asked.kind == "column" else "planted"
    wanted = shown[["split", "label", "distractor", "text"]].set_axis(
        ["rows", "label", named if named not in ("rows", "label", "text") else "column", "text"],
        axis=1,
    )
    st.dataframe(in_names(wanted.reset_index(drop=True)), hide_index=True)


def _tie(experiment: Experiment, asked: Own) -> str:
    """Say how closely what is planted, or a column's value, goes with the label."""
    if asked.kind == "column":
        return f"Nothing is planted: the {asked.said} goes with the label."
    article = "An" if asked.kind == "age" else "A"
    what = f"{article} {asked.kind}" if asked.kind in KINDS else f"The {asked.said}"
    turned = percent(experiment.noise, 0)
    return (
        f"{what} goes with the label in {percent(experiment.strength, 0)} of what is learned from, "
        f"where {turned} of the labels are turned, so that it pays to lean on it."
    )


_TESTS = ("train", "aligned", "reversed")


@st.cache_data(max_entries=8, show_spinner="Reading the rows …")
def _frame(experiment: Experiment, asked: Own) -> pd.DataFrame:
    return own_frame(asked, experiment.rows, experiment.strength, experiment.noise, 0)


def check(experiment: Experiment, asked: Own) -> None:
    """Raise what the rows make impossible before anything is trained."""
    _frame(experiment, asked)
