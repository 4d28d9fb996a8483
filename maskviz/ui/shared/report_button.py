"""One button that makes the report when it is pressed, and gives it as a download."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from maskviz.errors import MaskvizError

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from maskviz.report import Report


def report_button(
    make: Callable[[], Report], key: str, place: DeltaGenerator | None = None, label: str = "Report"
) -> None:
    """Offer a report; `make` is called on the press, not while the page is drawn.

    Where it cannot be made, the file says why: a press has no other way to answer.
    """
    (place or st).download_button(
        label, data=lambda: _bytes(make), file_name="maskviz-report.html", mime="text/html",
        key=key, on_click="ignore",
        help="One HTML file for a reader who knows no machine learning; opens offline, prints.",
    )  # fmt: skip


def _bytes(make: Callable[[], Report]) -> bytes:
    from maskviz.report import render
    from maskviz.report.document import Report

    try:
        page = render(make())
    except MaskvizError as error:
        page = render(Report("No report", str(error), [], "Nothing was measured.", {}))
    return page.encode("utf-8", errors="replace")
