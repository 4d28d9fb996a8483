"""Which comparison of a file is shown: by its address, by what runs, by what was found earlier."""

from __future__ import annotations

import os
from pathlib import Path

import streamlit as st

from maskviz.evidence.jobs import jobs
from maskviz.text.listed import listed
from maskviz.ui.shared import state, table
from maskviz.ui.shared.page import escape

TABS = {"compare": "A file", "shortcuts": "What it leans on", "fairness": "Fairness"}
_KEY = "comparison_shown"  # kind → id of the one that is shown


def open_asked() -> str | None:
    """Show the comparison that the address asks for; return its tab, None where it asks for none.

    Its file is open then, too.
    """
    asked = state.asked_anew("result")
    if not asked:
        return None
    job = jobs.find(asked)
    if job is None or job.spec.get("kind") not in TABS:
        st.toast(f"There is no comparison {escape(asked[:40])} any more.")
        return None
    show(job)
    return TABS[job.spec["kind"]]


def show(job: jobs.Job) -> None:
    """Show a comparison where its kind stands, and open its file."""
    spec = job.spec
    _shown()[spec["kind"]] = job.id
    if table.opened() is None and Path(spec["source"]).is_file():
        table.open_table(spec["name"], Path(spec["source"]))


def leave(kind: str) -> None:
    """Show no comparison of this kind, so that another can be begun."""
    _shown().pop(kind, None)


def shown(kind: str) -> jobs.Job | None:
    """Return the comparison of this kind that is shown."""
    return jobs.find(_shown().get(kind, ""))


def _shown() -> dict[str, str]:
    found: dict[str, str] = st.session_state.setdefault(_KEY, {})
    return found


def address(kind: str) -> dict[str, str]:
    """Return what the address needs to show the comparison again."""
    job = shown(kind)
    return {"result": job.id} if job else {}


def what(job: jobs.Job) -> str:
    """Say in one line what a comparison is: file, strategies, model.

    >>> what(job)
    'films.csv: random, entity on mini'
    """
    spec, given = job.spec, job.spec["arguments"]
    hiding = ", ".join(given.get("strategies", ())) or "no mask"
    if spec["kind"] == "shortcuts":
        hiding = "what it leans on,"
    swaps = f"{listed(given['swap'])} swapped; " if given.get("swap") else ""
    beside = f" beside {given['beside']}" if given.get("beside") else ""
    return f"{spec['name']}: {swaps}{hiding} on {given['model']}{beside}"


def others(kind: str) -> None:
    """List the comparisons that run, in sight, and those that have ended, folded away.

    On a shared server they are others' too, and not listed.
    """
    if os.environ.get("MASKVIZ_MODELS"):
        return
    own = shown(kind)
    found = [j for j in jobs.recent() if j.spec.get("kind") == kind and (own is None or j != own)]
    states = {job.id: job.status() for job in found}
    for job in found:
        if not states[job.id].ended:
            _line(job, states[job.id])
    over = [job for job in found if states[job.id].ended]
    if over:
        with st.expander(f"Earlier comparisons ({len(over)})"):
            for job in over:
                _line(job, states[job.id])


def _line(job: jobs.Job, status: jobs.Status) -> None:
    line, button = st.columns([6, 1], vertical_alignment="center")
    when = f"{job.id[6:8]}.{job.id[4:6]}. {job.id[9:11]}:{job.id[11:13]}"
    far = f"{status.done:,} of {status.total:,} rows" if status.total else "no rows yet"
    line.markdown(f"{escape(what(job))}  \n{when}: {status.state}, {far}")
    if button.button("Show", key=f"show_{job.id}", width="stretch"):
        show(job)
        st.rerun()
