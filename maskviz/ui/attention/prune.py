"""Heads silenced for good, on the Attention page: a folder, and what it costs over rows."""

from __future__ import annotations

import re

import pandas as pd
import streamlit as st

from maskviz.data import make_example, read_table
from maskviz.errors import ParameterError
from maskviz.evidence.units.prune import Pruned, prune, pruned_sentence
from maskviz.inside.units import Unit
from maskviz.paths import home
from maskviz.readings.question import Question, asked
from maskviz.ui.shared import state
from maskviz.ui.shared.asking import spec_of
from maskviz.ui.shared.code import code
from maskviz.ui.shared.page import errors, escape

_ROWS = 200  # of the example set at least
_NONE = "none"


def panel(chosen: state.View, units: tuple[Unit, ...]) -> None:
    """Write the model without the silenced heads, and say what that costs."""
    heads = [str(unit) for unit in units]
    st.caption(
        "Their rows of the output projection become zero in a folder of weights that transformers "
        "loads as it loads the model."
    )
    if not heads:
        st.caption("No head is silenced: choose one above.")
        return
    with errors():
        put = asked(chosen.model, spec_of(chosen))
        left, right = st.columns(2, gap="large", vertical_alignment="bottom")
        with left:
            name = st.text_input("Name", f"{put.model.family}-without-{'-'.join(heads)}"[:60])
        with right:
            file, text, label = _rows(put)
        if st.button(f"Write the model without {', '.join(heads)}", key="attention_prune"):
            with st.spinner("Writing, and asking both about the rows …", show_time=True):
                found = prune(
                    ",".join(heads), _folder(name), put, file, text, label, name="rows.csv"
                )
            st.session_state["attention_pruned"] = found
    _shown(st.session_state.get("attention_pruned"))


def _folder(name: str) -> str:
    """Return where a model of that name is written. Raises ParameterError for what is no name."""
    if not re.fullmatch(r"[\w.-]{1,60}", name) or name.startswith("."):
        raise ParameterError(
            f"{name[:60]!r} is no name of a folder: use up to 60 letters, digits, points and "
            "hyphens."
        )
    return str(home() / "pruned" / name)


def _rows(put: Question) -> tuple[bytes | None, str | None, str | None]:
    """Return the rows that both are asked about: a file's, or of the bundled labels examples."""
    given = st.file_uploader("Rows with labels", type=["csv", "tsv", "jsonl", "parquet"])
    if given is None:
        example = make_example(_ROWS)
        if set(example["label"]) <= set(put.outputs):
            st.caption(f"Without a file: {len(example)} example rows.")
            return _csv(example), "text", "label"
        return None, None, None
    frame = read_table(given.getvalue(), given.name)
    columns = list(map(str, frame.columns))
    text = st.selectbox("Texts", columns, key="attention_prune_text")
    label = st.selectbox("Labels", [_NONE, *columns], key="attention_prune_label")
    return _csv(frame), text, None if label == _NONE else label


def _csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


def _shown(found: Pruned | None) -> None:
    if found is None:
        return
    st.markdown(f"**{escape(pruned_sentence(found))}**")
    code(f'maskviz compare "…" --model {found.folder}', "sh")
