"""The dashboard: page settings and navigation, nothing else."""

import streamlit as st

from maskviz.paths import assets

st.set_page_config(page_title="maskviz", page_icon=str(assets() / "favicon.png"), layout="wide")

st.navigation(
    [
        st.Page("pages/mask.py", title="Mask", default=True),
        st.Page("pages/attention.py", title="Attention"),
        st.Page("pages/compare.py", title="Compare"),
        st.Page("pages/finetune.py", title="Fine-tune"),
        st.Page("pages/experiments.py", title="Experiments"),
        st.Page("pages/tasks.py", title="Tasks"),
        st.Page("pages/images.py", title="Images"),
        st.Page("pages/guide.py", title="Guide"),
    ]
).run()
