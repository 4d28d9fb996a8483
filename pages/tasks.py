"""Tasks: sentiment, summaries and translation, each with the mask that suits it."""

import streamlit as st

from maskviz.ui.shared.page import close_page, errors, open_page, take_tab
from maskviz.ui.tasks import panel as tasks_panel


def main() -> None:
    """One tab for each task; only the open one is computed."""
    view = open_page(reads=False)
    names = ("Sentiment", "Summarisation", "Translation")
    take_tab("tasks_tab", names)
    sentiment, summary, translation = st.tabs(names, on_change="rerun", key="tasks_tab")
    if sentiment.open:
        with sentiment, errors():
            tasks_panel.sentiment(view)
    if summary.open:
        with summary, errors():
            tasks_panel.summary()
    if translation.open:
        with translation, errors():
            tasks_panel.translation()


main()
close_page()
