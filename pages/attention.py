"""Attention: every head at once, one head large, plain, masked and what masking changes."""

import hashlib
from importlib.util import find_spec

import pandas as pd
import streamlit as st

from maskviz.attention import Attention, attend
from maskviz.attention.finding import clearest, finding
from maskviz.attention.roles import HeadChange, HeadRole
from maskviz.attention.view import View, difference_view, merge_words, notes, view, without_special
from maskviz.evidence.sentence import hidden
from maskviz.figures.attention import render
from maskviz.masks import Mask
from maskviz.ui import state
from maskviz.ui.components import attention_arcs, attention_head, attention_mosaic, picked_head
from maskviz.ui.page import close_page, errors, escape, open_page

NBSP = "\u00a0"
SHOWS = {"plain": "Plain", "masked": "Masked", "difference": "Masked − plain"}
SCALES = {"model": "All heads on one scale", "head": "Each head on its own scale"}
FILES = (  # name, ending, one head only; those from the third on need matplotlib
    ("Page that works offline, HTML", ".html", False),
    ("Numbers, NPZ", ".npz", False),
    ("All heads, PDF", ".pdf", False),
    ("This head, PDF", ".pdf", True),
    ("This head, PNG", ".png", True),
)
ONE_LAYER_ABOVE = 6_000_000  # cells; more than this and layers are sent one at a time
Notes = tuple[tuple[HeadRole | HeadChange, ...], ...]


def main() -> None:
    """The finding, the switch, all heads left and one head large right, details below."""
    choices()
    chosen = open_page()
    if not chosen.text.strip():
        st.markdown("### No text yet: enter one on the Mask page, or choose an example there.")
        return
    with errors():
        headline = st.container()
        controls()
        with st.spinner("Reading the attention of every head …", show_time=True):
            shown, about = look(chosen)
        doing = f"Hiding {hidden(state.current_mask(chosen))}"
        headline.markdown(f"### {escape(finding(shown, about, doing)).replace(' %', NBSP + '%')}")
        panels(chosen, merged(shown), about)


def choices() -> None:
    """Open with what the link says, once; afterwards the session knows."""
    asked = st.query_params.to_dict()
    show = asked.get("show", "difference")
    st.session_state.setdefault("attention_show", show if show in SHOWS else "difference")
    st.session_state.setdefault("attention_words", asked.get("words") != "0")
    st.session_state.setdefault("attention_special", asked.get("special") != "0")
    st.session_state.setdefault(
        "attention_scale", "head" if asked.get("scale") == "head" else "model"
    )
    st.session_state.setdefault("attention_place", place_of(asked.get("head", "")))


def place_of(written: str) -> tuple[int, int] | None:
    """Read `2.3`, layer 2 and head 3 as the page counts them, as (1, 2)."""
    parts = written.split(".")
    if len(parts) != 2 or not all(part.isdecimal() and int(part) > 0 for part in parts):
        return None
    return int(parts[0]) - 1, int(parts[1]) - 1


def link_values() -> dict[str, str]:
    """Return what a link needs to show this picture again."""
    place = st.session_state["attention_place"]
    return {
        "show": st.session_state["attention_show"],
        "words": str(int(st.session_state["attention_words"])),
        "special": str(int(st.session_state["attention_special"])),
        "scale": st.session_state["attention_scale"],
    } | ({"head": f"{place[0] + 1}.{place[1] + 1}"} if place else {})


def controls() -> None:
    """What is shown; the finer choices folded away."""
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    with left:
        st.segmented_control(
            "Show",
            list(SHOWS),
            format_func=SHOWS.get,
            key="attention_show",
            required=True,
            persist_state="session",
            help="Masked − plain: blue where a word gets more attention once the others are "
            "hidden, orange where it gets less.",
        )
    with right, st.popover("Display", width="stretch"):
        st.toggle(
            "Whole words",
            key="attention_words",
            persist_state="session",
            help="Attention to the parts of a word is added, attention from them averaged.",
        )
        st.toggle(
            "Special tokens",
            key="attention_special",
            persist_state="session",
            help="[CLS], [SEP] and their like, which many heads rest on.",
        )
        st.radio(
            "Colours",
            list(SCALES),
            format_func=SCALES.get,
            key="attention_scale",
            persist_state="session",
        )


def look(chosen: state.View) -> tuple[View, Notes]:
    """Return what is shown, token by token, with a note on each head."""
    mask, show = state.current_mask(chosen), st.session_state["attention_show"]
    if show == "plain":
        attention = capture(chosen, None)
        shown = view(attention)
    elif show == "masked":
        attention = capture(chosen, mask)
        shown = view(attention)
    else:
        attention = capture(chosen, None)
        shown = difference_view(attention, capture(chosen, mask))
    if attention.encoding.notice:
        st.warning(attention.encoding.notice, icon="✂️")
    return shown, notes(shown, masked=show == "masked")


def capture(chosen: state.View, mask: Mask | None) -> Attention:
    """Return one pass, from the cache where this text, mask and model were seen before."""
    if mask is None:
        return _attend(chosen.model, chosen.text, (), "", chosen.text)
    spans = tuple((s.start, s.end, s.label) for s in mask.spans)
    return _attend(chosen.model, chosen.text, spans, chosen.operator, mask)


@st.cache_resource(max_entries=6, show_spinner=False)
def _attend(model: str, text: str, spans: tuple, operator: str, _subject: Mask | str) -> Attention:
    return attend(_subject, model, operator or "mask")


def merged(shown: View) -> View:
    """Apply the display choices: whole words, special tokens."""
    if not st.session_state["attention_special"]:
        shown = without_special(shown)
    return merge_words(shown) if st.session_state["attention_words"] else shown


def panels(chosen: state.View, shown: View, about: Notes) -> None:
    """All heads on the left, the chosen one on the right, lines and numbers below."""
    layers, heads = shown.weights.shape[:2]
    key = f"mosaic_{digest(chosen.model)}"
    left, right = st.columns([5, 6], gap="large")
    with left:
        layer = layer_choice(shown)
        place = chosen_head(key, layer, about)
        mosaic(key, shown, about, layer, place)
    with right:
        head(shown, about, place)
    with st.expander("Lines from token to token"):
        lines(shown, place)
    with st.expander(f"All {layers * heads} heads as a table"):
        st.dataframe(table(about), hide_index=True, width="stretch")
    save(shown, place)


def layer_choice(shown: View) -> int | None:
    """Return the one layer to send, or None for the whole model where it is small enough."""
    if shown.weights.size <= ONE_LAYER_ABOVE:
        return None
    layers = shown.weights.shape[0]
    st.caption(
        f"The whole model would be {shown.weights.size / 1e6:.0f} MB: one layer at a time is "
        f"{shown.weights.size / layers / 1e6:.1f} MB."
    )
    return st.pills(
        "Layer",
        range(layers),
        format_func=lambda layer: str(layer + 1),
        default=0,
        key="attention_layer",
        required=True,
        persist_state="session",
    )


def chosen_head(key: str, layer: int | None, about: Notes) -> tuple[int, int]:
    """Return the head to show large: just picked, else the last one, else the most telling."""
    layers, heads = len(about), len(about[0])
    picked = picked_head(key, layers if layer is None else 1, heads)
    if picked is not None:
        place = (picked[0] + (layer or 0), picked[1])
        st.session_state["attention_place"] = place
        return place
    place = st.session_state["attention_place"]
    if place and place[0] < layers and place[1] < heads:
        return place
    return clearest(about)


def mosaic(key: str, shown: View, about: Notes, layer: int | None, place: tuple[int, int]) -> None:
    """Draw all heads, or those of one layer."""
    st.markdown("**All heads** · select one to see it large")
    part = slice(None) if layer is None else slice(layer, layer + 1)
    first = layer or 0
    inside = layer is None or place[0] == layer
    attention_mosaic(
        shown.weights[part],
        key=key,
        signed=shown.signed,
        roles=about[part],
        selected=(place[0] - first, place[1]) if inside else None,
        titles=[f"L{i + 1}" for i in range(len(about))][part],
        scale=st.session_state["attention_scale"],
        label="All heads, layers down and heads across",
    )


def head(shown: View, about: Notes, place: tuple[int, int]) -> None:
    """Draw one head with tokens on both axes."""
    note = about[place[0]][place[1]]
    st.markdown(f"**Layer {place[0] + 1}, head {place[1] + 1}** · {escape(note.sentence)}")
    attention_head(
        shown.weights[place],
        shown.tokens,
        key="attention_large",
        signed=shown.signed,
        hidden=shown.hidden,
        special=shown.special,
        absent=shown.absent,
        label=f"Layer {place[0] + 1}, head {place[1] + 1}",
    )


def lines(shown: View, place: tuple[int, int]) -> None:
    """Draw the chosen head as lines."""
    least = st.slider("Leave out lines under", 0, 50, 5, format="%d %%", key="attention_least")
    drawn = attention_arcs(
        shown.weights[place],
        shown.tokens,
        key="attention_lines",
        signed=shown.signed,
        hidden=shown.hidden,
        at_least=least / 100,
        label=f"Layer {place[0] + 1}, head {place[1] + 1} as lines",
    )
    if drawn == 0:
        st.caption(f"No weight reaches {least} %: move the slider to the left.")


def table(about: Notes) -> pd.DataFrame:
    """Return one row per head."""
    rows = [
        {"Layer": i + 1, "Head": j + 1, "Role": note.name, "Share, %": round(100 * note.share, 1)}
        for i, row in enumerate(about)
        for j, note in enumerate(row)
    ]
    return pd.DataFrame(rows)


def save(shown: View, place: tuple[int, int]) -> None:
    """Offer the picture and its numbers as files."""
    title = f"{SHOWS[st.session_state['attention_show']]} attention"
    with st.popover("Save"):
        files = FILES if find_spec("matplotlib") else FILES[:2]
        if files != FILES:
            st.caption("Pictures need matplotlib: `pip install 'maskviz[figures]'`.")
        for name, suffix, one in files:
            at = place if one else None
            st.download_button(
                name,
                data=lambda suffix=suffix, at=at: render(shown, suffix, title=title, head=at),
                file_name=f"attention{'_head' if one else ''}{suffix}",
                on_click="ignore",
                width="stretch",
                key=f"attention_save_{suffix}_{one}",
            )


def digest(text: str) -> str:
    """Return a short name for a text, for widget keys."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


main()
close_page(**link_values())
