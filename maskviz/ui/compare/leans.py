"""The Compare page over a file: what the model leans on there, and for whom."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from maskviz.data import guess_columns, preview
from maskviz.data.labels import joined_columns
from maskviz.evidence.chance.verdict import LEVEL
from maskviz.evidence.jobs import jobs
from maskviz.evidence.shortcuts.measured import Measured
from maskviz.evidence.shortcuts.result import Leaning, Part, Shortcuts
from maskviz.readings.question import asked
from maskviz.text.percent import number
from maskviz.ui.compare.file import (
    begin,
    checked,
    cluster_control,
    head,
    label_columns,
    long_control,
)
from maskviz.ui.compare.labels import label_map
from maskviz.ui.compare.result import row_said
from maskviz.ui.compare.tab import tab
from maskviz.ui.shared import state
from maskviz.ui.shared.asking import question_controls, question_more, spec_of
from maskviz.ui.shared.controls import operator_control_of
from maskviz.ui.shared.grid import grid, in_names
from maskviz.ui.shared.page import escape

KIND = "shortcuts"
_EMPTY = (
    "Drop a labelled file to learn what the model leans on in it.",
    "Words, names, parts of speech and more are looked for on one half of the rows; what is said "
    "of them is measured on the other half, beside hiding as much of something else.",
)
_SHOWN = 10
_UNASKED = {"answer_column": None, "conversations": False}  # of a file, not asked here
_NUMBER = st.column_config.NumberColumn
_COLUMNS = {
    "rows": _NUMBER(format="localized"),
    "share": _NUMBER(format="percent", help="Of the rows that were measured."),
    "moves": _NUMBER(format="%.2f", help="Mean |Δ| of the answer where it is hidden."),
    "others": _NUMBER(
        format="%.2f", help="The same where as much of something else is hidden in the same rows."
    ),
    "beyond": _NUMBER(format="%+.2f"),
    "flips": _NUMBER(format="percent"),
    "accuracy plain": _NUMBER(format="percent"),
    "accuracy masked": _NUMBER(format="percent"),
    "q": _NUMBER(
        format="%.2g",
        help="Sign-flip test over rows or clusters, Benjamini–Yekutieli over all candidates.",
    ),
}


def show(view: state.View) -> None:
    """Upload, choose, run; the result stays until another file is searched."""
    tab(
        KIND,
        "leans",
        result=lambda job: _job(view, job),
        form=lambda name, path: _form(view, name, path),
        asks=lambda name: f"What does {escape(view.model)} lean on in {name}?",
        empty=_EMPTY,
    )


def _form(view: state.View, name: str, path: Path) -> None:
    rows = preview(path, name, 200)
    guessed, columns = guess_columns(rows), [str(c) for c in rows.columns]
    key = "leans" + hashlib.sha256(str(path).encode()).hexdigest()[:12]
    st.dataframe(in_names(rows.head(5)), hide_index=True, width="stretch")
    question_controls(view)
    view = state.current()
    question = spec_of(view)
    put = asked(view.model, question)
    left, right = st.columns(2)
    text = left.selectbox("Text column", columns, columns.index(str(guessed.text)), key=f"t{key}")
    with right:
        labels = label_columns(put, str(guessed.label), [c for c in columns if c != text], key)
    column = joined_columns(labels) if labels else None
    told = label_map(path, name, put, column, key)
    others = [c for c in columns if c not in (text, *labels)]
    groups = st.multiselect(
        "Columns with groups", others, key=f"g{key}", help="For whom does it count?"
    )
    irrelevant = st.text_input(
        "What should not count", key=f"i{key}", placeholder="gender, PERSON, /Sent from my .*/",
        help="Attributes, entity types, parts of speech, patterns between slashes or words, with "
        "commas. What is found of it is called a shortcut.",
    )  # fmt: skip
    given = {
        "text_column": text,
        "label_column": column,
        "label_map": told or None,
        "model": view.model,
        "question": question,
        "group_columns": groups,
        "irrelevant": [item.strip() for item in irrelevant.split(",") if item.strip()],
        "seed": view.seed,
        **_more(view, others, key),
    }
    fits = told is not None and checked(path, name, {**given, **_UNASKED, "by": groups}, "searched")
    if st.button("Search all rows", type="primary", disabled=not fits):
        begin(KIND, name, path, given)


def _more(view: state.View, columns: list[str], key: str) -> dict[str, Any]:
    """What is asked for less often, folded away."""
    with st.expander("More"):
        operator = operator_control_of(view.operator, f"o{key}", view.model)
        question_more(view)
        limit = st.number_input("Rows, 0 for all", 0, 10_000_000, 0, key=f"n{key}")
        shared = cluster_control(columns, f"c{key}")
        long = long_control(f"w{key}")
    return {"operator": operator, "limit": int(limit) or None, "cluster": shared, "long": long}


def _job(view: state.View, job: jobs.Job) -> None:
    """Progress while it runs, then the result; what is there so far is shown in both."""
    head(job, job.status())
    found = job.result()
    if found:
        _result(view, Shortcuts.from_dict(found))


def _result(view: state.View, result: Shortcuts) -> None:
    st.markdown(f"### {escape(result.finding)}")
    for note in result.notes:
        st.caption(escape(note))
    if not result.leanings:
        return
    grid(pd.DataFrame([_record(one) for one in result.leanings]), "leans", column_config=_COLUMNS)
    _length(result)
    if result.found:
        _groups(result)
        _worst(view, result)


def _record(one: Leaning) -> dict[str, Any]:
    said = "shortcut" if one.shortcut else "leans on it" if one.found else ""
    return {
        "what": one.name,
        "verdict": f"as {one.covered_by}" if one.covered_by else said,
        "speaks for": (one.found and one.towards) or "",
        **_figures(one.all),
        "q": one.q_value,
    }


def _figures(part: Part) -> dict[str, Any]:
    interval = None if part.ci95 is None else f"{part.ci95[0]:+.2f} to {part.ci95[1]:+.2f}"
    return {
        "rows": part.rows,
        "share": part.share,
        "moves": part.strength,
        "others": part.reference,
        "beyond": part.beyond,
        "95 % interval": interval,
        "flips": part.flip_rate,
        "accuracy plain": part.accuracy_plain,
        "accuracy masked": part.accuracy_masked,
    }


def _length(result: Shortcuts) -> None:
    """What no mask can hide: how answers differ with the length of a text, within labels."""
    if not result.length:
        return
    st.markdown(escape(_length_said(result.length, result.longer_than or 0)))


def _length_said(gaps: Mapping[str, Mapping[str, Any]], longer_than: int) -> str:
    """Say how answers to longer texts differ, output by output; length is not all that differs."""
    said = []
    for name, gap in gaps.items():
        what = "accuracy" if name == "accuracy" else f"the probability of {name}"
        between = "no interval"
        if gap["ci95"] is not None:
            low, high = (number(100 * end, "+.1f") for end in gap["ci95"])
            between = f"95\u00a0%: {low} to {high}"
        told = gap["q_value"] is not None and gap["q_value"] <= LEVEL
        sure = "" if told else ", not told apart from none"
        said.append(f"{what} by {number(100 * gap['gap'], '+.1f')} points ({between}{sure})")
    return (
        f"Among texts of the same label, those of more than {longer_than} words differ from "
        f"shorter ones in {'; '.join(said)}."
    )


def _groups(result: Shortcuts) -> None:
    """In which share of each group's rows it stands, and how far it moves the answer there."""
    columns = list(result.group_rows)
    if not columns:
        return
    st.markdown("**For whom**")
    name = st.pills(
        "What", [one.name for one in result.found], default=result.found[0].name, required=True,
        wrap=True, key="leans_what", label_visibility="collapsed",
    )  # fmt: skip
    one = next(one for one in result.found if one.name == name)
    rows = [
        {column: value, **_figures(part)}
        for column, values in one.groups.items()
        for value, part in values.items()
    ]
    grid(pd.DataFrame(rows), "leans_groups", column_config=_COLUMNS)


def _worst(view: state.View, result: Shortcuts) -> None:
    """The rows that move most, each one click from the Mask page."""
    st.markdown("**The rows that move most**")
    name = st.pills(
        "Found", list(result.worst), default=next(iter(result.worst)), required=True, wrap=True,
        key="leans_worst", label_visibility="collapsed",
    )  # fmt: skip
    one = next(one for one in result.leanings if one.name == name)
    for row in result.worst[name][:_SHOWN]:
        _row(view, row, one, result.value)


def _row(view: state.View, row: Measured, one: Leaning, measure: str) -> None:
    moved = row.moved[one.name]
    what, button = st.columns([6, 1], vertical_alignment="center")
    with what:
        st.text(row.text if len(row.text) <= 300 else row.text[:299] + "…")
        st.caption(escape(row_said(row, moved.label, moved.change, measure != "log-odds")))
    if button.button("Open", key=f"leans_{one.name}_{row.row}", width="stretch"):
        opened = state.of_text(row.text, one.strategy, parameters=dict(one.parameters))
        state.open_view(opened)
        st.switch_page("pages/mask.py")
