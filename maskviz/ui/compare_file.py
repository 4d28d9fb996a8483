"""The Compare page over a file: columns, preview, progress, result, the worst rows first."""

from __future__ import annotations

import hashlib

import pandas as pd
import streamlit as st

from maskviz.data import guess_columns, preview
from maskviz.data.export import to_csv
from maskviz.evidence import FileComparison, compare_file
from maskviz.evidence.files import RowResult
from maskviz.evidence.sentence import percent
from maskviz.figures import compare as figures
from maskviz.masks import STRATEGIES
from maskviz.ui import state
from maskviz.ui.page import errors, escape

_NO_LABEL = "no label column"
_NEED_INPUT = ("pattern", "manual")
_WORST = 10


def show(view: state.View) -> None:
    """Upload, choose, run; the result stays until another file is chosen."""
    result = st.session_state.get("file_result")
    if result is not None:
        _result(view, result)
        st.divider()
    uploaded = st.file_uploader(
        "A table with one text in each row",
        type=["csv", "tsv", "txt", "jsonl", "parquet"],
        help="CSV (any of , ; tab |), TSV, JSON Lines or Parquet; at most 25 MB.",
    )
    if uploaded is None:
        if result is None:
            _empty()
        return
    with errors():
        _form(view, uploaded.name, uploaded.getvalue())


def _empty() -> None:
    st.markdown("### Drop a file to learn how often hiding words changes the answer.")
    st.caption(
        "A column with texts is enough for the flip rate. With a column of true labels you also "
        "get the accuracy plain and masked, its 95 % interval and McNemar's test."
    )


def _form(view: state.View, name: str, content: bytes) -> None:
    head = preview(content, name, 200)
    guessed, columns = guess_columns(head), [str(c) for c in head.columns]
    key = hashlib.sha256(content).hexdigest()[:12]
    st.dataframe(head.head(5), hide_index=True, width="stretch")
    left, right = st.columns(2)
    text = left.selectbox("Text column", columns, columns.index(str(guessed.text)), key=f"t{key}")
    options = [_NO_LABEL, *(c for c in columns if c != text)]
    index = options.index(str(guessed.label)) if str(guessed.label) in options else 0
    label = right.selectbox("Label column", options, index, key=f"l{key}")
    offered = [n for n in STRATEGIES if n not in _NEED_INPUT]
    chosen = st.pills(
        "Strategies", offered, selection_mode="multi", default=["random", "entity", "attribute"],
        key=f"s{key}", wrap=True,
    )  # fmt: skip
    if st.button("Compare all rows", type="primary", disabled=not chosen):
        _run(view, name, content, text, None if label == _NO_LABEL else label, chosen)


def _run(
    view: state.View, name: str, content: bytes, text: str, label: str | None, chosen: list[str]
) -> None:
    bar = st.progress(0.0, "Reading the first rows …")
    total = max(1, content.count(b"\n"))
    st.caption("Choosing anything else on the page stops the comparison.")

    def progress(rows: int) -> None:
        bar.progress(min(1.0, rows / total), f"{rows:,} rows of about {total:,}")

    result = compare_file(
        content, chosen, text_column=text, label_column=label, model=view.model,
        operator=view.operator, seed=view.seed, name=name, progress=progress,
    )  # fmt: skip
    st.session_state["file_result"] = result
    st.rerun()


def _result(view: state.View, result: FileComparison) -> None:
    st.markdown(f"### {escape(_sentence(result))}")
    for note in result.notes:
        st.caption(escape(note))
    st.plotly_chart(figures.file_effects(result.strategies), key="file_effects")
    st.dataframe(_table(result), hide_index=True, width="stretch", column_config=_COLUMNS)
    st.download_button(
        "Download every row as CSV", to_csv([r.to_dict() for r in result.results]),
        "maskviz-comparison.csv", "text/csv", on_click="ignore",
    )  # fmt: skip
    _worst_rows(view, result)


_PERCENTS = ("flip rate", "accuracy plain", "accuracy masked", "change", "hidden words")
_COLUMNS = {name: st.column_config.NumberColumn(format="percent") for name in _PERCENTS} | {
    "mean KL": st.column_config.NumberColumn("mean KL, nats", format="%.3f"),
    "p": st.column_config.NumberColumn("McNemar p", format="%.3g"),
}


def _table(result: FileComparison) -> pd.DataFrame:
    rows = [
        {
            "strategy": name,
            "hidden words": r.realised_ratio,
            "flip rate": r.flip_rate,
            "accuracy plain": r.accuracy_original,
            "accuracy masked": r.accuracy_masked,
            "change": r.delta_accuracy,
            "95 % interval": f"{r.ci95[0]:+.1%} to {r.ci95[1]:+.1%}" if r.ci95 else None,
            "p": r.p_value,
            "mean KL": r.mean_kl,
        }
        for name, r in result.strategies.items()
    ]
    return pd.DataFrame(rows).dropna(axis=1, how="all")


def _sentence(result: FileComparison) -> str:
    name, worst = max(result.strategies.items(), key=lambda item: item[1].flip_rate)
    text = (
        f"Over {result.rows:,} rows, hiding by {name} flips the answer most often: "
        f"in {percent(worst.flip_rate)} of them"
    )
    if worst.ci95 is None:
        return f"{text}."
    sure = "" if worst.ci95[0] > 0 or worst.ci95[1] < 0 else ", not distinguishable from none"
    return f"{text}; accuracy changes by {100 * worst.delta_accuracy:+.1f} points{sure}."


def _worst_rows(view: state.View, result: FileComparison) -> None:
    """The rows that change most, each one click from the Mask page."""
    st.markdown("**The rows that change most**")
    name = st.pills(
        "Strategy", list(result.strategies), default=next(iter(result.strategies)), required=True,
        label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    ranked = sorted(
        result.results, key=lambda r: (not r.effects[name].flip, -abs(r.effects[name].delta))
    )
    for row in ranked[:_WORST]:
        _worst_row(view, row, name)


def _worst_row(view: state.View, row: RowResult, name: str) -> None:
    effect = row.effects[name]
    what, button = st.columns([6, 1], vertical_alignment="center")
    with what:
        st.text(row.text if len(row.text) <= 300 else row.text[:299] + "…")
        expected = "" if row.expected is None else f", expected {row.expected}"
        change = f"{row.label} {percent(row.probability)} → {effect.label} ({effect.delta:+.1%})"
        st.caption(escape(f"row {row.row}: {change}{expected}"))
    if button.button("Open", key=f"open_{name}_{row.row}", width="stretch"):
        state.open_view(state.View(row.text, name, seed=view.seed, model=view.model))
        st.switch_page("pages/mask.py")
