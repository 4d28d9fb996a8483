"""The table that travels with the user: uploaded once, open on every page until it is replaced."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from maskviz.data import make_example, preview
from maskviz.data.hub import PREFIX, resolve
from maskviz.data.uploads import keep, kept, kept_as
from maskviz.ui.shared import state
from maskviz.ui.shared.page import errors, escape

TYPES = ["csv", "tsv", "txt", "jsonl", "parquet"]
_KEY = "maskviz_table"


def opened() -> tuple[str, Path] | None:
    """Return name and path of the table that is open, also by a link; None where there is none."""
    asked = state.asked_anew("file")
    if asked and (path := kept(asked)) is not None:
        open_table(path.name, path)
    found: tuple[str, Path] | None = st.session_state.get(_KEY)
    return found if found is not None and found[1].is_file() else None


def open_table(name: str, path: Path) -> None:
    """Make a table the one that every page reads."""
    st.session_state[_KEY] = (name, path)


def address() -> dict[str, str]:
    """Return what a link needs to open the table again: an upload of this machine, no other."""
    found = opened()
    written = found and kept_as(found[1])
    return {"file": written} if written else {}


def source(key: str) -> tuple[str, Path] | None:
    """Let a table be uploaded, or named on the Hub; return its name and path.

    What is open on another page is offered as it is; a file that cannot be read does not take its
    place.
    """
    uploaded = st.file_uploader(
        "A table with one text in each row",
        type=TYPES,
        key="upload_table",
        on_change=_removed,
        help="CSV (any of , ; tab |), TSV, JSON Lines or Parquet; at most 25 MB.",
    )
    own = uploaded and (uploaded.file_id, uploaded.name, uploaded.size)
    if uploaded is not None and st.session_state.get("upload_seen") != own:
        path = keep(uploaded.getvalue(), uploaded.name)
        with errors():
            preview(path, uploaded.name, 1)
            st.session_state["upload_seen"] = own
            open_table(uploaded.name, path)
        if st.session_state.get("upload_seen") != own:
            return None
    said = st.container()
    _elsewhere(key)
    found = opened()
    if found is not None:
        said.caption(escape(f"Open here and on every page: {found[0]}. Another file replaces it."))
    return found


def _removed() -> None:
    """Close the table where its upload was taken back."""
    if st.session_state.get("upload_table") is None and "upload_seen" in st.session_state:
        st.session_state.pop("upload_seen")
        st.session_state.pop(_KEY, None)


def _elsewhere(key: str) -> None:
    """Offer a data set of the Hub, and the generated one to those who have no file at hand."""
    with st.expander("Or a data set of the Hugging Face Hub"):
        name = st.text_input(
            "Data set", key=f"hub_{key}", placeholder="stanfordnlp/imdb:test",
            help="Its name, then : and the split. Only then is the Hub asked for it.",
        ).strip()  # fmt: skip
    if name and st.session_state.get("hub_seen") != name:
        with errors(), st.spinner("Fetching the data set …", show_time=True):
            open_table(name, Path(_fetched(name)))
            st.session_state["hub_seen"] = name
    if opened() is None and st.button("Try it with the example set", key=f"ask_example_{key}"):
        rows = make_example(200)[["text", "label", "distractor", "split"]]
        open_table("example.csv", keep(rows.to_csv(index=False).encode(), "example.csv"))
        st.rerun()


@st.cache_data(max_entries=8, show_spinner=False)
def _fetched(name: str) -> str:
    return str(resolve(PREFIX + name.removeprefix(PREFIX)))
