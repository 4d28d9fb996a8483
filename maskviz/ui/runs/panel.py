"""One run as it goes: progress, curves, log, Cancel; the finding when it is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import streamlit as st

from maskviz import runs
from maskviz.errors import MaskvizError
from maskviz.figures.runs import (
    accuracy_figure,
    gradient_figure,
    loss_figure,
    measured,
    rate_figure,
    speed_figure,
)
from maskviz.models.locate import public_name
from maskviz.runs import Run
from maskviz.runs.engines import worker_log
from maskviz.runs.export import packed, push, script_packed
from maskviz.text.percent import percent
from maskviz.training.loop.metrics import HEADLINES
from maskviz.training.spec.spec import CAUSAL
from maskviz.ui.runs import form as runs_form
from maskviz.ui.runs import groups as runs_groups
from maskviz.ui.shared import state
from maskviz.ui.shared.chart import chart
from maskviz.ui.shared.code import code
from maskviz.ui.shared.grid import grid
from maskviz.ui.shared.page import errors, escape

CHIPS = {
    "queued": ("queued", "gray"),
    "running": ("running", "blue"),
    "done": ("done", "green"),
    "failed": ("failed", "red"),
    "cancelled": ("cancelled", "orange"),
}
ANCHOR = "run"  # of the headline, for a link from below
_POLL_SECONDS = 1.0


_SHOWN: dict[str, Callable[[float], str]] = {
    "accuracy": partial(percent, digits=1),
    "micro_f1": "{:.3f}".format,
    "mae": "{:.3g}".format,
}
_WORKER_PATIENCE = 30.0  # seconds a queued run may wait for a worker before the page says so


def chip(run: Run) -> str:
    """Return the state as a coloured badge in Markdown."""
    name, colour = CHIPS[run.state]
    return f":{colour}-badge[{name}]"


def chosen_run() -> Run | None:
    """Return the run to show: the address's, else one in training, one that waits, the newest.

    One that is not over stays in the address, so that the page keeps to it when it ends.
    """
    asked = st.query_params.get("run")
    if asked:
        try:
            return runs.load_run(asked)
        except MaskvizError:
            st.toast(f"There is no run {escape(asked[:40])} any more.")
            del st.query_params["run"]
    found = runs.list_runs()
    by_state = ([run for run in found if run.state == state] for state in ("running", "queued"))
    run = next((run for runs_so in (*by_state, found) for run in runs_so), None)
    if run is not None and not run.is_over:
        st.query_params["run"] = run.id
    return run


def headline(run: Run) -> None:
    """The answer, over the whole page: what the run found, or how far it is."""
    if run.is_over:
        st.subheader(escape(run.reason or run.state), anchor=ANCHOR)
    else:
        _live_headline(run.id)


def show(run: Run) -> None:
    """Draw the run; while it is active the drawing repeats by itself."""
    if run.is_over:
        _ended(run)
    else:
        _live(run.id)


@st.fragment(run_every=_POLL_SECONDS)
def _live_headline(run_id: str) -> None:
    with errors():
        st.subheader(_so_far(runs.load_run(run_id)), anchor=ANCHOR)


def _so_far(run: Run) -> str:
    if run.state == "queued":
        ahead = _ahead(run, runs.list_runs())
        return f"Waiting for its turn{f', {ahead} before it' if ahead else ''}"
    left = _left(run)
    for figure, name in HEADLINES.items():  # the first that a run has
        said = [
            f"{_SHOWN[figure](run.metrics[f'{figure}_{mask}'])} {mask}"
            for mask in ("plain", "masked")
            if f"{figure}_{mask}" in run.metrics
        ]
        if said:
            return f"{name} {', '.join(said)} so far{left}"
    return f"{escape(run.phase).capitalize() or 'Starting'}{left or ' …'}"


@st.fragment(run_every=_POLL_SECONDS)
def _live(run_id: str) -> None:
    with errors():
        run = runs.load_run(run_id)
        if run.is_over:
            st.rerun()  # the whole page: other parts change with the run's end, and polling stops
        st.markdown(f"{chip(run)} {escape(run.id)}")
        st.caption(_asked(run))
        _progress(run)
        _curves(run)
        _log(run)


def _asked(run: Run) -> str:
    """Say in a line what was asked for: the form above may ask for something else by now."""
    spec = run.spec
    parts = [public_name(spec.model), Path(spec.data.path).name, str(spec.masking)]
    return escape("  ·  ".join([*parts, f"seed {spec.seed}"]))


def _progress(run: Run) -> None:
    if run.state == "queued":
        _queued(run)
        return
    share = min(1.0, run.step / run.steps) if run.steps else 0.0
    left = _left(run)
    text = f"Step {run.step:,} of {run.steps:,}{left}" if run.steps else run.phase
    if run.phase not in ("", "training"):
        text = f"{run.phase.capitalize()} …"
    if stopping := run.cancel_requested is not None:
        text = "Cancelled: it stops at its next step and keeps its checkpoint …"
    bar, button = st.columns([5, 1], vertical_alignment="bottom")
    bar.progress(share, text)
    button.button(
        "Cancel", key=f"cancel_{run.id}", on_click=_act, args=(runs.cancel, run.id),
        disabled=stopping,
    )  # fmt: skip
    speed = f"{run.tokens_per_second:,.0f} tokens/s" if run.tokens_per_second else ""
    use = f" ({percent(run.device_use, 0)} busy)" if run.device_use is not None else ""
    parts = [f"{duration(run.seconds)} so far", speed, f"{run.device}{use}", run.precision]
    st.caption("  ·  ".join(filter(None, parts)))


def _queued(run: Run) -> None:
    waited = time.time() - run.created
    st.button("Cancel", key=f"cancel_{run.id}", on_click=_act, args=(runs.cancel, run.id))
    if run.engine == "ray":
        st.caption(escape(run.reason))
        return
    if runs.worker_alive():
        st.caption(_before(run))
        return
    runs.ensure_worker()
    if waited > _WORKER_PATIENCE:
        st.error("The worker does not start. It printed last:", icon="⚠️")
        code(worker_log() or "nothing")
    else:
        st.caption("The worker is starting: it loads torch once, which takes some seconds.")


def _before(run: Run) -> str:
    """Say what trains now, and how many wait before this one."""
    others = [other for other in runs.list_runs() if other.engine == "local"]
    now = [
        f"{escape(other.id)} (step {other.step:,} of {other.steps:,}{_left(other)})"
        for other in others
        if other.state == "running"
    ]
    ahead = _ahead(run, others)
    turn = f"then {ahead} more before this one" if ahead else "then this one"
    return f"In training now: {', '.join(now)}; {turn}." if now else "The worker takes it next."


def _ahead(run: Run, others: Sequence[Run]) -> int:
    return sum(other.state == "queued" and other.created < run.created for other in others)


def _left(run: Run) -> str:
    return f", {duration(run.seconds_left)} left" if run.seconds_left is not None else ""


def _act(action: Callable[[str], Run], run_id: str) -> None:
    """Do what a button asks; by the time it is pressed the run may have ended."""
    try:
        action(run_id)
    except MaskvizError as error:
        st.toast(escape(str(error)), icon="⚠️")


def _ended(run: Run) -> None:
    with errors():
        seconds = f"  ·  {duration(run.seconds)}" if run.seconds else ""
        st.markdown(f"{chip(run)} {escape(run.id)}{seconds}")
        st.caption(_asked(run))
        _next_steps(run)
        _curves(run)
        if run.state == "done":
            _results(run)
        _log(run)


def _next_steps(run: Run) -> None:
    row = st.container(horizontal=True)
    row.button(
        "Clone with changes", key=f"clone_{run.id}", on_click=runs_form.load, args=(run.spec,),
        help="Fills the form with these settings, to change and start.",
    )  # fmt: skip
    if run.state == "done":
        base = escape(run.spec.model)
        if row.button(f"Compare with {base}", type="primary", key=f"compare_{run.id}"):
            state.update(model=run.id)
            st.session_state.pop("view_model", None)
            st.switch_page("pages/compare.py")
        if run.spec.task == CAUSAL and row.button(f"Chat beside {base}", key=f"chat_{run.id}"):
            state.update(model=run.id)
            st.session_state.pop("view_model", None)
            st.switch_page("pages/chat.py")
    else:
        row.button(
            "Resume", type="primary", key=f"resume_{run.id}", on_click=_act,
            args=(runs.resume, run.id), help="Goes on from its last checkpoint.",
        )  # fmt: skip


_COLUMNS = {
    "ci95_low": "95 % from", "ci95_high": "95 % to", "macro_f1": "macro-F1",
    "micro_f1": "micro-F1", "exact_match": "all right",
    "bleu": "BLEU", "chrf": "chrF", "rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeL": "ROUGE-L",
    "written_rows": "rows written", "mae": "mean absolute error", "rmse": "RMSE",
    "pearson": "Pearson's r",
}  # fmt: skip


def _results(run: Run) -> None:
    import pandas as pd

    rows = run.result.get("evaluations", [])
    if not rows:
        return
    table = pd.DataFrame(runs_groups.without_groups(rows)).rename(columns=_COLUMNS)
    table = table.drop(columns="ci95") if "95 % from" in table and "ci95" in table else table
    known = ("accuracy", "ci95", "95 % from", "95 % to", "macro-F1", "all right")
    shares = [name for name in known if name in table]
    table[shares] = table[shares] * 100
    share = st.column_config.NumberColumn(format="%.1f %%")
    grid(table, f"{run.id}-evaluations", column_config=dict.fromkeys(shares, share))
    runs_groups.show(run)
    for note in run.result.get("notes", []):
        st.caption(escape(note))
    with st.expander("The tuned model"):
        code(str(run.model_path))
        st.caption(
            "A folder that transformers' from_pretrained loads, with a model card. Everywhere in "
            "maskviz it goes by the name of the run."
        )
        _take_away(run)
    with st.expander("Copy as code"):
        _as_code(run)


def _as_code(run: Run) -> None:
    """The run as a script of its own, with the batches that it reads, for a download."""
    st.caption(
        "A script with transformers' Trainer that does the same without maskviz, and the batches "
        "that it reads: words hidden as this run hid them."
    )
    if st.button("Write the script", key=f"script_{run.id}"):
        with errors(), st.spinner("Reading the rows …", show_time=True):
            archive, text = script_packed(run)
            code(text, "python", height=320)
            st.download_button(
                "Download ZIP", archive, f"{run.id}-script.zip", "application/zip",
                key=f"script_zip_{run.id}", on_click="ignore",
            )  # fmt: skip
    code(f"maskviz runs script {run.id} FOLDER")


def _take_away(run: Run) -> None:
    """Download the model or LoRA's matrices alone, or push them to the Hub when asked."""
    adapter = run.adapter_path is not None and st.checkbox(
        "LoRA's matrices alone", key=f"adapter_{run.id}",
        help="A small folder that PEFT loads onto the model it was tuned from; its card says how.",
    )  # fmt: skip
    if st.button("Pack it for a download", key=f"pack_{run.id}"):
        name = f"{run.id}-adapter.zip" if adapter else f"{run.id}.zip"
        st.download_button(
            "Download ZIP", packed(run.id, adapter=adapter), name, "application/zip",
            key=f"zip_{run.id}", on_click="ignore",
        )  # fmt: skip
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    repository = left.text_input(
        "Repository on the Hugging Face Hub", key=f"hub_{run.id}", placeholder="user/name",
        help="Private when new; with the login of this machine ('hf auth login').",
    )  # fmt: skip
    if right.button("Push", key=f"push_{run.id}", disabled=not repository.strip()):
        with errors(), st.spinner("Pushing …"):
            url = push(run.id, repository.strip(), adapter=adapter)
            st.success(f"It is at {url}.")


def _curves(run: Run) -> None:
    history = run.history
    if not history:
        return
    left, right = st.columns(2)
    chart(loss_figure(history), f"loss_{run.id}", left)
    if measured(history):
        figure = accuracy_figure(history)
        chart(figure, f"accuracy_{run.id}", right)
    else:
        right.caption("The figures on held-out rows come with the first evaluation.")
    if any("grad_norm" in line for line in history):
        with st.expander("Gradient norm, learning rate, speed"):
            figures = (gradient_figure, rate_figure, speed_figure)
            for place, draw in zip(st.columns(3), figures, strict=True):
                key = f"{draw.__name__}_{run.id}"
                chart(draw(history), key, place)


def _log(run: Run) -> None:
    log = run.log(200)
    if log:
        with st.expander("Log", expanded=run.state == "failed"):
            code(log, height=220)


def duration(seconds: float) -> str:
    """Return seconds as a person says them.

    >>> duration(42), duration(600), duration(9000)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
