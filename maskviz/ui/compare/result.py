"""The result of a comparison over a file: finding, chart, tables, the worst rows first."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from maskviz.evidence import FileComparison, StrategyResult
from maskviz.evidence.files.chance import ChanceResult
from maskviz.evidence.files.file_result import Beside
from maskviz.evidence.files.finding import CONTROL, finding
from maskviz.evidence.files.group_words import gap_sentences
from maskviz.evidence.files.tally import RowResult
from maskviz.evidence.jobs.jobs import Job
from maskviz.evidence.shortcuts.measured import Measured
from maskviz.evidence.text.scale import shortened
from maskviz.figures import compare as figures
from maskviz.text.percent import number, percent
from maskviz.ui.shared import state
from maskviz.ui.shared.chart import chart
from maskviz.ui.shared.grid import grid
from maskviz.ui.shared.page import escape
from maskviz.ui.shared.report_button import report_button

if TYPE_CHECKING:
    from maskviz.report import Report

_SHOWN = 10
_BARS = 12  # values of a column in the chart
_PERCENTS = (
    "flip rate", "accuracy plain", "accuracy masked", "change", "hidden words",
)  # fmt: skip
_NUMBER = st.column_config.NumberColumn
_COLUMNS = {name: _NUMBER(format="percent") for name in _PERCENTS} | {
    "mean KL": _NUMBER("mean KL, nats", format="%.3f"),
    "p": _NUMBER("McNemar p", format="%.3g"),
    "ECE plain": _NUMBER(format="%.3f", help="Expected calibration error, 15 bins."),
    "ECE masked": _NUMBER(format="%.3f"),
    "error plain": _NUMBER("mean abs. error plain", format="%.3f"),
    "error masked": _NUMBER("masked", format="%.3f"),
    "rows": _NUMBER(format="localized"),
    "value moves": _NUMBER(format="%.3g", help="Mean of masked − plain."),
    "flips at random": _NUMBER(format="percent", help="Random masks of the same size."),
    "beyond chance": st.column_config.TextColumn(
        help="Strategy − random masks of the same size on the same rows: accuracy (error of a "
        "regression), without labels flips; 95 % paired interval over the rows. *Yes* at 5 % with "
        "p allowing for all that the table holds (Holm), not for each row by itself."
    ),
}


def show(view: state.View, result: FileComparison, job: Job | None) -> None:
    """Show all of a result; `job` is given once it has ended, for the download."""
    st.markdown(f"### {escape(finding(result))}")
    for note in result.notes:
        st.caption(escape(note))
    chart(figures.file_effects(result.strategies), "file_effects")
    grid(
        _table({name: {"": r} for name, r in result.strategies.items()}, "strategy"),
        "strategies", column_config=_COLUMNS,
    )  # fmt: skip
    exports(job, "Download every row as CSV")
    if result.beside is not None:
        _beside(result, result.beside)
    _group_gaps(result)
    _groups(result)
    _worst_rows(view, result)


def exports(job: Job | None, said: str) -> None:
    """Offer all rows, and the report, once a comparison has ended."""
    if job is None or not job.rows.is_file():
        return
    left, right = st.columns(2)
    left.download_button(
        said, job.rows.read_bytes, "maskviz-comparison.csv", "text/csv", on_click="ignore",
        width="stretch", help="With what each strategy hides, seed and answers.",
    )  # fmt: skip
    report_button(lambda: _report(job), f"report_{job.id}", right)


def _report(job: Job) -> Report:
    from maskviz.report import comparison_report

    return comparison_report(job)


def _table(results: Mapping[str, Mapping[str, StrategyResult]], first: str) -> pd.DataFrame:
    """Return a row for each name and, where there are several, strategy."""
    rows = [
        {
            first: name,
            "strategy": strategy or name,
            "rows": r.rows,
            "hidden words": r.realised_ratio,
            "value moves": r.mean_delta if r.mean_kl is None else None,
            "flip rate": None if r.mean_kl is None else r.flip_rate,
            "flips at random": None if r.mean_kl is None or not r.chance else r.chance.flip_rate,
            "beyond chance": _beyond_of(strategy or name, r),
            "accuracy plain": r.accuracy_original,
            "accuracy masked": r.accuracy_masked,
            "change": r.delta_accuracy,
            "95 % interval": f"{r.ci95[0]:+.1%} to {r.ci95[1]:+.1%}" if r.ci95 else None,
            "p": r.p_value,
            "ECE plain": r.ece_original,
            "ECE masked": r.ece_masked,
            "error plain": r.error_original,
            "error masked": r.error_masked,
            "mean KL": r.mean_kl,
        }
        for name, strategies in results.items()
        for strategy, r in strategies.items()
    ]
    return pd.DataFrame(rows).dropna(axis=1, how="all")


def _beyond_of(strategy: str, r: StrategyResult) -> str | None:
    if r.rows_hiding == 0:
        return "hides nothing"
    if strategy == CONTROL:
        return "is chance"
    return _beyond(r.chance, r.mean_kl is None) if r.chance else None


def _beyond(chance: ChanceResult, regression: bool) -> str:
    """Say by how much a strategy exceeds random masks, in what the chart shows."""
    beyond, interval = chance.flip_beyond, chance.flip_beyond_ci95
    if chance.beyond is not None:
        beyond, interval = chance.beyond, chance.beyond_ci95
    if chance.few or interval is None:
        return "too few rows"
    said = "yes" if chance.surpassed else "no"
    if regression:
        value, low, high = (number(one, "+.3g") for one in (beyond, *interval))
        return f"{said}, {value} ({low} to {high})"
    value, low, high = (number(100 * one, "+.1f") for one in (beyond, *interval))
    return f"{said}, {value} points ({low} to {high})"


def _beside(result: FileComparison, other: Beside) -> None:
    """The second model: accuracy of both, plain and under each mask."""
    st.markdown(
        f"**{escape(result.model)} beside {escape(other.model)}**: "
        f"{_same_answers(other.agreement, result.rows)}"
    )
    rows = [
        {
            "text": name,
            result.model: p["accuracy_first"],
            other.model: p["accuracy_second"],
            "difference": p["delta_accuracy"],
            "95 % interval": p["ci95"] and f"{p['ci95'][0]:+.1%} to {p['ci95'][1]:+.1%}",
            "p": p["p_value"],
        }
        for name, p in other.paired.items()
    ] or [
        {"strategy": n, f"flips, {result.model}": result.strategies[n].flip_rate,
         f"flips, {other.model}": r.flip_rate}
        for n, r in other.strategies.items()
    ]  # fmt: skip
    formats = {key: _NUMBER(format="percent") for key in rows[0] if key not in ("text", "p")}
    formats["p"] = _COLUMNS["p"]
    formats.pop("95 % interval", None)
    grid(pd.DataFrame(rows), "models", column_config=formats)


def _same_answers(agreement: float, rows: int) -> str:
    return f"the same plain answer in {percent(agreement)} of {rows:,} row{'s' * (rows != 1)}"


def _group_gaps(result: FileComparison) -> None:
    """Whom the model fails: each group by arm, the worst one and the widest gap."""
    if not result.group_gaps:
        return
    st.markdown("**Whom does it fail?**")
    columns = list(result.group_gaps)
    column = st.pills(
        "Groups of", columns, default=columns[0], required=True, wrap=True, key="gaps_of",
        label_visibility="collapsed",
    )  # fmt: skip
    found = result.group_gaps[column]
    shares = found.measure in ("accuracy", "flip rate")
    for said in gap_sentences(found):
        st.markdown(escape(said))
    for note in found.notes:
        st.caption(escape(note))
    rows = [
        {
            "answers": arm,
            column: name,
            "rows": group.rows,
            found.measure: group.score,
            "95 % interval": group.ci95 and _span(group.ci95, shares),
            "from all others": group.gap,
            "its interval": group.gap_ci95 and _span(group.gap_ci95, shares),
            "change": group.change,
        }
        for arm, gaps in found.arms.items()
        for name, group in gaps.groups.items()
    ]
    kind = _NUMBER(format="percent" if shares else "%.3f")
    names = (found.measure, "from all others", "change")
    grid(
        pd.DataFrame(rows).dropna(axis=1, how="all"), "group_gaps",
        column_config={"rows": _COLUMNS["rows"], **dict.fromkeys(names, kind)},
    )  # fmt: skip


def _span(interval: tuple[float, float], shares: bool) -> str:
    """Return an interval in points, or in its own unit."""
    low, high = interval
    return f"{100 * low:.1f} to {100 * high:.1f}" if shares else f"{low:.3g} to {high:.3g}"


_TITLES = {"label": "label", "hidden": "type of what is hidden",
           "hidden role": "who says what is hidden"}  # fmt: skip


def _title(column: str) -> str:
    return _TITLES.get(column, column)


def _groups(result: FileComparison) -> None:
    """A chart and a table for each way to break the rows down, each value beside chance."""
    columns = [c for c, values in result.groups.items() if c != "label" or len(values) > 1]
    if not columns:
        return
    st.markdown("**Broken down**")
    column = st.pills(
        "Broken down by", columns, default=columns[0], required=True, wrap=True,
        format_func=lambda name: escape(_title(name)), label_visibility="collapsed",
    )  # fmt: skip
    values, names = result.groups[column], list(result.strategies)
    name = names[0]
    if len(names) > 1:
        name = st.pills(
            "Hiding by", names, default=name, required=True, wrap=True, key="groups_strategy"
        )
    shown = {value: found[name] for value, found in values.items() if name in found}
    if shown:
        chart(figures.file_effects(dict(islice(shown.items(), _BARS))), "groups")
    if len(shown) > _BARS:
        st.caption(f"The {_BARS} values with the most rows; the table has all {len(shown)}.")
    table = _table(values, _title(column))
    grid(table, "groups", column_config=_COLUMNS)


def _worst_rows(view: state.View, result: FileComparison) -> None:
    """The rows that change most, each one click from the Mask page."""
    st.markdown("**The rows that change most**")
    name = st.pills(
        "Strategy", list(result.strategies), default=next(iter(result.strategies)), required=True,
        label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    regression = result.strategies[name].mean_kl is None
    for row in result.worst[name][:_SHOWN]:
        _worst_row(view, row, name, regression)


def row_said(row: RowResult | Measured, masked: str, change: float, valued: bool) -> str:
    """Say what a row's answer becomes, and how far its probability, or value, moves."""
    before, after = (shortened(label, 40) for label in (row.label, masked))
    value, moves = f"{row.probability:.3f}", f"it moves by {number(change, '+.3f')}"
    if not valued:
        value = percent(row.probability)
        moves = f"its probability moves by {number(100 * change, '+.1f')} points"
    turns = f", then {after}" if after != before else ""
    expected = "" if row.expected is None else f"; expected {row.expected}"
    return f"row {row.row}: {before} {value}{turns}; {moves}{expected}"


def _worst_row(view: state.View, row: RowResult, name: str, regression: bool) -> None:
    effect = row.effects[name]
    what, button = st.columns([6, 1], vertical_alignment="center")
    with what:
        st.text(row.text if len(row.text) <= 300 else row.text[:299] + "…")
        st.caption(escape(row_said(row, effect.label, effect.delta, regression)))
    if button.button("Open", key=f"open_{name}_{row.row}", width="stretch"):
        opened = state.of_text(row.text, name, row.conversation, seed=row.seed or 0)
        state.open_view(opened)
        st.switch_page("pages/mask.py")
