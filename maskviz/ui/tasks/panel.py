"""The Tasks page: an example of each task, the mask that suits it, and what it changes."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

import pandas as pd
import streamlit as st

from maskviz.errors import ParameterError
from maskviz.evidence import compare, control
from maskviz.evidence.text.sentence import comparison_sentence
from maskviz.figures import compare as figures
from maskviz.masks import Mask, mask
from maskviz.models.abilities import abilities
from maskviz.models.locate import BUNDLED, public_name
from maskviz.paths import assets
from maskviz.text.percent import percent
from maskviz.ui.shared import fit, state
from maskviz.ui.shared.chart import chart
from maskviz.ui.shared.grid import grid
from maskviz.ui.shared.limits import LONGEST
from maskviz.ui.shared.page import escape

MOST_PAIRS = 50
_LINE = 40  # characters that a cell shows in one line
_WRAPPED = 68  # pixels of a row: from 64 on Streamlit breaks what is long into lines


@cache
def _texts() -> dict[str, Any]:
    with (assets() / "tasks.toml").open("rb") as file:
        return tomllib.load(file)


def sentiment(view: state.View) -> None:
    """Does the verdict change when age, gender, names and places are hidden?"""
    picture, choice = st.columns([5, 2], gap="large")
    with choice:
        text = st.text_area("Text", _texts()["sentiment"]["text"], height=170, key="ts_text")
        model = view.model if abilities(view.model).classify else BUNDLED
        offered = [o for o in ("mask", "placeholder", "delete") if o in fit.operators(model)]
        operator = st.selectbox("Operator", offered, key=f"ts_operator_{len(offered)}")
        if model != view.model:
            st.caption(escape(f"{public_name(view.model)} gives no labels: {model} answers here."))
    with picture:
        chosen = _attributes(_checked(text))
        result = compare(chosen, model, operator)
        chance = control(chosen, model, operator) if chosen.hidden_words else None
        st.markdown(f"### {escape(comparison_sentence(result, chance))}")
        st.markdown(_in_ink(chosen))
        chart(figures.answers(result, chance), "ts_answers")
        _hidden_table(chosen, "attributes")
        st.caption(
            "The strategy attribute hides what a verdict should not rest on. Where hiding it moves "
            "the answer beyond chance, this answer leans on it."
        )


@st.cache_data(max_entries=64, show_spinner="Choosing what to hide …")
def _attributes(text: str) -> Mask:
    return mask(text, "attribute")


def _in_ink(chosen: Mask) -> str:
    return escape(chosen.blocked_text().replace("\n", " "))


def _checked(text: str) -> str:
    if len(text) > LONGEST:
        raise ParameterError(
            f"The text has {len(text):,} characters: give at most {LONGEST:,} here."
        )
    return text


def summary() -> None:
    """Is a summary better without the sentences that repeat others?"""
    picture, choice = st.columns([5, 2], gap="large")
    with choice:
        text = st.text_area("Text", _texts()["summarization"]["text"], height=240, key="tm_text")
        reference = st.text_area(
            "Summary to measure against", _texts()["summarization"]["reference"], height=110,
            key="tm_reference", help="ROUGE counts the words shared with it, in any script.",
        )  # fmt: skip
        model = st.text_input(
            "Summarising model", "mini", key="tm_model",
            help="mini chooses sentences; an encoder–decoder from the Hub, such as "
            "sshleifer/distilbart-cnn-12-6, writes its own.",
        )  # fmt: skip
        count = st.slider("Sentences", 1, 8, 3, key="tm_sentences")
        threshold = st.slider("Similarity from which a sentence repeats", 0.1, 1.0, 0.5, 0.05,
                              key="tm_threshold")  # fmt: skip
    with picture:
        found = _summaries(_checked(text), _checked(reference), model.strip(), count, threshold)
        st.markdown(f"### {_repeats(found)}")
        left, right = st.columns(2)
        left.markdown("**Summary of the whole text**")
        left.text(found.before)
        right.markdown("**Summary without what repeats**")
        right.text(found.after)
        if found.rouge:
            rows = [
                {"measure": name, "before": 100 * a, "after": 100 * b, "difference": 100 * (b - a)}
                for name, (a, b) in found.rouge.items()
            ]
            points = st.column_config.NumberColumn(format="%.1f")
            columns = dict.fromkeys(("before", "after", "difference"), points)
            grid(pd.DataFrame(rows), "rouge", column_config=columns)
        st.markdown("**What was hidden**")
        _hidden_table(found.mask, "repeats")
        _attention_button(text, model.strip(), "redundant")


def _hidden_table(chosen: Mask, name: str) -> None:
    rows = [{"hidden": chosen.text[s.start : s.end], "why": s.reason} for s in chosen.spans]
    if rows:
        long = max(len(row["hidden"]) for row in rows) > _LINE
        wrapped = {"row_height": _WRAPPED, "column_config": dict.fromkeys(rows[0], _medium())}
        grid(pd.DataFrame(rows), name, **(wrapped if long else {}))
    else:
        st.caption("Nothing.")


def _medium() -> Any:
    return st.column_config.TextColumn(width="medium")


def _repeats(found: Any) -> str:
    """Say how many sentences repeat others, and what leaving them out does to the summary."""
    count = len(found.mask.spans)
    if not count:
        return "No sentence repeats an earlier one: the summary stays as it is."
    said = f"{count} sentence{'s' * (count != 1)} repeat{'s' * (count == 1)} earlier ones"
    if "ROUGE-L" not in found.rouge:
        return f"{said}."
    before, after = (100 * value for value in found.rouge["ROUGE-L"])
    way = "comes closer to" if after > before else "stays as close to"
    way = "moves away from" if after < before else way
    return (
        f"{said}; without them this summary {way} the one it is measured against: ROUGE-L "
        f"{before:.1f}, then {after:.1f}."
    )


@st.cache_data(max_entries=16, show_spinner="Summarising …", show_time=True)
def _summaries(text: str, reference: str, model: str, count: int, threshold: float) -> Any:
    from maskviz.evidence.files.written import redundant_summary

    return redundant_summary(text, reference, model, count, threshold)


def translation() -> None:
    """What do typing errors cost, and does hiding or repairing them help?"""
    picture, choice = st.columns([3, 2], gap="large")
    with choice:
        half = st.column_config.TextColumn(width="small")
        st.caption("Sentences and their translations: change a cell, or add a row at the end.")
        pairs = st.data_editor(
            pd.DataFrame(_texts()["translation"]["pairs"], columns=["source", "reference"]),
            num_rows="dynamic", hide_index=True, key="tt_pairs", height=300,
            row_height=_WRAPPED, column_config=dict.fromkeys(("source", "reference"), half),
        )  # fmt: skip
        rate = st.slider("Words with a typing error", 0, 100, 20, 5, format="%d %%", key="tt_rate")
        seed = st.number_input("Seed", 0, state.SEEDS, 0, key="tt_seed")
        model = st.text_input(
            "Translation model", "mini-translate", key="tt_model",
            help="Or an encoder–decoder from the Hub, such as Helsinki-NLP/opus-mt-en-fr.",
        )  # fmt: skip
    with picture:
        kept = [
            (str(source), str(reference))
            for source, reference in pairs.itertuples(index=False)
            if isinstance(source, str) and isinstance(reference, str) and source.strip()
        ]
        if not kept or len(kept) > MOST_PAIRS:
            raise ParameterError(f"There are {len(kept)} pairs: give 1 to {MOST_PAIRS}.")
        _checked(" ".join(source + reference for source, reference in kept))
        found = _translations(tuple(kept), rate / 100, int(seed), model.strip())
        st.markdown(f"### {escape(found.finding)}")
        chart(_scores(found), "tt_scores")
        st.caption(_caught(found.found, found.false))
        grid(
            _written(found), "translations", row_height=_WRAPPED,
            column_config={"input": st.column_config.TextColumn(width="small"),
                           **dict.fromkeys(("the model read", "and wrote"), _medium())},
        )  # fmt: skip
        _attention_button(kept[0][0], model.strip(), "noise")


def _caught(found: float | None, false: float | None) -> str:
    """Say what `noise` hides of the errors, and what else; None where there were none of them."""
    if found is None:
        return "No error was put in, so there was none to find."
    hides = f"The strategy noise hides {percent(found)} of the errors that were put in"
    if false is None:
        return f"{hides}, and nothing else."
    return f"{hides}; {percent(false)} of the words it hides were none."


@st.cache_data(max_entries=16, show_spinner="Translating four times …", show_time=True)
def _translations(pairs: tuple[tuple[str, str], ...], rate: float, seed: int, model: str) -> Any:
    from maskviz.evidence.files.written import noisy_translation

    sources, references = zip(*pairs, strict=True)
    return noisy_translation(sources, references, rate, seed, model)


def _scores(found: Any) -> Any:
    import plotly.graph_objects as go

    from maskviz.figures.theme import OKABE_ITO

    figure = go.Figure()
    for name, colour in (("chrF", OKABE_ITO[0]), ("BLEU", OKABE_ITO[1])):
        values = [getattr(way, name.lower()) for way in found.ways]
        if None in values:  # of references under four words there is no BLEU
            continue
        figure.add_bar(
            y=[way.way for way in found.ways], x=values, name=name, orientation="h",
            marker_color=colour, text=[f"{v:.1f}" for v in values], textposition="outside",
            cliponaxis=False,
        )  # fmt: skip
    figure.update_layout(
        barmode="group", height=300, margin={"l": 8, "r": 40, "t": 8, "b": 8},
        xaxis={"title": {"text": "score, 0 to 100"}, "range": [0, 105]},
        yaxis={"autorange": "reversed", "automargin": True},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )  # fmt: skip
    return figure


def _written(found: Any) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"input": way.way, "the model read": read, "and wrote": written}
            for i in range(len(found.ways[0].read))
            for way in found.ways
            for read, written in [(way.read[i], way.written[i])]
        ]
    )


def _attention_button(text: str, model: str, strategy: str) -> None:
    """Open the cross attention of the encoder–decoder on this text; nothing for other models."""
    from maskviz.attention import parts_of
    from maskviz.models import load_model

    if "cross" not in parts_of(load_model(model)):
        st.caption(
            "Cross attention, from each written word to the words read, is shown for an "
            "encoder–decoder: give the name of one as the model."
        )
        return
    st.button(
        "Open its cross attention",
        on_click=_open_attention, args=(text, model, strategy),
        help="From each word that the model writes to the words it reads, on the Attention page.",
    )  # fmt: skip
    if st.session_state.pop("tasks_to_attention", False):
        st.switch_page("pages/attention.py")


def _open_attention(text: str, model: str, strategy: str) -> None:
    # A mask that suits the task; that of the page before may ask the model for a label it has not.
    state.open_view(state.View(text, strategy, model=model))
    st.session_state.update(
        attention_part="cross", attention_part_asked="cross", attention_show="plain",
        attention_method="raw", attention_target="", tasks_to_attention=True,
    )  # fmt: skip
