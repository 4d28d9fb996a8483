"""Fine-tune: train on masked inputs in a process of its own, and watch it live."""

import streamlit as st

from maskviz import runs
from maskviz.masks import OPERATORS, STRATEGIES
from maskviz.runs import Run
from maskviz.text.percent import percent
from maskviz.training import RunSpec
from maskviz.training.spec.mask_spec import MaskingSpec
from maskviz.ui.runs import data as runs_data
from maskviz.ui.runs import form as runs_form
from maskviz.ui.runs import panel as runs_panel
from maskviz.ui.shared.page import close_page, errors, escape, open_page


def main() -> None:
    """The answer on top, the form on the left; on the right Start and the run.

    On a phone a run comes before the form of the next one (theme.css goes by the keys).
    """
    open_page(reads=False)
    runs.ensure_worker()  # warm by the time Start is pressed; ends by itself when not needed
    run = None
    with st.container(), errors():
        run = runs_panel.chosen_run()
        headline(run)
    form, panel = st.columns([2, 3], gap="large")
    with panel:
        ready, place = st.container(), st.container(key="shown_run" if run else None)
    spec, no_file = None, False
    with form, errors():
        spec = runs_form.show()
        no_file = spec is None
    with ready, errors():
        if spec is not None:
            start(spec)
            phone_link("To the run", runs_panel.ANCHOR, run)
        elif no_file:
            st.info("Choose a file to see its rows, or take the example set.")
    with place, errors():
        if run is None:
            empty(spec)
        else:
            runs_panel.show(run)


def headline(run: Run | None) -> None:
    """The answer, over the whole page; on a phone with a way to the form below the run."""
    if run is None:
        st.markdown("### Does hiding it help? Train once without a mask, once with one")
        return
    runs_panel.headline(run)
    phone_link("To the form of the next run", "data", run)


def phone_link(label: str, anchor: str, run: Run | None) -> None:
    """Link to a part of the page that lies far away on a phone once a run is shown."""
    if run is not None:
        with st.container(key=f"phone_link_{anchor}"):
            st.markdown(f"[{label}](#{anchor})")


def start(spec: RunSpec) -> None:
    """What it will take, and Start."""
    done = sum(1 for _ in runs.tuned_models())
    with st.spinner("Estimating …"):
        expected = runs_form.estimated(spec.to_toml(), spec, done)
    st.markdown(f"**{escape(spec.model)}** learns from {_what_it_reads(spec)}")
    time, memory, button = st.columns([2, 2, 1], vertical_alignment="center")
    known = expected.gigabytes is not None
    time.metric("Time", f"≈ {expected.duration}" if expected.duration else "not known yet")
    memory.metric("Memory", f"≈ {expected.gigabytes:.1f} GB" if known else "not known yet")
    pressed = button.button("Start", type="primary", width="stretch", disabled=not expected.fits)
    free = f" {expected.gigabytes_free:.1f} GB are free." if known else ""
    st.caption(escape(f"{expected.work}; {expected.basis}.{free}"))
    for note in expected.notes:
        st.caption(escape(note))
    if not expected.fits:
        st.error(
            f"{expected.gigabytes:.1f} GB are needed and {expected.gigabytes_free:.1f} GB are "
            "free: lower batch_size or max_length.",
            icon="⚠️",
        )
    if pressed:
        run = runs.submit(spec)
        st.query_params["run"] = run.id
        st.toast(f"Queued: {escape(run.id)}")
        st.rerun()


def _what_it_reads(spec: RunSpec) -> str:
    """Say in words, as Markdown, what the model reads while it learns."""
    masking = spec.masking
    matrix = f", under the attention matrix **{escape(masking.matrix)}**" if masking.matrix else ""
    if not masking.active:
        return f"the texts as they are{matrix}."
    operator = OPERATORS[masking.operator]
    return f"texts in which {_who_hides(masking)}{matrix}. **{operator.name}**: {operator.summary}"


def _who_hides(masking: MaskingSpec) -> str:
    known = STRATEGIES.get(masking.strategy)
    ratio = masking.ratio if masking.ratio is not None else known and known.default_ratio
    if ratio is None or masking.second or masking.complement:
        return f"**{escape(masking.chosen)}** hides words"
    return f"**{escape(masking.strategy)}** hides {percent(ratio)} of the words"


def empty(spec: RunSpec | None) -> None:
    """Say what will be seen here, and show what it would learn from."""
    press = "" if spec is None else "Press **Start**. "
    st.markdown(
        f"{press}The run gets a process of its own: close this page, reload it or open "
        "it twice, and you find the run where it is. Its curves, the time left and its log appear "
        "here; at the end there is one sentence, and the tuned model in every page's list."
    )
    if spec is not None:
        runs_data.sample(spec)


main()
close_page()
