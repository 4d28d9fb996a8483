"""Attention: every head at once, one head large, plain, masked and what masking changes."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import streamlit as st

from maskviz.attention import METHODS, parts_of
from maskviz.attention.looking import Look, Seen, Size, size_of, words_of
from maskviz.attention.methods import FLOW_SECONDS
from maskviz.attention.view import Display, View
from maskviz.evidence.text.sentence import hidden
from maskviz.models import Model, load_model
from maskviz.ui.attention import panels as panels
from maskviz.ui.attention import units as units
from maskviz.ui.attention.look import LARGEST_VIEW, beside, cost, one_at_a_time, seen
from maskviz.ui.components.attention_mosaic import silenced_head
from maskviz.ui.shared import state
from maskviz.ui.shared.asking import reader_of
from maskviz.ui.shared.controls import text_box
from maskviz.ui.shared.conversation_control import text_or_conversation
from maskviz.ui.shared.page import close_page, errors, escape, open_page, say_unfamiliar
from maskviz.ui.shared.widgets import drawn

SHOWS = {"plain": "Plain", "masked": "Masked", "difference": "Masked − plain"}
SCALES = {"model": "All heads on one scale", "head": "Each head on its own scale"}
PARTS = {"encoder": "Encoder", "decoder": "Decoder", "cross": "Decoder to encoder"}
FIRST = (None, "encoder")  # the part whose heads are silenced by a click
ALL = -1  # in the choice of a layer or a word
Arms = Callable[[], dict[str, View]]
PATIENCE = 5  # seconds that flow may take before a choice is offered


def main() -> None:
    """The finding, the switch, all heads left and one head large right, details below."""
    choices()
    chosen = open_page()
    if not chosen.text.strip():
        st.markdown("### No text yet: write one, or choose an example on the Mask page.")
        text_box(chosen)
        return
    with errors():
        headline = st.container()
        model, look = controls(chosen)
        size = size_of(model, look)
        look = replace(look, layer=layer_choice(size))
        with st.spinner("Reading the attention of every head …", show_time=True):
            found = seen(model, look, size, display(), f"Hiding {hidden(look.mask)}")
        silenced = ""
        with headline, errors():  # units that cannot be masked together leave the page as it is
            silenced = units.headline(chosen, picked_with_shift(chosen, found.drawn))
        headline.markdown(f"### {escape(silenced or found.finding)}")
        if silenced:
            headline.caption(escape(found.finding))
        if size.notice:
            st.warning(escape(size.notice), icon="✂️")
        if size.pooled:
            st.caption(escape(size.pooled))
        say_unfamiliar(chosen)
        arms = partial(beside, model, look, size, display(), found.drawn)
        draw(chosen, found, arms, alone=look.queries is not None)


def choices() -> None:
    """Open with what the link says, once; afterwards the session knows."""
    asked = st.query_params.to_dict()
    given = st.session_state.setdefault
    show, method = asked.get("show", "difference"), asked.get("method", "raw")
    given("attention_show", show if show in SHOWS else "difference")
    given("attention_method", method if method in METHODS else "raw")
    given("attention_words", asked.get("words") != "0")
    given("attention_special", asked.get("special") != "0")
    given("attention_scale", "head" if asked.get("scale") == "head" else "model")
    given("attention_place", place_of(asked.get("head", "")))
    given("attention_part_asked", asked.get("part"))
    given("attention_floor", 0.0)


def place_of(written: str) -> tuple[int, int] | None:
    """Read `2.3`, layer 2 and head 3 as the page counts them, as (1, 2)."""
    parts = written.split(".")
    if len(parts) != 2 or not all(part.isdecimal() and int(part) > 0 for part in parts):
        return None
    return int(parts[0]) - 1, int(parts[1]) - 1


def link_values() -> dict[str, str]:
    """Return what a link needs to show this picture again."""
    place = st.session_state["attention_place"]
    method, part = st.session_state["attention_method"], st.session_state.get("attention_part")
    return {
        "show": st.session_state["attention_show"],
        "words": str(int(st.session_state["attention_words"])),
        "special": str(int(st.session_state["attention_special"])),
        "scale": st.session_state["attention_scale"],
        **({"method": method} if method != "raw" else {}),
        **({"part": part} if part else {}),
        **({"head": f"{place[0] + 1}.{place[1] + 1}"} if place else {}),
    }


def controls(chosen: state.View) -> tuple[Model, Look]:
    """What is shown of which model and how it is made; the finer choices folded away."""
    left, middle, said, right = st.columns([4, 2, 1.3, 1], vertical_alignment="bottom")
    with left:
        drawn(
            st.segmented_control,
            "Show",
            st.session_state["attention_show"],
            list(SHOWS),
            format_func=SHOWS.get,
            key="attention_show",
            required=True,
            persist_state="session",
            help="Masked − plain: blue where a word gets more attention once the others are "
            "hidden, orange where it gets less.",
        )
    with middle:
        drawn(
            st.selectbox,
            "Method",
            st.session_state["attention_method"],
            list(METHODS),
            key="attention_method",
            persist_state="session",
            help="\n".join(f"- **{m.name}**: {m.summary}" for m in METHODS.values()),
        )
    with said, st.popover("Text", width="stretch"):
        text_or_conversation(chosen, "attention")
    with right, st.popover("Display", width="stretch"):
        display_choices()
    model = reader_of(chosen)
    part, target = part_choice(model)
    look = Look(
        chosen.text,
        state.current_mask(chosen),
        chosen.operator,
        st.session_state["attention_show"],
        st.session_state["attention_method"],
        part,
        target,
    )
    return model, flow_choice(model, look)


def flow_choice(model: Model, look: Look) -> Look:
    """Flow from all words of a long text takes long: say how long, and offer one word."""
    if look.method != "flow" or look.part in ("decoder", "cross"):
        return look
    seconds = size_of(model, look).flow
    if seconds <= PATIENCE:
        return look
    names, members, first = words_of(model, look)
    offered = [*range(len(names)), *([ALL] if seconds <= FLOW_SECONDS else [])]
    word = st.selectbox(
        "Flow from the word",
        offered,
        index=first,
        format_func=lambda i: (
            f"all words, {seconds:.0f} s" if i == ALL else f"{i + 1} · {names[i]}"
        ),
        key=f"attention_flow_{len(names)}",
        help="A maximum flow is found for each pair of tokens: from one word it takes "
        f"about {seconds / len(names):.1f} s, from all {len(names)} about {seconds:.0f} s.",
    )
    return look if word == ALL else replace(look, queries=members[word])


def display_choices() -> None:
    """How maps are drawn: no pass is needed for any of it."""
    drawn(
        st.toggle,
        "Whole words",
        st.session_state["attention_words"],
        key="attention_words",
        persist_state="session",
        help="Attention to the parts of a word is added, attention from them averaged.",
    )
    drawn(
        st.toggle,
        "Special tokens",
        st.session_state["attention_special"],
        key="attention_special",
        persist_state="session",
        help="[CLS], [SEP] and their like, which many heads rest on.",
    )
    drawn(
        st.slider,
        "Leave out weights under",
        st.session_state["attention_floor"],
        0.0,
        50.0,
        step=0.5,
        format="%g %%",
        key="attention_floor",
        persist_state="session",
    )
    drawn(
        st.radio,
        "Colours",
        st.session_state["attention_scale"],
        list(SCALES),
        format_func=SCALES.get,
        key="attention_scale",
        persist_state="session",
    )


def display() -> Display:
    """Return how maps are drawn."""
    chosen = st.session_state
    return Display(
        chosen["attention_special"], chosen["attention_words"], chosen["attention_floor"] / 100
    )


def part_choice(model: Model) -> tuple[str, str | None]:
    """Return the part that is looked at, and what the decoder of an encoder–decoder reads."""
    parts = parts_of(model)
    if len(parts) == 1:
        return parts[0], None
    asked = st.session_state["attention_part_asked"]
    shown = asked if asked in parts else parts[0]
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    with left:
        part = drawn(
            st.segmented_control,
            "Part",
            shown,
            parts,
            format_func=PARTS.get,
            key="attention_part",
            required=True,
            persist_state="session",
        )
    if part == "encoder":
        return part, None
    with right:
        target = st.text_input(
            "The decoder reads",
            key="attention_target",
            placeholder="what the model writes for the plain text",
            persist_state="session",
        )
    return part, target.strip() or None


def layer_choice(size: Size) -> int | None:
    """Return the one layer to look at, or None for all where that is small enough."""
    if not one_at_a_time(size):
        return None
    st.caption(cost(size))
    offered = [*size.numbers, *([ALL] if size.whole <= LARGEST_VIEW else [])]
    place = st.session_state["attention_place"]
    first = place[0] if place and place[0] in size.numbers else size.numbers[0]
    if st.session_state.get("attention_layer") not in offered:
        st.session_state["attention_layer"] = first
    layer = drawn(
        st.pills,
        "Layer",
        first,
        offered,
        format_func=lambda i: f"all, {size.whole / 1e6:.0f} MB" if i == ALL else str(i + 1),
        key="attention_layer",
        required=True,
        persist_state="session",
    )
    return None if layer == ALL else layer


def draw(chosen: state.View, found: Seen, arms: Arms, *, alone: bool) -> None:
    """All heads on the left, the chosen one on the right, lines and numbers below.

    arms: makes the views between which the page as a file switches. alone: flow was followed from
    one word, so that there is one row to draw and no map.
    """
    shown, about = found.drawn, found.notes
    layers, heads = shown.weights.shape[:2]
    if alone:
        place = (shown.number(layers - 1), 0)
        panels.followed(shown)
    else:
        place = maps(mosaic_key(chosen), found)
        units.silence(chosen, place if of_heads(shown) else None)
    units.more(chosen)
    with st.expander("Lines from token to token"):
        panels.lines(shown, place)
    if not alone:
        with st.expander("One token over all heads"):
            panels.one_token(shown)
    what = f"{layers * heads} heads" if shown.method == "raw" else "layers"
    with st.expander(f"All {what} as a table"):
        panels.numbers(found.tokens, about)
    with st.expander("Is this attention worth believing?"):
        worth(chosen)
    panels.save(shown, place, f"{SHOWS[st.session_state['attention_show']]} attention", arms)


def maps(key: str, found: Seen) -> tuple[int, int]:
    """All maps on the left, the chosen one on the right, and its turns; return which that is."""
    shown, about = found.drawn, found.notes
    left, right = st.columns([5, 6], gap="large")
    place = panels.chosen_place(key, shown, about)
    with left:
        panels.mosaic(key, shown, about, place, st.session_state["attention_scale"])
    with right:
        panels.head(shown, about, place)
        panels.turns(found.tokens, place)
    return place


def picked_with_shift(chosen: state.View, shown: View) -> tuple[int, int] | None:
    """Return the head of the mosaic that was clicked with Shift in this very run."""
    if not of_heads(shown):
        return None
    picked = silenced_head(mosaic_key(chosen), *shown.weights.shape[:2])
    return (shown.number(picked[0]), picked[1]) if picked else None


def of_heads(shown: View) -> bool:
    """Tell whether the maps are heads of the part that reads the text."""
    return shown.method == "raw" and st.session_state.get("attention_part") in FIRST


def mosaic_key(chosen: state.View) -> str:
    """Return the key of the mosaic of a model."""
    return f"mosaic_{digest(chosen.model)}"


def worth(chosen: state.View) -> None:
    """Measure on demand: it asks the model again, once for each word."""
    if "classify" not in load_model(chosen.model).capabilities:
        st.caption("Only a classifier's answer can fall: choose a model that classifies.")
        return
    if st.toggle("Measure on this text", key="attention_worth", persist_state="session"):
        panels.worth_table(chosen.text, chosen.model)
    else:
        st.caption(
            "Hides the words that each method points at, and sees whether the answer falls further "
            "than with random words."
        )


def digest(text: str) -> str:
    """Return a short name for a text, for widget keys."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


main()
close_page(**link_values())
