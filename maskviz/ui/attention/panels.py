"""The panels of the Attention page: all heads, one large, lines, one token, numbers, files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from maskviz.attention.finding import clearest
from maskviz.attention.summary import summarise
from maskviz.attention.turns import by_part
from maskviz.attention.view import Notes, View, token_over_heads
from maskviz.errors import MaskvizError
from maskviz.figures.attention import render, row_figure
from maskviz.figures.canvas import Scale, head_message, mosaic_message, unit_of
from maskviz.text.percent import number
from maskviz.ui.components.attention_arcs import attention_arcs
from maskviz.ui.components.attention_head import attention_head
from maskviz.ui.components.attention_mosaic import attention_mosaic, picked_head
from maskviz.ui.shared.chart import chart
from maskviz.ui.shared.grid import grid
from maskviz.ui.shared.page import errors, escape

if TYPE_CHECKING:
    from maskviz.evidence.words.worth import Worth

FILES = (  # name, ending, one head only; pictures need matplotlib
    ("Page that works offline, HTML", ".html", False),
    ("Numbers, NPZ", ".npz", False),
    ("Numbers, JSON", ".json", False),
    ("All heads, PDF", ".pdf", False),
    ("All heads, SVG", ".svg", False),
    ("All heads, PNG", ".png", False),
    ("This head, PDF", ".pdf", True),
    ("This head, SVG", ".svg", True),
    ("This head, PNG", ".png", True),
)
_NEED_MATPLOTLIB = (".pdf", ".svg", ".png")


def title_of(shown: View, place: tuple[int, int]) -> str:
    """Return the name of a map; `place` counts layers of the whole model."""
    if shown.method == "raw":
        return f"Layer {place[0] + 1}, head {place[1] + 1}"
    return f"Layer {place[0] + 1}" if len(shown.weights) > 1 or shown.numbers else "All layers"


def chosen_place(key: str, shown: View, about: Notes) -> tuple[int, int]:
    """Return the head to show large: just picked, else the last one, else the most telling."""
    layers, heads = len(about), len(about[0])
    picked = picked_head(key, layers, heads)
    if picked is not None:
        place = (shown.number(picked[0]), picked[1])
        st.session_state["attention_place"] = place
        return place
    place = st.session_state["attention_place"]
    if place and place[0] in map(shown.number, range(layers)) and place[1] < heads:
        return place
    if shown.method != "raw":
        return shown.number(layers - 1), 0  # what all layers together make
    layer, head = clearest(about)
    return shown.number(layer), head


def mosaic(key: str, shown: View, about: Notes, place: tuple[int, int], scale: Scale) -> None:
    """Draw all maps that are shown."""
    what = "All heads" if shown.method == "raw" else "All layers"
    more = ", with Shift to silence it" if shown.method == "raw" else ""
    st.markdown(f"**{what}** · select one to see it large{more}")
    message = mosaic_message(
        shown.weights,
        signed=shown.signed,
        roles=about,
        selected=(shown.row(place[0]), place[1]),
        titles=[f"L{shown.number(i) + 1}" for i in range(len(about))],
        scale=scale,
        label=f"{what}, layers down and heads across",
        merged=shown.method != "raw",
        unit=unit_of(shown),
        mirrored=shown.from_right,
    )
    attention_mosaic(message, key)


def head(shown: View, about: Notes, place: tuple[int, int]) -> None:
    """Draw one map with tokens on both axes."""
    note = about[shown.row(place[0])][place[1]]
    st.markdown(f"**{title_of(shown, place)}** · {escape(note.sentence)}")
    message = head_message(
        shown.drawn(shown.weights[shown.row(place[0]), place[1]]),
        shown.tokens,
        signed=shown.signed,
        hidden=shown.hidden,
        special=shown.special,
        absent=shown.absent,
        keys=shown.drawn_keys,
        segments=shown.segments,
        parts=shown.parts,
        unit=unit_of(shown),
        label=title_of(shown, place),
    )
    attention_head(message, "attention_large")


def turns(tokens: View, place: tuple[int, int]) -> None:
    """Draw how much goes from turn to turn of a conversation; nothing of a plain text.

    tokens: the view token by token, of which nothing is left out.
    """
    blocks = by_part(tokens)
    if blocks is None:
        return
    st.markdown("**From turn to turn**")
    mean = title_of(tokens, place)
    names = [mean, "Mean of all"]
    which = st.segmented_control(
        "Of", names, default=mean, required=True, label_visibility="collapsed",
        key=f"attention_turns_{'_'.join(map(str, place))}",
    ) if blocks.weights[:, :, 0, 0].size > 1 else mean  # fmt: skip
    one = blocks.weights[tokens.row(place[0]), place[1]]
    message = head_message(
        one if which == mean else blocks.weights.mean((0, 1)),
        blocks.tokens,
        signed=blocks.signed,
        hidden=blocks.hidden,
        special=blocks.special,
        absent=blocks.absent,
        query_title="from",
        unit=unit_of(blocks),
        label=f"{which}, from turn to turn",
    )
    attention_head(message, "attention_turns")
    st.caption(
        "Each row is what the tokens of a turn send, in the mean; `template` is what the model's "
        "chat template writes around the turns."
    )


def followed(shown: View) -> None:
    """Draw what was followed from one word alone: a bar for each word that it reaches.

    The tokens of the word are averaged, as whole words are.
    """
    rows = [i for i, absent in enumerate(shown.absent) if not absent]
    if not rows:
        st.markdown("**This word is not in the masked text: nothing flows from it.**")
        return
    name = " ".join(shown.tokens[i] for i in rows)
    st.markdown(f"**From “{escape(name)}” to each word, through all layers**")
    unit = "masked − plain, percentage points" if shown.signed else "% of what it sends"
    figure = row_figure(shown.weights[-1, 0, rows].mean(0), shown.columns, unit)
    chart(figure, "attention_followed")
    st.caption("The most that can flow; the flows to the tokens of one word are added.")


def lines(shown: View, place: tuple[int, int]) -> None:
    """Draw the chosen map as lines."""
    least = st.slider("Leave out lines under", 0, 50, 5, format="%d %%", key="attention_least")
    drawn = attention_arcs(
        shown.weights[shown.row(place[0]), place[1]],
        shown.tokens,
        key="attention_lines",
        signed=shown.signed,
        hidden=shown.hidden,
        keys=shown.keys,
        at_least=least / 100,
        mirrored=shown.from_right,
        label=f"{title_of(shown, place)} as lines",
    )
    if drawn == 0:
        st.caption(f"No weight reaches {least} %: move the slider to the left.")


def one_token(shown: View) -> None:
    """Draw one query's row over all heads."""
    first = next((i for i, hidden in enumerate(shown.hidden) if hidden), min(1, len(shown) - 1))
    query = st.selectbox(
        "From the token",
        range(len(shown)),
        index=first,
        format_func=lambda i: f"{i + 1} · {shown.tokens[i]}",
        key=f"attention_query_{len(shown)}",
    )
    rows, names = token_over_heads(shown, query)
    st.caption("Each row is a head, each column a token that it may attend to.")
    message = head_message(
        shown.drawn(rows),
        names,
        signed=shown.signed,
        keys=shown.drawn_keys or shown.columns,
        query_title="head",
        label=f"What every head attends to from {shown.tokens[query]}",
    )
    attention_head(message, "attention_token")


def numbers(shown: View, about: Notes) -> None:
    """Show each head, and the mean of each layer, in numbers."""
    per_layer = st.toggle("One row per layer", key="attention_per_layer")
    frame = table(shown, about)
    if per_layer:
        frame = frame.drop(columns=["Head", "Role"], errors="ignore")
        frame = frame.groupby("Layer", as_index=False).mean().round(2)
    grid(frame, "attention")
    if not shown.signed:
        st.caption(
            "Entropy 0: one token gets all. Distance: how many positions away a head looks on "
            "average. Shares are of the attention from tokens that are not special."
        )


def table(shown: View, about: Notes) -> pd.DataFrame:
    """Return one row per head."""
    layers, heads = len(about), len(about[0])
    flat = [note for row in about for note in row]
    columns: dict[str, Any] = {
        "Layer": [shown.number(i) + 1 for i in range(layers) for _ in range(heads)],
        "Head": list(range(1, heads + 1)) * layers,
        "Role": [note.name for note in flat],
        "Share, %": [round(100 * note.share, 1) for note in flat],
    }
    if not shown.signed:
        found = summarise(shown)
        columns["Entropy, bits"] = found.entropy.round(2).ravel()
        columns["On special tokens, %"] = (100 * found.special).round(1).ravel()
        if any(shown.columns.hidden):
            columns["On hidden tokens, %"] = (100 * found.hidden).round(1).ravel()
        if found.distance is not None:
            columns["Distance, tokens"] = found.distance.round(1).ravel()
    frame = pd.DataFrame(columns)
    return frame if shown.method == "raw" else frame.drop(columns="Head")


def worth_table(text: str, model: str) -> None:
    """Show beside each method whether the words it points at matter to the answer."""
    from maskviz.evidence.words.worth import worth, worth_sentence

    with errors(), st.spinner("Hiding words and asking the model again …", show_time=True):
        found = worth(text, model)
        st.markdown(escape(worth_sentence(found)))
        rows = [
            {
                "Method": one.method,
                "Fall, points": None if one.error else round(100 * one.fall, 1),
                "Beyond chance": "–" if one.error else "yes" if one.believable else "no",
                "Agreement, τ": None if one.tau is None else round(one.tau, 2),
                "Hidden words": one.error or ", ".join(one.words),
            }
            for one in found
        ]
        grid(pd.DataFrame(rows), "methods")
        one = found[0]
        st.caption(_falls(one))


def _falls(one: Worth) -> str:
    """Say what is measured of a method's words, beside as many random ones."""
    from maskviz.evidence.words.worth import DRAWS

    words = f"{one.k} word{'s' * (one.k != 1)}"
    low, high, random, uniform = (
        number(100 * value, ".1f") for value in (one.low, one.high, one.random, one.uniform)
    )
    return (
        f"Fall: how far the predicted label's probability sinks when a method's top {words} "
        f"{'are' if one.k != 1 else 'is'} hidden. Random ones, as many: {random} points, the mean "
        f"of {DRAWS} draws, whose middle 95 % reach from {low} to {high}; uniform {uniform}. "
        "Agreement: Kendall's τ with leaving out each word alone."
    )


def save(
    shown: View,
    place: tuple[int, int],
    title: str,
    beside: Callable[[], Mapping[str, View]],
) -> None:
    """Offer the picture and its numbers as files; say so where one would be too large.

    beside: the views that a page switches between, made when it is asked for.
    """
    with st.popover("Save"):
        plain = not find_spec("matplotlib")
        if plain:
            st.caption("Pictures need matplotlib: `pip install 'maskviz[figures]'`.")
        for name, suffix, one in FILES:
            if plain and suffix in _NEED_MATPLOTLIB:
                continue
            megabytes = bytes_of(shown, suffix, one) / 1e6
            if megabytes > 50:
                st.caption(f"{name} would be {megabytes:.0f} MB: choose one layer or one head.")
                continue
            at = place if one or suffix == ".html" else None  # the page opens at the chosen head
            st.download_button(
                name if megabytes < 5 else f"{name} (about {megabytes:.0f} MB)",
                data=partial(_file, shown, suffix, title, at, beside),
                file_name=f"attention{'_head' if one else ''}{suffix}",
                on_click="ignore",
                width="stretch",
                key=f"attention_save_{suffix}_{one}",
            )


def bytes_of(shown: View, suffix: str, one: bool) -> float:
    """Estimate a file's size before it is made."""
    cells = shown.weights[0, 0].size if one else shown.weights.size
    return cells * {".html": 8 / 3, ".npz": 1.7, ".json": 7.5}.get(suffix, 0)


def _file(
    shown: View,
    suffix: str,
    title: str,
    head_at: tuple[int, int] | None,
    beside: Callable[[], Mapping[str, View]],
) -> bytes:
    try:
        if suffix == ".html":
            views = beside()
            named = "Attention" if views else title
            return render(shown, suffix, title=named, head=head_at, beside=views)
        return render(shown, suffix, title=title, head=head_at)
    except MaskvizError as error:  # a download has no other place to say it
        return str(error).encode()
