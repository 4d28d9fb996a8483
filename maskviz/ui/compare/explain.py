"""The Compare page, word by word: scores by several methods, and how far they can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import pandas as pd
import streamlit as st

from maskviz.errors import MaskvizError
from maskviz.evidence import METHODS, Explanation, explain
from maskviz.evidence.text.scale import shortened, visible
from maskviz.evidence.words.faithfulness import Faithfulness, faithfulness
from maskviz.evidence.words.plausibility import plausibility
from maskviz.evidence.words.staged import cost, is_long
from maskviz.figures import compare as figures
from maskviz.readings.question import Spec, asked
from maskviz.text.percent import number, percent
from maskviz.ui.compare.answer import answers_in_words, show_matrix
from maskviz.ui.compare.file import long_control
from maskviz.ui.compare.turns import turns_of_scores
from maskviz.ui.shared import limits, state
from maskviz.ui.shared.asking import question_controls, question_more, question_of, spec_of
from maskviz.ui.shared.chart import chart
from maskviz.ui.shared.conversation_control import text_or_conversation
from maskviz.ui.shared.grid import grid
from maskviz.ui.shared.page import errors, escape, say_unfamiliar

_DEFAULT = ("occlusion", "gradient-input", "random")


def show(view: state.View) -> None:
    """The first method's scores large, the others beside it in numbers."""
    found: dict[str, Explanation] = {}
    own = False
    picture, choice = st.columns([5, 3], gap="large")
    with choice:
        text_or_conversation(view, "explain")
        question_controls(view)
        names = st.pills(
            "Methods", list(METHODS), selection_mode="multi", default=list(_DEFAULT), wrap=True,
            help="\n".join(f"- **{m.name}**: {m.summary}" for m in METHODS.values()),
        )  # fmt: skip
        label = None
        with suppress(MaskvizError):  # said beside it
            label = _label(state.current())
        trust = st.toggle("Measure faithfulness", help="Some hundred passes; seconds to a minute.")
        with st.expander("More"):
            question_more(state.current())
            long = long_control("explain_long")
        whole = _whole(state.current().text)
    with picture, errors():
        if not names:
            st.info("Choose at least one method.")
            return
        view = state.current()
        if not whole:
            view = replace(view, text=limits.first_words(view.text))
        asked(view.model, spec_of(view)).about(view.text)  # what cannot be asked is said once
        found = _scores(view, names, label, long)
    if trust and found:
        with errors():
            _faithfulness(view, found, long)
    with suppress(MaskvizError):
        own = question_of(view)["name"] == "labels"
    if own:
        with st.expander("Hold the scores against words that people marked"):
            _marked(view, names or ["occlusion"])


def _label(view: state.View) -> str | None:
    """Ask for the output that is explained; None for the one that the question speaks of."""
    put = asked(view.model, spec_of(view))
    if put.name == "answer":
        return None  # its tokens are chosen by a click
    first = "the predicted one" if put.name != "next" else "the most probable one"
    outputs = put.about(view.text).outputs
    chosen = st.selectbox(
        "Label" if put.name == "labels" else "Of", [first, *outputs], key=f"explain_{put.name}",
        format_func=visible,
    )  # fmt: skip
    return None if chosen == first else chosen


def _whole(text: str) -> bool:
    """Ask whether every word of a long text is scored; return the answer."""
    words = limits.words_in(text)
    if words <= limits.ASKED:
        return True
    st.caption(f"Scored: the first {limits.first()} of {words:,} words.")
    return st.toggle(
        f"Score all {words:,} words", key="explain_whole",
        help="A pass over the text for each word: up to some minutes.",
    )  # fmt: skip


@st.cache_data(max_entries=16, show_spinner=False)
def _cost(text: str, model: str, question: Spec) -> str:
    """Say what scoring a long text takes; it is timed once."""
    return cost(asked(model, question).about(text), text).sentence


def _scores(
    view: state.View, names: list[str], label: str | None, long: str
) -> dict[str, Explanation]:
    """Show one method's scores; return those of all."""
    found: dict[str, Explanation] = {}
    put = asked(view.model, spec_of(view))
    if is_long(put, view.text) and "occlusion" in names:
        st.caption(f"{_cost(view.text, view.model, spec_of(view))} Another choice ends it.")
    with st.spinner("Scoring …", show_time=True):
        for name in names:
            try:
                found[name] = explain(
                    view.text, view.model, name, label, long, view.seed, spec_of(view)
                )
            except MaskvizError as error:
                st.caption(escape(f"{name}: {error}"))
    if not found:
        return found
    answer = st.container()  # the finding comes first, which method it is of below it
    shown = st.segmented_control(
        "Scores by", list(found), default=next(iter(found)), required=True, key="explain_shown"
    ) if len(found) > 1 else next(iter(found))  # fmt: skip
    first = found.get(shown or "", next(iter(found.values())))
    answer.markdown(f"### {escape(sentence(first))}")
    if first.notice:
        answer.warning(escape(first.notice), icon="✂️")
    with answer:
        say_unfamiliar(view)
    if first.question != "labels" and answers_in_words(first) and not is_long(put, view.text):
        show_matrix(view.text, first, long)
    chart(figures.words(first), "words")
    if len(first.words) > figures.MOST_WORDS:
        st.caption(f"The {figures.MOST_WORDS} words with the strongest scores, in their order.")
    if view.spoken is not None:
        turns_of_scores(first, view.spoken)
    if any(w.score < 0 for w in first.words):
        raised = "raise" if first.head == "regression" else "speak for"
        lowered = "lower" if first.head == "regression" else "speak against"
        st.caption(f"Blue words {raised} {escape(_named(first))}, orange ones {lowered} it.")
    if first.convergence_gap is not None:
        st.caption(_missed(first.convergence_gap))
    with st.expander("All scores"):
        table: dict[str, Sequence[object]] = {"word": [w.text for w in first.words]}
        table |= {name: [w.score for w in e.words] for name, e in found.items()}
        grid(pd.DataFrame(table), "scores", hide_index=False)
    return found


def _missed(gap: float) -> str:
    return f"Convergence gap: the scores of all tokens miss the change of the logit by {gap:.2g}."


def sentence(found: Explanation) -> str:
    """Say which words the answer rests on most."""
    top = [found.words[i].text for i in found.ranked[:3] if found.words[i].score > 0]
    answer = _answered(found)
    if METHODS[found.method].baseline:
        return f"{answer}: {found.method} scores know nothing of the text, for comparison."
    if found.reduced is not None:
        left = " ".join(found.words[i].text for i in sorted(found.reduced)[:12])
        return f"{answer} still stands when only “{left}” is left."
    if not top:
        return f"{answer}: by {found.method} no word speaks for it."
    return f"{answer} rests most on {', '.join(f'“{word}”' for word in top)} by {found.method}."


def _answered(found: Explanation) -> str:
    """Return what is explained, with its figure."""
    if found.unit == "contrast":
        return f"That it is {_named(found)}"
    if found.head == "likelihood":
        return f"{_named(found)} (ln p {number(found.probability, '.2f')})"
    value = f"{found.probability:.3f}" if found.head == "regression" else percent(found.probability)
    return f"{_named(found)} {value}"


def _named(found: Explanation) -> str:
    """Return the output as a sentence has it."""
    if found.question == "labels":
        return found.label
    if found.unit == "contrast" and isinstance(found.question, dict):
        return f"“{shortened(found.label)}” and not “{shortened(str(found.question['against']))}”"
    return f"“{shortened(found.label)}”"


def _faithfulness(view: state.View, found: dict[str, Explanation], long: str) -> None:
    with st.spinner("Hiding words by rank …", show_time=True):
        measured = {
            name: _measured(view.text, view.model, name, e.label, long, view.seed, spec_of(view))
            for name, e in found.items()
        }
    st.markdown(f"**{escape(believed(measured))}**")
    first = next(iter(found.values()))
    measure = f"ln p of {_named(first)}" if first.head == "likelihood" else ""
    chart(figures.curves(measured, measure), "curves")
    grid(pd.DataFrame([_row(name, m) for name, m in measured.items()]), "faithfulness")
    st.caption(
        "High comprehensiveness and insertion, low sufficiency and deletion are good. In brackets: "
        "20 random orders of the words, middle 95 %. τ: Kendall's, with leave-one-out, which is "
        "occlusion itself."
    )


def believed(measured: dict[str, Faithfulness]) -> str:
    """Say whose best words the answer needs more than it needs random ones."""
    good = [
        name
        for name, m in measured.items()
        if m.comprehensiveness > m.random["comprehensiveness"].high
    ]
    if not good:
        return "Hiding these methods' best words cannot be told from hiding random ones."
    return (
        "Hiding the best words changes the answer beyond the middle 95 % of random ones: "
        f"{', '.join(good)}."
    )


@st.cache_data(max_entries=64, show_spinner=False)
def _measured(
    text: str, model: str, method: str, label: str, long: str, seed: int, question: Spec
) -> Faithfulness:
    found = explain(text, model, method, label, long, seed, question)
    return faithfulness(found, text, long=long, seed=seed)


def _row(name: str, m: Faithfulness) -> dict[str, object]:
    cells = {
        key: f"{value:.2f} ({m.random[key].low:.2f} to {m.random[key].high:.2f})"
        for key, value in m.values.items()
    }
    return {
        "method": name,
        **cells,
        "τ": None if m.kendall_tau is None else round(m.kendall_tau, 2),
    }


def _marked(view: state.View, names: list[str]) -> None:
    """Agreement with marked spans, over the first texts of a file."""
    st.caption(
        "JSON Lines or Parquet: `text` with spans of characters, or `tokens` with spans of tokens, "
        "in `evidence`, `rationale` or `spans`."
    )
    given = st.file_uploader(
        "Texts with marked words", type=["jsonl", "json", "parquet"], key="marked"
    )
    rows = st.number_input("Texts to read", 1, 1000, 20, key="marked_rows")
    if given is None or not st.button("Compare with people"):
        return
    with errors(), st.spinner("Scoring every text …", show_time=True):
        found = [
            plausibility(given.getvalue(), name, view.model, rows=int(rows), name=given.name)
            for name in names
        ]
        table = [
            {
                "method": p.method,
                "token-F1": _interval(p.token_f1, p.token_f1_ci95),
                "IoU-F1": _interval(p.iou_f1, p.iou_f1_ci95),
                "average precision": _interval(p.average_precision, p.average_precision_ci95),
            }
            for p in found
        ]
        grid(pd.DataFrame(table), "plausibility")
        for note in found[0].notes:
            st.caption(escape(note))
        st.caption(_people(found[0].rows, found[0].share))


def _people(texts: int, share: float) -> str:
    """Say of how many texts the agreement is; share: of their words that people mark."""
    if texts == 1:
        return f"1 text, of whose words people mark {percent(share)}: it says nothing of others."
    return (
        f"{texts:,} texts, of whose words people mark {percent(share)}; in brackets 95 % bootstrap "
        "intervals."
    )


def _interval(value: float, bounds: tuple[float, float] | None) -> str:
    between = f"{bounds[0]:.3f} to {bounds[1]:.3f}" if bounds else "no interval"
    return f"{value:.3f} ({between})"
