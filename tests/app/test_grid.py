"""Tables: their own download runs in no spreadsheet, and no cell turns what stands around it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from streamlit.testing.v1 import AppTest

from maskviz.ui.shared.grid import in_names


def _page() -> None:
    import pandas as pd

    from maskviz.ui.shared.grid import grid

    grid(pd.DataFrame({"text": ["=1+1", "a\u202eb"], "change": [-0.5, 1.0]}), "rows")
    grid(pd.DataFrame({"text": []}), "nothing")


def test_a_table_has_a_download_and_marks_by_name() -> None:
    app = AppTest.from_function(_page).run()
    assert not app.exception
    assert list(app.dataframe[0].value["text"]) == ["=1+1", "a‹RLO›b"]
    assert [button.proto.label for button in app.get("download_button")] == ["Download as CSV"]


def test_streamlits_own_download_is_off() -> None:
    config = Path(__file__).parents[2] / ".streamlit" / "config.toml"
    assert "disableDataExport = true" in config.read_text(encoding="utf-8")


def test_numbers_dates_and_lists_stay_what_they_are() -> None:
    table = pd.DataFrame({"\u202ea": [1.5], "b": pd.to_datetime(["2020-01-01"]), "c": [["x"]]})
    shown = in_names(table)
    assert list(shown.columns) == ["‹RLO›a", "b", "c"]
    assert list(shown.dtypes) == list(table.dtypes)
