"""The dashboard: page settings and navigation, nothing else."""

import streamlit as st

from maskviz.paths import assets
from maskviz.ui.shared.page import WORDMARK, show_text
from maskviz.ui.shared.sign_in import sign_in

st.set_page_config(page_title="maskviz", layout="wide")

# Streamlit serves the default page at / and knows no other name for it; links to /mask go there.
first = st.Page("pages/mask.py", title="Mask", url_path="first", default=True)


def mask() -> None:
    """Open the first page with the link's own values."""
    st.switch_page(first, query_params=st.query_params.to_dict())


page = st.navigation(
    [
        first,
        st.Page(mask, title="Mask", visibility="hidden"),
        st.Page("pages/attention.py", title="Attention"),
        st.Page("pages/compare.py", title="Compare"),
        st.Page("pages/finetune.py", title="Fine-tune"),
        st.Page("pages/experiments.py", title="Experiments"),
        st.Page("pages/tasks.py", title="Tasks"),
        st.Page("pages/images.py", title="Images"),
        st.Page("pages/guide.py", title="Guide"),
    ]
)
sign_in()
show_text()
page.run()
# Last, since Streamlit imports NumPy for a picture; SVG travels in the message, no file to fetch.
favicon = str(assets() / "favicon.svg")
st.set_page_config(page_icon=favicon)
st.logo(WORDMARK, icon_image=favicon)
