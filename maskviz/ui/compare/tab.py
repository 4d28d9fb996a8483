"""A tab for whole files: what runs or was found on top, what is asked for folded beneath."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from maskviz.evidence.jobs.jobs import Job
from maskviz.ui.compare import shown
from maskviz.ui.shared.page import errors, escape
from maskviz.ui.shared.table import source


def tab(
    kind: str,
    key: str,
    *,
    result: Callable[[Job], None],
    form: Callable[[str, Path], None],
    asks: Callable[[str], str],
    empty: tuple[str, str],
) -> None:
    """Upload, choose, run; the result stays until another file is taken.

    kind: of the jobs. key: of the uploader. result, form: draw a job, and what is asked of a file
    by its name and path. asks: the headline of a file, by its name as Markdown. empty: headline
    and caption where there is no file.
    """
    job = shown.shown(kind)
    if job is not None:
        result(job)
    above = st.container()
    shown.others(kind)
    with _folded(job):
        given = source(key)
        if given is not None:
            with errors():
                form(*given)
    if job is not None:
        return
    headline, caption = (asks(escape(given[0])), "") if given else empty
    above.markdown(f"### {headline}")
    if caption:
        above.caption(caption)


def _folded(job: Job | None) -> Any:
    """Where the form goes: folded away under a comparison, whose progress is then in sight."""
    return st.container() if job is None else st.expander("Compare another file, or in another way")
