"""An experiment in cells on the Experiments page: nothing yet, on its way, or done."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from maskviz.evidence.cells import Cells, Experiment, read_cells
from maskviz.runs.background import Background
from maskviz.ui.shared.code import code
from maskviz.ui.shared.page import escape

_POLL_SECONDS = 3.0
EXAMPLE = "An example that came with maskviz; the command measures it here."
_HELD = {True: "Holds", False: "Does not hold", None: "Cannot be told"}


@dataclass(frozen=True)
class Panel:
    """How an experiment is shown: what it is about, and its result; key: of its widgets."""

    key: str
    experiment: Experiment
    arguments: list[str]
    about: Callable[[], None]
    result: Callable[[Cells], None]

    def show(self, job: Background, cells: Cells) -> None:
        """Show the cells there are, those that came with maskviz too, or how far it is."""
        if job.alive:
            _live(self, job.name)
        else:
            self._still(job, cells)

    def _still(self, job: Background, cells: Cells) -> None:
        seeds = len(next(iter(cells.values())))
        if seeds:
            self.result(cells)
            if not _seeds_here(self.experiment):
                st.caption(EXAMPLE)
        else:
            self.about()
        if job.log() and seeds < self.experiment.seeds:
            st.caption(f"It stopped: {escape(job.log(1))}")
        if seeds < self.experiment.seeds:
            label = "Go on" if seeds else "Run the experiment"
            if st.button(label, type="primary", key=f"{self.key}_start"):
                job.start(self.arguments)
                st.rerun()

    def running(self, job: Background) -> None:
        """Show how far it is, and the seeds that are finished."""
        folder, last = self.experiment.folder, job.log(1)
        done = sum(1 for _ in folder.glob("*-*.json")) if folder.is_dir() else 0
        total = len(self.experiment.arms) * self.experiment.seeds
        st.progress(min(1.0, done / total), escape(last) or "Starting …")
        st.button("Stop", on_click=job.stop, key=f"{self.key}_stop", help="What is finished stays.")
        cells = read_cells(self.experiment)
        if next(iter(cells.values())):
            self.result(cells)
        else:
            self.about()


@st.fragment(run_every=_POLL_SECONDS)
def _live(panel: Panel, name: str) -> None:
    job = Background(name)
    if not job.alive:
        st.rerun()
    panel.running(job)


def _seeds_here(experiment: Experiment) -> int:
    return len(next(iter(read_cells(experiment).values())))


def headline(finding: str, seeds: int, experiment: Experiment) -> None:
    """Show the finding, and how many seeds it is of where some are still to come."""
    more = "" if seeds == experiment.seeds else f" So far {seeds} of {experiment.seeds} seeds."
    st.markdown(f"### {escape(finding + more)}")


def verdicts_list(verdicts: Sequence[tuple[str, bool | None, str]]) -> None:
    """Show each part of the claim, and whether it held."""
    st.markdown("**What was claimed, and what came out**")
    for claim, held, said in verdicts:
        st.markdown(f"- **{_HELD[held]}**: {escape(claim)}: {escape(said)}")


def command(arms: Sequence[Any], seeds: int, arguments: Sequence[str]) -> None:
    """Show how many cells there are, and the same on the command line."""
    st.caption(f"{len(arms)} arms × {seeds} seeds. The same on the command line:")
    code(shlex.join(["maskviz", *(a for a in arguments if a != "--json")]))
