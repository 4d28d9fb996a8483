"""Compare: what hiding changes in the answer, on one text and over a file."""

import streamlit as st

from maskviz.ui import compare_file, compare_text
from maskviz.ui.page import close_page, errors, open_page


def main() -> None:
    """One text or a file."""
    view = open_page()
    text, file = st.tabs(["This text", "A file"])
    with text, errors():
        compare_text.show(view)
    with file, errors():
        compare_file.show(view)


main()
close_page()
