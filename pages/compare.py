"""Compare: what hiding changes in the answer, on one text and over a file."""

import streamlit as st

from maskviz.models.abilities import abilities
from maskviz.ui.compare import (
    explain as compare_explain,
)
from maskviz.ui.compare import (
    fairness as compare_fairness,
)
from maskviz.ui.compare import (
    file as compare_file,
)
from maskviz.ui.compare import (
    leans as compare_leans,
)
from maskviz.ui.compare import (
    shown as compare_shown,
)
from maskviz.ui.compare import (
    text as compare_text,
)
from maskviz.ui.shared import fit, state, table
from maskviz.ui.shared.page import close_page, errors, escape, open_page
from maskviz.ui.shared.widgets import drawn

TABS = {
    "This text": compare_text,
    "Word by word": compare_explain,
    "A file": compare_file,
    "What it leans on": compare_leans,
    "Fairness": compare_fairness,
}


def main() -> str:
    """One view at a time, so that the others cost nothing; return which."""
    view = open_page()
    asked = compare_shown.open_asked() or state.asked_anew("view")
    if asked in TABS:
        st.session_state["compare_tab"] = asked
    before = st.session_state.get("compare_shown", next(iter(TABS)))
    chosen = drawn(
        st.segmented_control, "View", before, list(TABS), required=True, key="compare_tab",
        label_visibility="collapsed",
    )  # fmt: skip
    st.session_state["compare_shown"] = chosen
    with errors():
        if abilities(view.model).answers:
            TABS[chosen].show(view)
        else:
            st.markdown(f"### {escape(fit.no_answer(view.model))}")
    return chosen


def address(chosen: str) -> dict[str, str]:
    """Return what opens this tab again, with its file and its result."""
    kind = {tab: kind for kind, tab in compare_shown.TABS.items()}.get(chosen)
    own = {**compare_shown.address(kind), **table.address()} if kind else {}
    return {"view": chosen, **own}


close_page(address=address(main()), clears=("result", "file"))
