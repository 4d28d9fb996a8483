"""The dashboard: page settings and navigation, nothing else."""

from pathlib import Path

import streamlit as st

from maskviz.paths import assets
from maskviz.ui.shared.page import WORDMARK, show_text
from maskviz.ui.shared.sign_in import sign_in

PAGES = Path(__file__).parent / "pages"
ORDER = ("attention", "compare", "chat", "finetune", "experiments", "tasks", "images", "guide")

st.set_page_config(page_title="maskviz", layout="wide")


def title_of(page: str) -> str:
    """Return what a page is called: its docstring up to the colon."""
    return (PAGES / f"{page}.py").read_text("utf-8").partition(":")[0].removeprefix('"""')


# Streamlit serves the default page at / and knows no other name for it; links to /mask go there.
first = st.Page("pages/mask.py", title="Mask", url_path="first", default=True)


def mask() -> None:
    """Open the first page with the link's own values."""
    st.switch_page(first, query_params=st.query_params.to_dict())


# A page is a file in pages/; one that has no place in the order comes behind the others.
found = sorted(file.stem for file in PAGES.glob("*.py"))
others = [name for name in dict.fromkeys([*ORDER, *found]) if name != "mask"]
pages = {name: st.Page(f"pages/{name}.py", title=title_of(name)) for name in others}
hidden = st.Page(mask, title="Mask", visibility="hidden")
page = st.navigation([first, hidden, *pages.values()])
sign_in()
show_text(spoken=page is pages.get("chat"))
page.run()
# Last, since Streamlit imports NumPy for a picture; SVG travels in the message, no file to fetch.
favicon = str(assets() / "favicon.svg")
st.set_page_config(page_icon=favicon)
st.logo(WORDMARK, icon_image=favicon)
