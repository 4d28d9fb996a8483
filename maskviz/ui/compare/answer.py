"""What a language model answers, plain and masked: bars, tokens, and where two answers part."""

from __future__ import annotations

import hashlib
from typing import Any

import pandas as pd
import streamlit as st

from maskviz.evidence import Comparison, Control, Explanation
from maskviz.evidence.text.scale import visible
from maskviz.evidence.words.answer import AnswerMatrix, answer_matrix
from maskviz.figures import answers as language_figures
from maskviz.figures import compare as figures
from maskviz.masks import Mask
from maskviz.readings.language.positions import Position, kl_by_position
from maskviz.readings.question import Spec, asked
from maskviz.ui.components.lit_text import NOTICEABLE, answer_lights, answer_strip, position_strip
from maskviz.ui.shared.chart import chart
from maskviz.ui.shared.grid import grid
from maskviz.ui.shared.page import escape


def show_answer(comparison: Comparison, control: Control) -> None:
    """Show the answers to one text in the way that suits the question."""
    detail = comparison.detail
    if "generation" in detail:
        _answer(comparison)
    elif "top" in detail:
        st.markdown("**What may come next, plain and masked**")
        drawn = language_figures.next_tokens(comparison)
        chart(drawn, "answers")
    else:
        st.markdown("**The answer, plain and masked**")
        chart(figures.answers(comparison, control), "answers")
        if "choices" in detail:
            _choices(detail["choices"])


def _choices(choices: list[dict[str, Any]]) -> None:
    with st.expander("Log-probabilities of the choices"):
        rows = [
            {
                "choice": visible(choice["text"]),
                "tokens": len(choice["tokens"]),
                "ln p plain": choice["log_probability_original"],
                "ln p masked": choice["log_probability_masked"],
                "a token, plain": choice["mean_original"],
                "a token, masked": choice["mean_masked"],
                "without the text": choice.get("log_probability_without_text"),
            }
            for choice in choices
        ]
        numbers = [name for name in rows[0] if name not in ("choice", "tokens")]
        kept = pd.DataFrame(rows).dropna(axis=1, how="all")
        grid(
            kept, "choices",
            column_config={n: st.column_config.NumberColumn(format="%.2f") for n in numbers},
        )  # fmt: skip


def _answer(comparison: Comparison) -> None:
    """The two answers side by side, then the plain one token by token under the mask."""
    detail = comparison.detail
    written = detail["generation"]
    st.markdown("**What it writes, plain and masked**")
    left, right = st.columns(2)
    for place, side, name in ((left, "original", "Plain"), (right, "masked", "Masked")):
        other = written["masked" if side == "original" else "original"]
        with place, st.container(border=True):
            st.caption(name)
            st.markdown(_parted(written[side], other) or "*nothing*")
    st.caption(_parts(written["parts_at"]))
    st.markdown("**The plain answer under the mask, token by token**")
    answer_strip(detail["tokens"], key=f"tokens_{_hash(detail['tokens'])}")
    with st.expander("Log-probability of every token"):
        chart(language_figures.answer_tokens(comparison), "answer_tokens")


def _parts(at: int | None) -> str:
    if at is None:
        return "Both are the same as far as they were written."
    return f"They part at token {at + 1}."


def _parted(text: str, other: str) -> str:
    """Return a text in Markdown, what differs from the other one marked."""
    pairs = enumerate(zip(text, other, strict=False))
    end = next((i for i, (a, b) in pairs if a != b), min(len(text), len(other)))
    same = text if text == other else text[: text.rfind(" ", 0, end) + 1]
    rest = text[len(same) :]
    marked = f":orange-background[{escape(_one_line(rest))}]" if rest.strip() else ""
    return f"{escape(_one_line(same))}{marked}".strip()


def _one_line(text: str) -> str:
    return text.replace("\n", " ⏎ ")


def show_positions(mask: Mask, model: str, operator: str, question: Spec) -> None:
    """Show under the text where hiding it matters, of a decoder that reads one token after another.

    Raises CapabilityError where its words cannot be hidden so.
    """
    positions = _positions(mask, model, operator, question)
    known = [p for p in positions if p.kl is not None]
    if not known or len(known) == len(positions):
        return
    top = max(known, key=lambda p: p.kl or 0)
    st.markdown("**Where does it matter? The change of the next token behind each one**")
    position_strip(
        positions, mask.text, key=f"kl_{_hash(positions)}",
        note=_matters(top.text, top.kl or 0.0),
    )  # fmt: skip


def _matters(text: str, kl: float) -> str:
    """Say behind which token the next one changes most, and by how much."""
    most = f"most behind “{visible(text)}”: {kl:.2f}" if kl >= NOTICEABLE else (
        f"nowhere more than {NOTICEABLE}"
    )  # fmt: skip
    return (
        f"KL of the next token, plain and masked, in nats; {most}. Hidden words are blocks, the "
        "prompt around the text is grey."
    )


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs={Mask: lambda m: m.to_json()})
def _positions(mask: Mask, model: str, operator: str, question: Spec) -> tuple[Position, ...]:
    put = asked(model, question).about(mask.text)
    return kl_by_position(mask, put.model, operator) if "generate" in put.model.capabilities else ()


def answers_in_words(found: Explanation) -> bool:
    """Tell whether an explanation is of an answer in words, of which each token has its own."""
    return isinstance(found.question, dict) and found.question.get("name") == "answer"


def show_matrix(text: str, found: Explanation, long: str) -> None:
    """Show the words over the tokens of the answer; a click on one lights the others."""
    matrix = _matrix(text, found.model, long, found.question)
    own = [word.score for word in found.words]
    unit = "" if found.unit == "ln p" else f"; lit: {found.method} for the whole answer"
    answer_lights(
        matrix, text, key=f"matrix_{_hash((text, found.model, found.question, found.method))}",
        scores=own,
        note=f"Blue words speak for the answer, orange ones against it{unit}.",
    )  # fmt: skip


@st.cache_data(max_entries=64, show_spinner=False)
def _matrix(text: str, model: str, long: str, question: Spec) -> AnswerMatrix:
    return answer_matrix(text, model, long, question)


def _hash(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:12]
