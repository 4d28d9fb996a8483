"""A text lit by numbers: a change behind each token, or what each token of an answer rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, groupby
from typing import Any

import streamlit as st

from maskviz.evidence.text.scale import visible
from maskviz.evidence.words.answer import AnswerMatrix
from maskviz.figures.static_files import read_static
from maskviz.figures.theme import MASKED, PLAIN
from maskviz.readings.language.positions import Position
from maskviz.text.percent import number
from maskviz.ui.components._assets import read_asset

NOTICEABLE = 0.01  # nats; what is shown as 0.00 moves nothing

_mount = st.components.v2.component(
    "maskviz_lit_text",
    html=read_asset("lit_text.html"),
    css=read_static("common.css") + read_asset("lit_text.css"),
    js=read_static("marks.js") + read_static("common.js") + read_asset("lit_text.js"),
)


def position_strip(positions: Sequence[Position], text: str, *, key: str, note: str) -> None:
    """Show the prompt with each visible token lit by its KL; hidden ones as blocks of ink.

    What is not the text's own is the prompt's around it, in grey.
    """
    shown = _one_each(positions)
    before, end = [], 0
    for i, position in enumerate(shown):
        gap = "" if position.start is None else text[end : position.start]
        behind_prompt = i > 0 and shown[i - 1].start is None  # which has written the gap itself
        before.append("" if behind_prompt and end and gap.isspace() else gap)
        end = end if position.end is None else position.end
    _mount(
        key=key,
        data={
            **_EMPTY,
            "label": "The prompt, lit where hiding matters",
            "text": [p.text if p.start is None else text[p.start : p.end] for p in shown],
            "before": before,
            "values": [_rounded(p.kl) for p in shown],
            "hidden": [i for i, p in enumerate(shown) if p.kl is None],
            "quiet": [i for i, p in enumerate(shown) if p.start is None],
            "note": note,
            "signed": False,
            "more": MASKED,
        },
    )


def placed_text(text: str, kinds: str, *, key: str) -> None:
    """Show what a model reads: the template's own characters grey, hidden ones as blocks of ink.

    kinds: for each character `t` (the template's), `c` (a content's) or `h` (a hidden one).
    """
    runs = [(kind, len(list(own))) for kind, own in groupby(kinds)]
    ends = list(accumulate(length for _, length in runs))
    starts = [0, *ends[:-1]]
    _mount(
        key=key,
        data={
            **_EMPTY,
            "label": "What the model reads",
            "text": [text[start:end] for start, end in zip(starts, ends, strict=False)],
            "before": [""] * len(runs),
            "values": [None] * len(runs),
            "hidden": [i for i, (kind, _) in enumerate(runs) if kind == "h"],
            "quiet": [i for i, (kind, _) in enumerate(runs) if kind == "t"],
            "note": "",
        },
    )


def answer_strip(tokens: Sequence[Mapping[str, Any]], *, key: str) -> None:
    """Show an answer with each token lit by how far the mask moves its log-probability."""
    changes = [t["log_probability_masked"] - t["log_probability_original"] for t in tokens]
    _mount(
        key=key,
        data={
            **_EMPTY,
            "label": "The plain answer, lit where the mask moves it",
            "text": [str(token["text"]) for token in tokens],
            "before": [""] * len(tokens),
            "values": list(map(_rounded, changes)),
            "note": _moved_most([str(token["text"]) for token in tokens], changes),
        },
    )


def _moved_most(texts: Sequence[str], changes: Sequence[float]) -> str:
    """Say which token's log-probability the mask moves most, in nats."""
    most = max(range(len(changes)), key=lambda i: abs(changes[i]))
    legend = "Orange tokens become less probable, blue ones more"
    if abs(changes[most]) < NOTICEABLE:
        return f"{legend}; here none moves by more than {NOTICEABLE} nats."
    return f"{legend}; most “{visible(texts[most])}”: {number(changes[most], '+.2f')} nats."


def _one_each(positions: Sequence[Position]) -> list[Position]:
    """Return the positions, of tokens that share a character (the bytes of an emoji) the last."""
    found: list[Position] = []
    for position in positions:
        before = found[-1] if found else None
        if before and before.end and position.start is not None and position.start < before.end:
            found[-1] = replace(position, start=before.start)
        else:
            found.append(position)
    return found


def answer_lights(
    matrix: AnswerMatrix,
    text: str,
    *,
    key: str,
    note: str,
    scores: Sequence[float] | None = None,
) -> None:
    """Show the words of a text over the tokens of an answer; a click on one lights the others.

    scores: of the words for the whole answer, by default those of the matrix.
    """
    before, end = [], 0
    for start, stop in matrix.words:
        before.append(text[end:start])
        end = stop
    _mount(
        key=key,
        data={
            **_EMPTY,
            "label": "The words of the text",
            "head": "The text: click a word to see what it carries",
            "answerHead": "The answer: click a token to see what it rests on",
            "text": [text[start:stop] for start, stop in matrix.words],
            "before": before,
            "tail": text[end:],
            "values": [_rounded(v) for v in (matrix.whole if scores is None else scores)],
            "answer": list(matrix.tokens),
            "odds": [_rounded(v) for v in matrix.log_probabilities],
            "matrix": [[_rounded(v) for v in row] for row in matrix.scores],
            "note": note,
        },
    )


_EMPTY: dict[str, Any] = {
    "head": "", "answerHead": "", "tail": "", "hidden": [], "quiet": [], "answer": [], "odds": [],
    "matrix": None, "signed": True, "unit": "nats", "more": PLAIN, "less": MASKED, "ask": "",
}  # fmt: skip


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
