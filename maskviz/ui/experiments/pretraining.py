"""Continued pre-training on the Experiments page: one button, then what it changes."""

from __future__ import annotations

import hashlib
import shlex
from pathlib import Path

import streamlit as st

from maskviz.figures.pretraining import pretraining_figure
from maskviz.runs.background import Background
from maskviz.sweeps.pretraining import Pretrained
from maskviz.sweeps.shipped import shipped_pretraining
from maskviz.training.folder import read_json
from maskviz.ui.experiments.cells import EXAMPLE
from maskviz.ui.experiments.sweeps import data_choice
from maskviz.ui.shared import state
from maskviz.ui.shared.chart import chart
from maskviz.ui.shared.code import code
from maskviz.ui.shared.controls import strategies_offered
from maskviz.ui.shared.page import errors, escape

_POLL_SECONDS = 3.0
_RUNS = 3  # of each seed: pre-training, fine-tune with it, fine-tune without


def show(view: state.View) -> None:
    """The finding and its figure, then what can be changed."""
    picture, choice = st.columns([5, 2], gap="large")
    with choice:
        arguments, seeds = _choices(view)
    with picture, errors():
        job = Background(f"pretraining-{_name(arguments)}")
        if job.alive:
            _live(job.name, seeds)
        else:
            _still(job, arguments)


def _name(arguments: list[str]) -> str:
    return hashlib.sha256("\0".join(arguments).encode()).hexdigest()[:12]


def _choices(view: state.View) -> tuple[list[str], int]:
    """Ask what to hide and for how long; return the command's arguments and the seeds."""
    strategy = st.selectbox(
        "Hidden in pre-training", strategies_offered(),
        key="pt_strategy", help="What the model is asked to guess.",
    )  # fmt: skip
    ratio = st.slider("Ratio", 5, 90, 25, 5, format="%d %%", key="pt_ratio") / 100
    seeds = st.number_input("Seeds", 1, 20, 3, key="pt_seeds")
    with st.expander("More"):
        data = data_choice("pt_data")
        steps = st.number_input("Steps of pre-training", 1, 100_000, 200, key="pt_steps")
        tune = st.number_input("Steps of each fine-tune", 1, 100_000, 60, key="pt_tune")
        rows = st.number_input("Rows with labels", 100, 1_000_000, 300, key="pt_rows")
    arguments = ["bench", "pretraining", "--data", data, "--model", view.model]
    arguments += ["--strategy", strategy, "--ratio", str(ratio), "--steps", str(int(steps))]
    arguments += ["--tune-steps", str(int(tune)), "--rows", str(int(rows))]
    arguments += ["--seeds", str(int(seeds))]
    st.caption(f"{_RUNS} runs × {int(seeds)} seeds. The same on the command line:")
    shown = [Path(data).name if item == data else item for item in arguments]  # no path of ours
    code("maskviz " + shlex.join(shown))
    return [*arguments, "--json"], int(seeds)


def _still(job: Background, arguments: list[str]) -> None:
    kept = read_json(job.folder / "out.json")
    if kept:
        _result(Pretrained.from_dict(kept))
        return
    st.markdown("### Does reading more text without labels help the fine-tune?")
    st.markdown(
        "The encoder first goes on guessing hidden words in your texts, labels unseen; then a "
        "classifier is tuned from it on a few labelled rows. Beside it stands the same fine-tune "
        "without that reading, seed by seed."
    )
    if job.log():
        st.error(f"It stopped: {escape(job.log(1))}", icon="⚠️")
    else:
        found, command = shipped_pretraining()
        st.markdown(f"**An example: {escape(found.finding)}**")
        _figure(found)
        st.caption(EXAMPLE)
        code(command)
    if st.button("Go on" if job.log() else "Run it", type="primary", key="pt_start"):
        job.start(arguments)
        st.rerun()


@st.fragment(run_every=_POLL_SECONDS)
def _live(name: str, seeds: int) -> None:
    job = Background(name)
    if not job.alive:
        st.rerun()
    begun = [line for line in job.log(_RUNS * seeds).splitlines() if ", seed " in line]
    st.markdown("### Pre-training, then the fine-tune with it and without it")
    done = max(0, len(begun) - 1) / (_RUNS * seeds)
    st.progress(min(1.0, done), escape(begun[-1]) if begun else "Starting …")
    st.button("Stop", on_click=job.stop, key="pt_stop", help="What is finished stays.")


def _result(found: Pretrained) -> None:
    st.markdown(f"### {escape(found.finding)}")
    _figure(found)
    st.caption("All runs are in the table of Runs.")


def _figure(found: Pretrained) -> None:
    chart(pretraining_figure(found), "pt_figure")
    st.caption("A line is one seed: it rises where reading more helped.")
