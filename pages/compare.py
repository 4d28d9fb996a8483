"""Compare: what hiding changes in the answer, on one text and over a file."""

import streamlit as st

from maskviz.ui import compare_explain, compare_fairness, compare_file, compare_text
from maskviz.ui.page import close_page, errors, open_page

TABS = {
    "This text": compare_text,
    "Word by word": compare_explain,
    "A file": compare_file,
    "Fairness": compare_fairness,
}


def main() -> None:
    """One view at a time, so that the others cost nothing."""
    view = open_page()
    chosen = st.segmented_control(
        "View", list(TABS), default="This text", required=True, key="compare_tab",
        label_visibility="collapsed",
    )  # fmt: skip
    with errors():
        TABS[chosen].show(view)


main()
close_page()
