"""Mask: hide words, see why they were chosen and what the model guesses in their place."""

import hashlib
from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from maskviz.evidence.text.sentence import fill_sentence
from maskviz.examples import EXAMPLES
from maskviz.figures.strip import strip_page
from maskviz.figures.theme import colours_of
from maskviz.masks import Mask, MaskSpan, apply
from maskviz.masks.edit import hidden_units
from maskviz.models import load_model
from maskviz.models.abilities import abilities
from maskviz.models.locate import public_name
from maskviz.readings import Fill, fill
from maskviz.text.conversation import Conversation, spoken_with
from maskviz.text.marks import named
from maskviz.text.percent import percent
from maskviz.ui.components.token_strip import edited_units, token_strip
from maskviz.ui.mask import panels as mask_panels
from maskviz.ui.shared import controls, state
from maskviz.ui.shared.page import (
    close_page,
    errors,
    escape,
    open_page,
    say_unfamiliar,
    sentences_table,
)
from maskviz.ui.shared.second import second_controls, second_strip
from maskviz.ui.shared.spoken import with_turns
from maskviz.ui.shared.strip import UNITS, strip_units, unit_offsets
from maskviz.ui.shared.widgets import drawn

_PIECES = (
    " A word of several tokens is guessed token by token in one pass: for a rare name the pieces "
    "may not make a word."
)
_PURPOSE = "Hide part of a text, see what a model makes of the rest, and measure what changes."
SHOWN = 1500  # units in the strip; a longer text is masked as far as it is read


def main() -> None:
    """Answer and picture on the left, the controls on the right, examples and details below."""
    view, chosen = open_page(), None
    st.caption(_PURPOSE)
    picture, choice = st.columns([5, 3], gap="large")
    headline = picture.empty()
    drawn = _key(view) in st.session_state
    if drawn:  # a click is answered before the controls are gone through
        with picture, errors():
            chosen = hidden_now(view, headline)
    beside(view, choice)
    with picture, errors():
        if not drawn:
            chosen = hidden_now(view, headline)
        if chosen is not None:
            strip(state.current(), chosen, headline)
            with st.container(key="why_hidden"):  # on a phone it comes behind the controls
                why(state.current(), chosen)
    examples()
    if chosen is not None:
        with errors():
            details(state.current(), chosen)


def beside(view: state.View, place: DeltaGenerator) -> None:
    """The text and what to hide of it."""
    with place:
        controls.text_box(view)
        with errors():
            controls.mask_controls(view)
            second_controls(view)


def _key(view: state.View) -> str:
    return f"strip_{hashlib.sha256(view.text.encode()).hexdigest()[:16]}"


def hidden_now(view: state.View, headline: DeltaGenerator) -> Mask:
    """Take the user's clicks, say what is hidden, and return it."""
    before, offsets = state.strategy_mask(view), unit_offsets(view.text, view.unit, view.model)
    shown = min(SHOWN, len(offsets))
    edited = edited_units(_key(view), shown, view.revision)
    if edited is not None:
        beyond = [i for i in hidden_units(before, offsets) if i >= shown]
        view = state.update(edited=(*edited, *beyond))
    chosen = state.current_mask(view)
    headline.markdown(f"### {escape(fill_sentence(chosen, [], public_name(view.model)))}")
    return chosen


def strip(view: state.View, chosen: Mask, headline: DeltaGenerator) -> None:
    """Draw the text with its hidden words or tokens, which a click changes."""
    key, offsets = _key(view), unit_offsets(view.text, view.unit, view.model)
    shown = min(SHOWN, len(offsets))
    # The strip stays in its container from run to run: replaced, it would lose keyboard focus.
    picture = st.container()
    waiting = picture.empty()
    if key not in st.session_state:
        waiting.text(named(chosen.blocked_text()[: offsets[shown - 1][1]]))
    with st.spinner(f"Asking {escape(public_name(view.model))} …", show_time=True):
        fills = guesses(view, chosen)
    headline.markdown(f"### {escape(fill_sentence(chosen, fills, public_name(view.model)))}")
    waiting.empty()
    with picture:
        token_strip(
            strip_units(chosen, offsets[:shown], fills),
            key=key,
            label=f"The text; click a {view.unit[:-1]} to hide or show it",
            revision=view.revision,
            noun=view.unit,
            tail=chosen.text[offsets[shown - 1][1] :],
            more=shown < len(offsets),
            colours=colours_of({s.label for s in chosen.spans if s.label}),
        )
        unit_choice(view)
        say_unfamiliar(view)
        second_strip(view, chosen, SHOWN)


def unit_choice(view: state.View) -> None:
    """Words or tokens, and how to read the strip."""
    with st.container(horizontal=True, vertical_alignment="center"):
        drawn(
            st.segmented_control,
            "Shown as",
            view.unit,
            UNITS,
            key="view_unit",
            required=True,
            on_change=_take_unit,
            label_visibility="collapsed",
            help="Words as the strategies count them, or the tokens that the model reads.",
        )
        under = (
            f"; under each stands what {escape(public_name(view.model))} guesses, where it has an "
            "idea"
            if abilities(view.model).fill
            else f" ({escape(public_name(view.model))} guesses no words)"
        )
        st.caption(
            f"Blocks are hidden {view.unit}{under}. Click a {view.unit[:-1]} to hide it or show it."
        )


def _take_unit() -> None:
    with errors():
        state.show_units(st.session_state["view_unit"])


@st.cache_data(max_entries=256, show_spinner=False)
def _fills(text: str, spans: tuple, model: str, _mask: Mask) -> list[Fill]:
    return fill(_mask, model) if "fill" in load_model(model).capabilities else []


def guesses(view: state.View, chosen: Mask) -> list[Fill]:
    """Return the model's guesses, or none where the model does not fill."""
    return _fills(view.text, tuple((s.start, s.end) for s in chosen.spans), view.model, chosen)


def why(view: state.View, chosen: Mask) -> None:
    """Say why each word is hidden, and how much was asked for."""
    if len(chosen.words) > SHOWN:
        st.info(f"The first {SHOWN:,} of {len(chosen.words):,} words are shown; all are masked.")
    with st.expander("Why these words", expanded=bool(chosen.spans)):
        reasons(chosen, guesses(view, chosen))
        asked = chosen.requested_ratio
        st.caption(
            f"Realised ratio {percent(chosen.realised_ratio)} of the words, "
            + (
                "all that matches was asked for."
                if asked is None
                else f"asked for {percent(asked)}."
            )
            + (_PIECES if abilities(view.model).fill else "")
        )


def details(view: state.View, chosen: Mask) -> None:
    """What the model reads, the audit, the matrix, and the mask as a file; all folded."""
    st.subheader("Look closer", divider="gray")
    encoding = apply(chosen, view.operator, view.model)
    if encoding.notice:
        st.warning(escape(encoding.notice), icon="✂️")
    with st.expander("What the model reads"):
        st.caption(f"{len(encoding)} tokens of {escape(view.model)}, operator {encoding.operator}")
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
    scored = any(s.score is not None for s in chosen.spans)
    rows = [
        {
            "Hidden": chosen.text[s.start : s.end],
            "Why": s.reason,
            **({"Guesses": _guessed(s, fills)} if fills else {}),
            **({"Score": "" if s.score is None else f"{s.score:.3g}"} if scored else {}),
        }
        for s in chosen.spans[:SHOWN]
    ]
    sentences_table(rows)


def _guessed(span: MaskSpan, fills: Sequence[Fill]) -> str:
    return "  ·  ".join(
        ", ".join(f"{c.token} {percent(c.probability)}" for c in f.candidates)
        for f in fills
        if span.start <= f.start < span.end
    )


def files(view: state.View, chosen: Mask) -> None:
    """Save the mask as JSON or as a page without the hidden words, or load one."""
    with st.container(horizontal=True):
        st.download_button(
            "Save as JSON",
            with_turns(chosen, view.spoken),
            "mask.json",
            "application/json",
            on_click="ignore",
        )
        page = strip_page(chosen, fill_sentence(chosen, [], public_name(view.model)))
        st.download_button("Save as HTML", page, "mask.html", "text/html", on_click="ignore")
    st.caption(
        "JSON holds the text and can be loaded again. The page, and the PNG and SVG under the "
        "text, show hidden words as blocks."
    )
    uploaded = st.file_uploader("Load a mask", type="json", key="mask_file")
    if uploaded is None:
        return
    document = uploaded.getvalue()
    loaded, spoken = Mask.from_json(document), spoken_with(document)
    if loaded.text != view.text:
        st.warning(
            escape(
                f"This mask belongs to another text, which begins “{loaded.text[:60]}”. Open that "
                "text to use it."
            ),
            icon="📄",
        )
    elif loaded == chosen:
        st.success("This is the mask you see.")
        return
    st.button("Open the mask with its text", on_click=_open_mask, args=(loaded, spoken))


def _open_mask(loaded: Mask, spoken: Conversation | None) -> None:
    own = spoken.to_dict() if spoken is not None and spoken.text == loaded.text else None
    strategy = state.current().strategy
    state.open_view(state.of_text(loaded.text, strategy, own, saved=loaded.to_json()))


def examples() -> None:
    """The gallery: one click loads text, strategy and page."""
    st.subheader("Examples", divider="gray")
    columns = st.columns(4)
    for i, example in enumerate(EXAMPLES):
        with columns[i % 4]:
            opened = st.button(
                f"**{example.title}**  \n{example.shows}  \n→ {example.page.capitalize()}",
                key=f"example_{example.name}",
                width="stretch",
                wrap=True,
                on_click=state.open_view,
                args=(state.of_example(example),),
            )
        if opened and example.page != "mask":
            st.session_state["compare_tab"] = "This text"
            st.switch_page(f"pages/{example.page}.py")


main()
close_page()
