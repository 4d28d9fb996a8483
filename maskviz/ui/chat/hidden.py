"""What is hidden of the conversation: by its strategy, and by the user's clicks."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from maskviz.evidence.text.spoken import Place, sentences_of, whole_sentences
from maskviz.masks import Mask, mask
from maskviz.masks.choice import Choice
from maskviz.masks.edit import Units, beginning, with_units
from maskviz.text.conversation import Conversation, read_conversation
from maskviz.text.words import word_offsets
from maskviz.ui.shared import fit
from maskviz.ui.shared.talk import Talk


def units_of(conversation: Conversation) -> Units:
    """Return where each word stands in the text of the contents, in order."""
    text = conversation.text
    return [
        (piece.start + start, piece.start + end)
        for piece in conversation.pieces
        for start, end in word_offsets(text[piece.start : piece.end])
    ]


def chosen_mask(talk: Talk, model: str) -> Mask:
    """Return the mask of the strategy, before any click. Raises MaskvizError."""
    choice = fit.choice(model, talk.choice)
    parameters = tuple(sorted((k, _frozen(v)) for k, v in choice.parameters.items()))
    found = _choose(
        talk.conversation.to_json(), choice.strategy, choice.ratio, choice.seed, parameters, model
    )
    return ~found if talk.complement else found


def current_mask(talk: Talk, model: str) -> Mask:
    """Return the mask as the user sees it, clicks included. Raises MaskvizError."""
    chosen, indices = chosen_mask(talk, model), talk.indices
    if indices is None:
        return chosen
    clicked = with_units(chosen, units_of(talk.conversation), indices)
    return whole_sentences(clicked, _sentences(talk.conversation.to_json()))


@st.cache_data(max_entries=64, show_spinner=False)
def _sentences(spoken: str) -> tuple[Place, ...]:
    return sentences_of(read_conversation(json.loads(spoken)))


def of_prompt(chosen: Mask, prompt: Conversation) -> Mask:
    """Return the mask of what a model reads before the last answer."""
    return chosen if chosen.text == prompt.text else beginning(chosen, len(prompt.text))


def is_by_hand(choice: Choice) -> bool:
    """Tell whether nothing is hidden but what is clicked."""
    return choice.strategy == "manual" and not choice.parameters


@st.cache_data(max_entries=128, show_spinner="Choosing what to hide …", show_time=True)
def _choose(
    spoken: str,
    strategy: str,
    ratio: float | None,
    seed: int,
    parameters: tuple[tuple[str, Any], ...],
    model: str,
) -> Mask:
    given: dict[str, Any] = {k: list(v) if isinstance(v, tuple) else v for k, v in parameters}
    conversation = read_conversation(json.loads(spoken))
    return mask(conversation, strategy, ratio=ratio, seed=seed, model=model, **given)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value


def said(count: int, total: int) -> str:
    """Return the headline before an answer: how many words are hidden."""
    if not count:
        return "Nothing is hidden: click a word, or choose what to hide, then ask."
    of = f"{count:,} of {total:,} word{'s' * (total != 1)} {'is' if count == 1 else 'are'}"
    return f"{of} hidden: ask, and read both answers."
