"""Experiments: every run with its settings, curves and results."""

from maskviz.ui import runs_table
from maskviz.ui.page import close_page, errors, open_page


def main() -> None:
    """The table, and what is chosen in it."""
    open_page()
    with errors():
        runs_table.show()


main()
close_page()
