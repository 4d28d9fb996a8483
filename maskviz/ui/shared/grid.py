"""Tables: in a grid, with a button that downloads them as text that no spreadsheet runs.

Streamlit's own download would write a cell such as `=1+1` as it is; it is turned off in
`.streamlit/config.toml`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from maskviz.data.export import to_csv
from maskviz.text.marks import named

if TYPE_CHECKING:
    import pandas as pd


def grid(table: pd.DataFrame, name: str, **options: Any) -> None:
    """Show a table and, below it, a button that downloads it as `name`.csv.

    options: those of `st.dataframe`; the index is hidden unless they say otherwise.
    """
    shown: dict[str, Any] = {"hide_index": True, "width": "stretch"} | options
    st.dataframe(in_names(table), **shown)
    download(table if options.get("hide_index", True) else table.reset_index(), name)


def download(table: pd.DataFrame, name: str) -> None:
    """Show a button that downloads a table as `name`.csv, once on a page."""
    if len(table):
        st.download_button(
            "Download as CSV", to_csv(table.to_dict("records")), f"{name}.csv", "text/csv",
            on_click="ignore", icon=":material/download:", key=f"csv_{name}",
        )  # fmt: skip


def in_names(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which marks of direction stand by name: a grid would obey them."""

    def said(column: pd.Series) -> pd.Series:
        return column.map(_said) if column.dtype.kind == "O" else column

    return table.apply(said).rename(columns=_said)


def _said(cell: Any) -> Any:
    return named(cell) if isinstance(cell, str) else cell
