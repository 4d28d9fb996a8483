"""The data of a fine-tune: the generated set, or a table of one's own."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from maskviz.data import guess_columns, make_example, preview
from maskviz.data.distractor import KINDS
from maskviz.data.labels import joined_columns, labels_of, named_columns
from maskviz.data.uploads import keep
from maskviz.errors import DataError
from maskviz.training import RunSpec
from maskviz.training.data.rows import EXAMPLE_TALKS
from maskviz.training.spec.spec import CAUSAL, EXAMPLE, MULTI, REGRESSION
from maskviz.ui.runs import groups as runs_groups
from maskviz.ui.runs import lesson as runs_lesson
from maskviz.ui.runs.fields import EXAMPLE_SET, OWN_FILE, TALKS, field, values
from maskviz.ui.shared import state, table
from maskviz.ui.shared.grid import in_names
from maskviz.ui.shared.page import escape

# The strategy that finds a kind of distractor.
_HIDERS = {"name": "attribute", "place": "entity", "age": "attribute", "gender": "attribute"}


def show() -> dict[str, Any] | None:
    """Draw the fields; return the settings of the data, None while there is no file."""
    st.subheader("Data")
    source = field(
        st.segmented_control,
        "Data",
        "source",
        [EXAMPLE_SET, TALKS, OWN_FILE],
        label_visibility="collapsed",
        required=True,
    )
    if source == TALKS:
        return _talks()
    return _example() if source == EXAMPLE_SET else _upload()


def _talks() -> dict[str, Any]:
    st.caption(
        "Generated conversations: some facts, one sentence that has nothing to do with them, a "
        "question and its answer. They teach a decoder, such as mini-chat."
    )
    own = runs_lesson.fields(EXAMPLE)
    marks = _marks(["irrelevant"])
    return {"path": EXAMPLE, "max_rows": EXAMPLE_TALKS, "task": CAUSAL, **own, **marks}


def _marks(names: list[str]) -> dict[str, str]:
    """Ask which column marks what is hidden in training; empty where none does."""
    kept = values()
    if kept["ft_spans"] not in names:
        kept["ft_spans"] = ""
        st.session_state.pop("ft_spans", None)
    chosen = field(
        st.selectbox, "Marked words to hide", "spans", ["", *names],
        format_func=lambda name: name or "none: a strategy chooses",
        help="A column with a list for each row: [start, end] places, or words. It stands in the "
        "place of a strategy.",
    )  # fmt: skip
    return {"spans_column": chosen} if chosen else {}


def _example() -> dict[str, Any]:
    left, right = st.columns(2)
    with left:
        kind = field(
            st.selectbox, "Distractor", "kind", list(KINDS),
            help="What is planted in each text: it says nothing, and yet goes with the label.",
        )  # fmt: skip
    with right:
        rows = field(
            st.number_input, "Rows", "rows", 100, 20_000, step=100,
            help="To train on; a fifth of it more for each of dev and the three tests.",
        )  # fmt: skip
    strength = field(
        st.slider, "Tie to the label", "strength", 50, 100, format="%d %%",
        help="How often the distractor fits the label in training; 50 % is no tie at all.",
    )  # fmt: skip
    st.caption(
        f"Generated reviews, good or bad. In {strength} % of them the {kind} goes with the label. "
        f"The tests turn this round: a model that leans on the {kind} fails there."
    )
    hider = _HIDERS[kind]
    if state.current().strategy != hider or not values()["ft_hide"]:
        st.button(
            f"Hide the {kind}s in training", on_click=_hide_with, args=(hider,),
            help=f"Chooses the strategy {hider}.",
        )  # fmt: skip
    groups = runs_groups.fields(["distractor", "label"])
    asked = {"path": EXAMPLE, "kind": kind, "strength": strength / 100, "max_rows": int(rows)}
    return {**asked, **groups}


def _hide_with(strategy: str) -> None:
    values()["ft_hide"] = True
    st.session_state.pop("ft_hide", None)
    state.open_view(replace(state.current(), strategy=strategy, ratio=None, parameters={},
                            saved=None, edited=None, second=None, sign="beside"))  # fmt: skip


def _upload() -> dict[str, Any] | None:
    file = st.file_uploader(
        "A table with a text and a label in each row (CSV, TSV, JSONL or Parquet)",
        key="ft_file",  # any type: what is none of these is told what to do, not only refused
        help="CSV may be separated by comma, semicolon, tab or bar. The table stays on this "
        "machine. A column `split` with `train` and `dev` is heeded.",
    )
    _take_opened()
    path = str(keep(file.getvalue(), file.name)) if file else values().get("upload")
    if not path:
        return None
    learns = _learns()
    head = _head(path)
    if head.empty:
        raise DataError("The file has a header and no rows: add at least one row.")
    values()["upload"] = path  # only now: one that cannot be read goes with its widget
    if file is not None:
        values()["opened"] = path
        table.open_table(file.name, Path(path))
    if file is None:
        st.caption(f"Chosen before: {escape(Path(path).name)}")
    st.dataframe(in_names(head), height=200, hide_index=True)
    if learns == "talk":
        own = {"task": CAUSAL, **runs_lesson.fields(path)}
    else:
        own = {**_LEARNS[learns][1], **_columns(path, head, learns)}
    return {"path": path, **own, **_marks([str(c) for c in head.columns])}


def _take_opened() -> None:
    """Take the table that another page opened, once: a run that is cloned later brings its own."""
    found = table.opened()
    if found is not None and values().get("opened") != str(found[1]):
        values().update(opened=str(found[1]), upload=str(found[1]))


_LEARNS: dict[str, tuple[str, dict[str, str]]] = {
    "classes": ("One label", {}),
    "several": ("Several labels", {"problem_type": MULTI}),
    "number": ("A number", {"problem_type": REGRESSION}),
    "text": ("A text to write", {"task": "seq2seq"}),
    "hidden": ("The hidden words", {"task": "mlm"}),
    "talk": ("Its conversation", {"task": CAUSAL}),
}


def _learns() -> str:
    chosen = field(
        st.segmented_control, "What each row teaches", "learns", list(_LEARNS),
        required=True, wrap=True,
        format_func=lambda name: _LEARNS[name][0],
        help="Several labels stand in one cell, as a list or with commas, or "
        "each in a column of 0 and 1. A text to write needs "
        "an encoder–decoder, the hidden words a masked language model such as mini, a "
        "conversation (or a prompt and its response, or a text) a decoder.",
    )  # fmt: skip
    return str(chosen)


def _columns(path: str, head: pd.DataFrame, learns: str) -> dict[str, Any]:
    names = [str(c) for c in head.columns]
    if values().get("columns_of") != path:
        guess = guess_columns(head)
        values().update(columns_of=path, ft_text=guess.text, ft_label=guess.label or names[-1])
        values().update(ft_labels=[], ft_groups=[])
        for key in ("ft_text", "ft_label", "ft_labels", "ft_groups"):
            st.session_state.pop(key, None)
    left, right = st.columns(2)
    with left:
        text = field(st.selectbox, "Text column", "text", names)
    if learns == "hidden":
        return {"text_column": text}
    with right:
        if learns == "several":
            label = _several([name for name in names if name != text])
        else:
            shown = "Column to write" if learns == "text" else "Label column"
            if values()["ft_label"] not in names:  # several, of a run that was cloned
                values()["ft_label"] = names[-1]
            label = field(st.selectbox, shown, "label", names)
    if learns == "text":
        return {"text_column": text, "target_column": label}
    _say_how_read(head, label, learns)
    found = {"text_column": text, "label_column": label}
    if learns != "classes":
        return found
    return {**found, **runs_groups.fields([name for name in names if name != text])}


def _several(names: list[str]) -> str:
    """Ask for one column with several labels a row, or for one of 0 and 1 a label."""
    kept = values()
    known = kept.get("ft_labels") or _known_columns(kept["ft_label"], names)
    kept["ft_labels"] = [name for name in known if name in names] or names[-1:]
    chosen = field(
        st.multiselect, "Label column, or one a label", "labels", names,
        help="A column with several labels in a cell, or all columns that say 0 or 1 of one label.",
    )  # fmt: skip
    if not chosen:
        raise DataError("No column of labels is chosen: choose at least one.")
    return joined_columns(chosen)


def _known_columns(asked: str, names: list[str]) -> list[str]:
    return list((asked,) if asked in names else named_columns(asked))


def _say_how_read(head: pd.DataFrame, column: str, learns: str) -> None:
    """Say what the first rows are taken to teach; what cannot be read is an error here."""
    if learns not in ("classes", "several"):
        return
    shape, labels = labels_of(head, column, learns == "several")
    each = [label if learns == "several" else (label,) for label in labels if label is not None]
    counted = Counter(name for names in each for name in names).most_common(8)
    shown = ", ".join(f"{name} {count}" for name, count in counted)
    st.caption(escape(f"{shape.said} Of the first {len(head)} rows: {shown or 'no label'}."))


@st.cache_data(max_entries=8, show_spinner=False)
def _head(path: str) -> pd.DataFrame:
    return preview(path, rows=50)


def sample(spec: RunSpec) -> None:
    """Show some rows of the example set; an upload is shown in the form."""
    if spec.task == CAUSAL:
        runs_lesson.show(spec)
    elif spec.data.path == EXAMPLE:
        st.markdown("**What it learns from**")
        rows = _example_rows(spec.data.kind, spec.data.strength)
        columns = {
            name: st.column_config.TextColumn(width=width)
            for name, width in (("text", 350), ("label", 70), ("distractor", 90))
        }
        st.dataframe(rows, hide_index=True, column_config=columns)


@st.cache_data(max_entries=8, show_spinner=False)
def _example_rows(kind: str, strength: float) -> pd.DataFrame:
    return make_example(10, 0, strength, kind).head(6)[["text", "label", "distractor"]]
