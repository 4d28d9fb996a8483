"""Asking: two answers side by side as they come, and what may be said of the two."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from maskviz.evidence import Comparison, Control, compare, control
from maskviz.evidence.text.spoken import Ranked, parted, ranked_sentences, spoken_sentence
from maskviz.masks import Mask, apply
from maskviz.models import load_model
from maskviz.readings.language.writing import Writing
from maskviz.readings.question import asked
from maskviz.text.conversation import Conversation
from maskviz.ui.chat.choices import operator_of
from maskviz.ui.chat.hidden import of_prompt
from maskviz.ui.shared.page import escape
from maskviz.ui.shared.talk import Talk

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

KEY = "chat_asked"
_TICK = 0.12  # seconds between two looks at what is written


@dataclass(frozen=True)
class Request:
    """All that an answer depends on. prompt: what is read before it; mask: of its text."""

    model: str
    prompt: Conversation
    mask: Mask
    operator: str
    longest: int

    @property
    def key(self) -> str:
        """A name of it: equal where the answers are."""
        spans = [(s.start, s.end, s.label) for s in self.mask.spans]
        said = [self.model, self.prompt.to_json(), spans, self.operator, self.longest]
        return json.dumps([*said, self.mask.seed])

    def question(self, **more: Any) -> dict[str, Any]:
        """Return what the model is asked, JSON-ready."""
        spoken = self.prompt.to_dict()
        return {"name": "answer", "conversation": spoken, "longest": self.longest, **more}


@dataclass(frozen=True)
class Asked:
    """A request and what is written to it, plain and masked."""

    request: Request
    writing: Writing


def request_of(talk: Talk, chosen: Mask, model: str) -> Request:
    """Return what *Ask* asks now."""
    prompt = talk.conversation.prompt
    return Request(model, prompt, of_prompt(chosen, prompt), operator_of(talk, model), talk.longest)


def held() -> Asked | None:
    """Return what was asked last in this session."""
    found: Asked | None = st.session_state.get(KEY)
    return found


def begin(request: Request) -> Asked:
    """Let the model write; what was asked before ends. Raises MaskvizError."""
    if (before := held()) is not None:
        before.writing.stop()
    put = asked(load_model(request.model), request.question())
    plain = apply(request.mask.text, "attention", put.model)
    masked = apply(request.mask, request.operator, put.model)
    found = Asked(request, Writing(put.model, [plain, masked], request.longest))
    st.session_state[KEY] = found
    return found


def show(found: Asked, stale: bool) -> None:
    """Write the two answers as they come; returns when both are there or stopped."""
    left, right = st.columns(2)
    places = [_framed(left, "Plain"), _framed(right, "Masked")]
    writing = found.writing
    while writing.running:
        _write(places, writing, "▌")
        writing.wait(_TICK)
    _write(places, writing, "")
    if writing.error:
        st.error(escape(writing.error), icon="⚠️")
    said = [_ended(found)] if not stale else ["Asked before the last change: ask again."]
    st.caption(escape(" ".join(filter(None, said))))


def _framed(place: DeltaGenerator, name: str) -> DeltaGenerator:
    with place, st.container(border=True):
        st.caption(name)
        return st.empty()


def _write(places: list[DeltaGenerator], writing: Writing, cursor: str) -> None:
    one, other = writing.texts
    done = not cursor
    for place, own, beside in ((places[0], one, other), (places[1], other, one)):
        same, rest = parted(own, beside, whole=done)
        marked = f":orange-background[{_lines(rest)}]" if rest.strip() else ""
        place.markdown(f"{_lines(same)}{marked}{cursor}".strip() or ("*nothing*" if done else "…"))


def _lines(text: str) -> str:
    """Return text in Markdown in one paragraph, ends of lines shown."""
    return escape(text.strip("\n").replace("\n", " ⏎ "))


def _ended(found: Asked) -> str:
    return _ended_said(found.writing.tokens, found.request.longest, found.writing.stopped)


def _ended_said(tokens: Sequence[Sequence[int]], longest: int, stopped: bool) -> str:
    """Say where two answers part, and whether either was cut."""
    first, second = tokens
    if stopped:
        return f"Stopped after {len(first)} and {len(second)} tokens."
    at = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), None)
    if at is None and first != second:
        at = min(len(first), len(second))
    parts = (
        "Both are the same." if at is None else f"They part at token {at + 1}, from the mark on."
    )
    cut = " Cut at the length chosen under More." if longest in map(len, (first, second)) else ""
    return parts + cut


# what may be said of them -------------------------------------------------------------------


@dataclass(frozen=True)
class Finding:
    """The two answers compared, and the place of the mask in its reference set."""

    comparison: Comparison
    control: Control | None
    sentence: str


def finding(found: Asked) -> Finding:
    """Return what may be said of two whole answers. Raises MaskvizError."""
    return _finding(found.request.key, found.request)


@st.cache_data(max_entries=64, show_spinner=False)
def _finding(key: str, _request: Request) -> Finding:
    put = asked(load_model(_request.model), _request.question())
    compared = compare(_request.mask, put, _request.operator)
    hides = bool(compared.mask.hidden_words)
    chance = control(_request.mask, put, _request.operator) if hides else None
    return Finding(compared, chance, spoken_sentence(compared, chance, _request.prompt))


def sentences(found: Asked) -> tuple[Ranked, ...]:
    """Return every sentence of the conversation by what it moves. Raises MaskvizError."""
    return _sentences(found.request.key, found.request)


@st.cache_data(max_entries=32, show_spinner=False)
def _sentences(key: str, _request: Request) -> tuple[Ranked, ...]:
    put = asked(load_model(_request.model), _request.question()).about(_request.mask.text)
    return ranked_sentences(put, _request.prompt, _request.operator)
