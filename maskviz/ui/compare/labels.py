"""The table that says which of the model's labels those of a file stand for."""

from __future__ import annotations

import json
from pathlib import Path

import streamlit as st

from maskviz.data.label_map import MOST, Guess, guesses, label_values
from maskviz.data.uploads import remember, remembered
from maskviz.evidence.text.scale import visible
from maskviz.readings.question import Question
from maskviz.ui.shared.page import escape

_OUT = "leave these rows out"
_OPEN = "not said yet"
_BY = {
    "begin": "by how it begins", "meaning": "by its meaning", "order": "by order",
    "place": "by place, 1 for the first",
}  # fmt: skip


_NONE = "take none as label column (flip rates need no labels)"


def label_map(
    path: Path, name: str, put: Question, column: str | None, key: str
) -> dict[str, str | None] | None:
    """Ask which label each value stands for; None until all are said, empty where none need be.

    It opens with what was said of this file before, else with a guess.
    """
    with st.container():  # what it says comes and goes: an open expander behind it would close
        return _label_map(path, name, put, column, key)


def _label_map(
    path: Path, name: str, put: Question, column: str | None, key: str
) -> dict[str, str | None] | None:
    if put.head in ("regression", "likelihood") or not column:
        return {}
    values = _values(str(path), path.stat().st_mtime_ns, column, put.head == "multi", name)
    found = guesses(list(values), put.outputs)
    if all(guess.sure for guess in found) and not _told(path, put, column):
        return {}
    if len(values) > MOST:
        st.error(escape(
            f"The column {column!r} has {len(values):,} different values, and labels are told of "
            f"{MOST} at most: choose another label column, or {_NONE}."
        ), icon="⚠️")  # fmt: skip
        return None
    chosen = _table(path, values, found, put, column, key)
    unsaid = [value for value, label in chosen.items() if label == _OPEN]
    if unsaid:
        st.info(escape(
            f"Which label of {put.model.name!r} does {_listed(unsaid)} stand for? Choose one "
            f"above, leave these rows out, or {_NONE}."
        ))  # fmt: skip
        return None
    told = {value: None if label == _OUT else label for value, label in chosen.items()}
    if told != _told(path, put, column):
        remember(path, _kept_as(put, column), told)
    return told


def _kept_as(put: Question, column: str) -> str:
    return json.dumps([column, put.model.name, put.name, list(put.outputs)])


def _told(path: Path, put: Question, column: str) -> dict[str, str | None]:
    """Return what was said of this file before, as far as the model still has these labels."""
    kept = remembered(path, _kept_as(put, column)) or {}
    return {v: label for v, label in kept.items() if label is None or label in put.outputs}


@st.cache_data(max_entries=32, show_spinner="Reading the labels …", show_time=True)
def _values(path: str, _modified: int, column: str, several: bool, name: str) -> dict[str, int]:
    return label_values(path, column, several, name)


def _table(
    path: Path,
    values: dict[str, int],
    found: list[Guess],
    put: Question,
    column: str,
    key: str,
) -> dict[str, str]:
    """One choice for each value, three in a row."""
    told = _told(path, put, column)
    st.markdown(f"**Which label of {escape(put.model.name)} does each value stand for?**")
    guessed = sorted({_BY[g.how] for g in found if g.how in _BY and g.value not in told})
    if guessed:
        st.caption(f"Guessed {', '.join(guessed)}: look through it once. It is kept with the file.")
    options, chosen = [_OPEN, *put.outputs, _OUT], {}
    columns = st.columns(min(3, len(values)))
    for i, guess in enumerate(found):
        before = told.get(guess.value, guess.label or _OPEN)
        first = _OUT if before is None else before
        rows = f" ({values[guess.value]:,})" if values[guess.value] else ""
        chosen[guess.value] = columns[i % len(columns)].selectbox(
            escape(f"{guess.value[:40]}{rows}"), options, options.index(first),
            key=f"lv{key}_{column}_{put.model.name}_{guess.value}", format_func=visible,
        )  # fmt: skip
    return chosen


def _listed(values: list[str]) -> str:
    shown = ", ".join(repr(value[:40]) for value in values[:6])
    return shown + (f" and {len(values) - 6} more" if len(values) > 6 else "")
