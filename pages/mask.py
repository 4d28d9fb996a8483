"""Mask: hide words, see why they were chosen and what the model guesses in their place."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from maskviz.evidence.sentence import fill_sentence, percent
from maskviz.examples import EXAMPLES
from maskviz.figures.strip import strip_page
from maskviz.figures.theme import colours_of
from maskviz.masks import STRATEGIES, Mask, apply
from maskviz.masks.audit import jaccard
from maskviz.masks.edit import hidden_units
from maskviz.models import Fill, fill, load_model
from maskviz.ui import controls, mask_panels, state
from maskviz.ui.components.token_strip import edited_units, token_strip
from maskviz.ui.page import close_page, errors, escape, open_page
from maskviz.ui.strip import UNITS, strip_units, unit_offsets

SHOWN = 1500  # units in the strip; a longer text is masked whole and shown in part


def main() -> None:
    """Answer and picture on the left, the controls on the right, details below."""
    view = open_page()
    picture, choice = st.columns([5, 3], gap="large")
    with choice:
        controls.text_box(view)
        with errors():
            controls.mask_controls(view)
    with picture, errors():
        chosen = strip(view)
        details(state.current(), chosen)
    examples()


def strip(view: state.View) -> Mask:
    """Draw the text with its hidden words or tokens; a click edits the mask."""
    before = state.strategy_mask(view)
    key = f"strip_{hashlib.sha256(view.text.encode()).hexdigest()[:16]}"
    offsets = unit_offsets(view.text, view.unit, view.model)
    shown = min(SHOWN, len(offsets))
    edited = edited_units(key, shown, view.revision)
    if edited is not None:
        beyond = [i for i in hidden_units(before, offsets) if i >= shown]
        view = state.update(edited=(*edited, *beyond))
    chosen = state.current_mask(view)
    # The strip stays in its container from run to run: replaced, it would lose keyboard focus.
    headline, picture = st.empty(), st.container()
    headline.markdown(f"### {escape(fill_sentence(chosen, [], view.model))}")
    waiting = picture.empty()
    if key not in st.session_state:
        waiting.text(chosen.blocked_text()[: offsets[shown - 1][1]])
    with st.spinner(f"Asking {escape(view.model)} for its guesses …", show_time=True):
        fills = guesses(view, chosen)
    headline.markdown(f"### {escape(fill_sentence(chosen, fills, view.model))}")
    waiting.empty()
    with picture:
        token_strip(
            strip_units(chosen, offsets[:shown], fills),
            key=key,
            label=f"The text; click a {view.unit[:-1]} to hide or show it",
            revision=view.revision,
            noun=view.unit,
            tail=chosen.text[offsets[shown - 1][1] :] if shown == len(offsets) else " …",
            colours=colours_of({s.label for s in chosen.spans if s.label}),
        )
        st.session_state.setdefault("view_unit", view.unit)
        st.segmented_control(
            "Shown as",
            UNITS,
            key="view_unit",
            required=True,
            on_change=_take_unit,
            label_visibility="collapsed",
            help="Words as the strategies count them, or the tokens that the model reads.",
        )
    return chosen


def _take_unit() -> None:
    with errors():
        state.show_units(st.session_state["view_unit"])


@st.cache_data(max_entries=256, show_spinner=False)
def _fills(text: str, spans: tuple, model: str, _mask: Mask) -> list[Fill]:
    return fill(_mask, model) if "fill" in load_model(model).capabilities else []


def guesses(view: state.View, chosen: Mask) -> list[Fill]:
    """Return the model's guesses, or none where the model does not fill."""
    return _fills(view.text, tuple((s.start, s.end) for s in chosen.spans), view.model, chosen)


def details(view: state.View, chosen: Mask) -> None:
    """Show the ratio, the reasons, the guesses, and the mask as a file."""
    encoding = apply(chosen, view.operator, view.model)
    if encoding.notice:
        st.warning(encoding.notice, icon="✂️")
    if len(chosen.words) > SHOWN:
        st.info(f"The first {SHOWN:,} of {len(chosen.words):,} words are shown; all are masked.")
    asked = chosen.requested_ratio
    st.caption(
        f"Realised ratio {percent(chosen.realised_ratio)} of the words, "
        + ("all that matches was asked for." if asked is None else f"asked for {percent(asked)}.")
    )
    with st.expander("Why these words", expanded=bool(chosen.spans)):
        reasons(chosen, guesses(view, chosen))
    with st.expander("Beside another strategy"):
        beside(view, chosen)
    with st.expander("What the model reads"):
        st.caption(f"{len(encoding)} tokens of {view.model}, operator {view.operator}")
        st.text(" ".join(encoding.tokens))
    with st.expander("Audit: does it hide what it says?"):
        mask_panels.audit_panel(view)
    with st.expander("Inside attention: the mask as a matrix"):
        mask_panels.matrix_panel(view, chosen)
    with st.expander("Save or load this mask"):
        files(view, chosen)


def reasons(chosen: Mask, fills: Sequence[Fill]) -> None:
    """One row per hidden span: why it was chosen, and the best guesses."""
    if not chosen.spans:
        st.caption("Nothing is hidden.")
        return
    rows = [
        {
            "Hidden": chosen.text[s.start : s.end],
            "Why": s.reason,
            "Score": s.score,
            "Guesses": "  ·  ".join(
                ", ".join(f"{c.token} {percent(c.probability)}" for c in f.candidates)
                for f in fills
                if s.start <= f.start < s.end
            ),
        }
        for s in chosen.spans[:SHOWN]
    ]
    import pandas as pd  # half a second: after the page's first paint

    table = pd.DataFrame(rows)
    if table["Score"].isna().all():
        table = table.drop(columns="Score")
    st.dataframe(table, hide_index=True, width="stretch")


def beside(view: state.View, chosen: Mask) -> None:
    """A second strategy on the same text, and how far the two agree."""
    names = [name for name in STRATEGIES if name not in (view.strategy, "manual", "pattern")]
    name = st.selectbox("Second strategy", names, index=None, placeholder="choose one")
    if name is None:
        return
    other = state.strategy_mask(state.View(view.text, name, seed=view.seed, model=view.model))
    token_strip(
        [replace(unit, locked=True) for unit in strip_units(other, other.words[:SHOWN])],
        key=f"beside_{name}_{hashlib.sha256(view.text.encode()).hexdigest()[:16]}",
        label=f"The text as {name} masks it",
        revision=other.text_hash,
        colours=colours_of({s.label for s in other.spans if s.label}),
    )
    both = len(set(chosen.hidden_words) & set(other.hidden_words))
    st.caption(
        f"{name} hides {len(other.hidden_words)} words, your mask {len(chosen.hidden_words)}; "
        f"{both} are the same (Jaccard {percent(jaccard(chosen, other))})."
    )


def files(view: state.View, chosen: Mask) -> None:
    """Save the mask as JSON or as a page without the hidden words, or load one."""
    with st.container(horizontal=True):
        st.download_button(
            "Save as JSON", chosen.to_json(), "mask.json", "application/json", on_click="ignore"
        )
        page = strip_page(chosen, fill_sentence(chosen, [], view.model))
        st.download_button("Save as HTML", page, "mask.html", "text/html", on_click="ignore")
    st.caption(
        "JSON holds the text and can be loaded again. The page, and the PNG and SVG under the "
        "text, show hidden words as blocks."
    )
    uploaded = st.file_uploader("Load a mask", type="json", key="mask_file")
    if uploaded is None:
        return
    document = uploaded.getvalue()
    loaded = Mask.from_json(document)
    if loaded.text != view.text:
        st.warning(
            "This mask belongs to another text, which begins "
            f"“{escape(loaded.text[:60])}”. Open that text to use it.",
            icon="📄",
        )
    elif loaded == chosen:
        st.success("This is the mask you see.")
        return
    st.button("Open the mask with its text", on_click=_open_mask, args=(loaded,))


def _open_mask(loaded: Mask) -> None:
    state.open_view(
        state.View(
            loaded.text, state.current().strategy, model=state.current().model,
            saved=loaded.to_json(),
        )
    )  # fmt: skip


def examples() -> None:
    """The gallery: one click loads text and strategy."""
    st.subheader("Examples", divider="gray")
    columns = st.columns(4)
    for i, example in enumerate(EXAMPLES):
        with columns[i % 4]:
            st.button(
                f"**{example.title}**  \n{example.shows}",
                key=f"example_{example.name}",
                width="stretch",
                wrap=True,
                on_click=state.open_view,
                args=(state.of_example(example),),
            )


main()
close_page()
