"""Sweeps on the Experiments page: a new one, its cells as they go, its results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from maskviz import sweeps
from maskviz.data import guess_columns, preview
from maskviz.data.uploads import keep
from maskviz.errors import MaskvizError
from maskviz.figures.sweeps import STATES, curves_figure, heatmap_figure, states_figure
from maskviz.report import sweep_report
from maskviz.sweeps.results import measures
from maskviz.sweeps.shipped import shipped_sweep
from maskviz.sweeps.written import number_said, unit_of
from maskviz.text.percent import percent
from maskviz.training import RunSpec
from maskviz.training.folder import ACTIVE, runs_home
from maskviz.ui.experiments.cells import EXAMPLE
from maskviz.ui.shared import fit, state
from maskviz.ui.shared.chart import chart
from maskviz.ui.shared.code import code
from maskviz.ui.shared.controls import strategies_offered
from maskviz.ui.shared.grid import grid
from maskviz.ui.shared.page import errors, escape
from maskviz.ui.shared.report_button import report_button
from maskviz.ui.shared.table import TYPES

_POLL_SECONDS = 2.0


def show(view: state.View) -> None:
    """The chosen sweep with its grid and figures; the form of a new one beside it."""
    found = sweeps.list_sweeps()
    picture, choice = st.columns([5, 2], gap="large")
    with choice, errors():
        _form(view)
    with picture, errors():
        if not found:
            _empty()
            return
        names = [sweep.id for sweep in found]
        asked = st.session_state.pop("sweep_started", None)
        if asked in names:
            st.session_state["sweep_shown"] = asked
        said = {sweep.id: _named(sweep) for sweep in found}
        chosen = st.selectbox("Sweep", names, key="sweep_shown", format_func=said.__getitem__)
        sweep = found[names.index(chosen)]
        if set(ACTIVE) & set(sweep.states().values()):
            _live(sweep.id)
        else:
            _still(sweep)


def _named(sweep: sweeps.Sweep) -> str:
    """Return what a sweep tries, on which data, and the end of its id."""
    spec = sweep.spec
    count = f"{spec.seeds} seed{'s' * (spec.seeds != 1)}"
    tried = f"{', '.join(spec.strategies)}; {count}; {_shown(spec.base.data.path)}"
    return f"{tried} ({sweep.id.removeprefix('sweep-')})"


def _empty() -> None:
    """What a sweep is, and what came out of one that is finished."""
    found, command = shipped_sweep()
    st.markdown("### Which strategy, which ratio? Measure it on your own data")
    st.markdown(
        "A sweep trains every strategy with every ratio over several seeds. In each one are a "
        "plain baseline and, for each strategy, random masks that hide as many words as it does: "
        "without them a difference says nothing."
    )
    st.markdown(f"**An example: {escape(found.finding)}**")
    _charts(found, "example")
    st.caption(EXAMPLE)
    code(command)


def _form(view: state.View) -> None:
    st.markdown("**A new sweep**")
    strategies = st.multiselect(
        "Strategies", strategies_offered(), default=["random", "attribute"], key="sw_strategies"
    )
    ratios = st.text_input(
        "Ratios, with commas", "0.15, 0.3", key="sw_ratios",
        help="0 leaves a strategy its own; of those that hide all that matches it is the most.",
    )  # fmt: skip
    seeds = st.number_input("Seeds", 1, 20, 5, key="sw_seeds")
    with st.expander("More"):
        operators = st.multiselect(
            "Operators",
            fit.operators(view.model),
            [fit.operator(view.model, "mask")],
            key=f"sw_operators_{view.model}",
        )
        steps = st.number_input("Steps of each run", 1, 100_000, 100, key="sw_steps")
        rows = st.number_input("Rows of the data", 100, 1_000_000, 1000, key="sw_rows")
        data = data_choice("sw_data")
        groups = _groups(data)
    if not st.button("Start the sweep", type="primary", key="sw_start"):
        return
    spec = sweeps.SweepSpec(
        tuple(strategies), tuple(operators), _ratios(ratios), int(seeds),
        RunSpec.build(
            path=data, model=view.model, max_steps=int(steps), max_rows=int(rows),
            group_columns=",".join(groups),
        ),
    )  # fmt: skip
    with st.spinner("Measuring what each strategy hides …", show_time=True):
        sweep = sweeps.start(spec)
    st.session_state["sweep_started"] = sweep.id
    st.rerun()


def _groups(path: str) -> list[str]:
    """Ask which columns of the data are groups."""
    columns = ["distractor", "label"]
    if path != "example":
        head = preview(path, rows=50)
        columns = [str(c) for c in head.columns if c != guess_columns(head).text]
    return st.multiselect(
        "Columns with groups", [c for c in columns if "," not in c], key=f"sw_groups_{path}",
        help="Whom does each setting fail? Adds the accuracy of the worst group to the measures.",
    )  # fmt: skip


def data_choice(key: str) -> str:
    """Ask for the data: the example set, a table that a run here has used, or one's own."""
    chosen = st.selectbox(
        "Data", _data(), key=key, format_func=_shown,
        help="The example set, or a table that a run here has used.",
    )  # fmt: skip
    given = st.file_uploader(
        "Or a table of your own", TYPES, key=f"{key}_file",
        help="A text and a label in each row: CSV, TSV, JSON Lines or Parquet; at most 25 MB.",
    )  # fmt: skip
    if given is None:
        return chosen
    path = keep(given.getvalue(), given.name)
    found = guess_columns(preview(path, given.name, 50))
    st.caption(escape(f"Text: {found.text}. Label: {found.label or 'none'}."))
    return str(path)


def _data() -> list[str]:
    """Return the tables that runs here have used: a page opens no other of the server's files."""
    from maskviz.runs import list_runs

    used = [run.spec.data.path for run in list_runs()] if any(runs_home().iterdir()) else []
    return list(dict.fromkeys(["example", *used]))


def _shown(path: str) -> str:
    from pathlib import Path

    return "Example set" if path == "example" else Path(path).name


def _ratios(written: str) -> tuple[float | None, ...]:
    from maskviz.errors import ParameterError

    try:
        numbers = [float(item) for item in written.split(",") if item.strip()]
    except ValueError:
        raise ParameterError(
            f"The ratios {written[:40]!r} are not numbers: write such as 0.15, 0.3."
        ) from None
    return tuple(number or None for number in numbers)


@st.fragment(run_every=_POLL_SECONDS)
def _live(sweep_id: str) -> None:
    sweep = sweeps.load_sweep(sweep_id)
    sweeps.watch(sweep)
    states = sweep.states()
    if not set(ACTIVE) & set(states.values()):
        st.rerun()
    _figures(sweep)
    st.button("Cancel what is not finished", key="sw_cancel", on_click=_cancel, args=(sweep_id,))


def _cancel(sweep_id: str) -> None:
    try:
        sweeps.cancel_sweep(sweeps.load_sweep(sweep_id))
    except MaskvizError as error:
        st.toast(escape(str(error)), icon="⚠️")


def _measure(sweep: sweeps.Sweep) -> str:
    """Return the chosen measure; one that another sweep alone has is dropped."""
    if st.session_state.get("sw_measure") not in measures(sweep):
        st.session_state["sw_measure"] = "accuracy"
    return str(st.session_state["sw_measure"])


def _still(sweep: sweeps.Sweep) -> None:
    _figures(sweep)
    measure = _measure(sweep)
    report_button(lambda: sweep_report(sweep, measure), "sw_report")
    if set(sweep.states().values()) != {"done"} and st.button(
        "Go on", type="primary", key="sw_go_on", help="Finished cells are not run again."
    ):
        sweeps.advance(sweep)
        st.rerun()


def _figures(sweep: sweeps.Sweep) -> None:
    found = sweeps.results(sweep, _measure(sweep))
    counts = Counter(sweep.states().values())
    st.markdown(f"### {escape(found.finding)}")
    st.progress(
        counts["done"] / len(sweep.cells), f"{counts['done']} of {len(sweep.cells)} cells done"
    )
    if counts["done"] < len(sweep.cells):
        chart(states_figure(sweep, sweep.states()), "sw_states")
        st.caption(", ".join(f"{STATES[name][1]} {name} {n}" for name, n in counts.items()))
    if any(g.values for g in found.grid):
        st.selectbox("Measure", measures(sweep), key="sw_measure")
        _charts(found, sweep.id)


def _charts(found: sweeps.Results, name: str) -> None:
    chart(curves_figure(found), "sw_curves")
    chart(heatmap_figure(found), "sw_heatmap")
    grid(_table(found.groups, found.measure), f"{name}-results")


def _table(groups: Sequence[sweeps.Group], measure: str) -> pd.DataFrame:
    """Return a row for each setting; the seeds stand there where they are not the same for all."""
    table = pd.DataFrame([_row(group, measure) for group in groups])
    return table.drop(columns="seeds") if table["seeds"].nunique() == 1 else table


def _row(group: sweeps.Group, measure: str) -> dict[str, object]:
    mean, low, high = (number_said(measure, value) for value in group.interval)
    interval = f" ({low} to {high})" if len(group.values) > 1 else ""
    return {
        "setting": group.name,
        "hidden": percent(group.realised, 1),
        "seeds": len(group.values),
        f"mean, {unit_of(measure)} (95 %)": f"{mean}{interval}" if group.values else "–",
        "against plain": _change(group.against_plain, measure),
        "against control": _change(group.against_control, measure),
    }


def _change(interval: tuple[float, float, float] | None, measure: str) -> str:
    if interval is None:
        return "–"
    mean, low, high = (number_said(measure, value, signed=True) for value in interval)
    return mean if interval[1] != interval[1] else f"{mean} ({low} to {high})"
