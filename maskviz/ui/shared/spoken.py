"""The conversation that stands in the place of the session's text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from maskviz.errors import MaskvizError
from maskviz.masks import Mask
from maskviz.text.conversation import Conversation, Turn, read_conversation

ASKED = ("answer", "next", "choices")  # the questions that take a conversation
# Strategies that need turns, in the order in which they are offered.
ALWAYS, SOMETIMES = ("role", "turn"), ("example", "thought", "tool")


def spoken_of(question: Mapping[str, Any], text: str) -> Conversation | None:
    """Return the conversation that is asked about, None where the text is not that of one."""
    said = question.get("conversation")
    if not said:
        return None
    found = _read(json.dumps(said, sort_keys=True, default=str))
    return found if found is not None and found.text == text else None


def with_conversation(question: Mapping[str, Any], spoken: Mapping[str, Any]) -> dict[str, Any]:
    """Return a question as it is put to another conversation: its answer, unless it takes one."""
    name = question.get("name")
    if name not in ASKED:
        return {"name": "answer", "conversation": dict(spoken)}
    kept = {k: v for k, v in question.items() if k not in ("answer", "tokens", "prompt")}
    return {**kept, "conversation": dict(spoken)}


def text_of(question: Mapping[str, Any]) -> str:
    """Return the text of the conversation that is asked about, empty where there is none."""
    said = question.get("conversation")
    found = said and _read(json.dumps(said, sort_keys=True, default=str))
    return found.text if found else ""


def asked_in_link(question: Mapping[str, Any], with_text: bool) -> dict[str, Any]:
    """Return a question as a link has it: with a conversation and its answer where asked for."""
    left = () if with_text or "conversation" not in question else ("conversation", "answer")
    return {name: value for name, value in question.items() if name not in left}


@lru_cache(maxsize=16)
def _read(said: str) -> Conversation | None:
    try:
        return read_conversation(json.loads(said)).prompt
    except (MaskvizError, ValueError):
        return None


def with_turns(chosen: Mask, spoken: Conversation | None) -> str:
    """Return a mask as JSON, with the conversation that its text is of."""
    if spoken is None:
        return chosen.to_json()
    value = {**chosen.to_dict(), "conversation": spoken.to_dict()}
    return json.dumps(value, ensure_ascii=False, indent=2)


def finds(strategy: str, turns: tuple[Turn, ...]) -> bool:
    """Tell whether turns have anything that a strategy is made for."""
    if strategy == "thought":
        return any(turn.thought or "think>" in turn.content for turn in turns)
    if strategy == "tool":
        return any(turn.calls or turn.role == "tool" for turn in turns)
    if strategy == "example":
        return sum(turn.role == "user" for turn in turns) > 1
    return True


def strategies_for(spoken: Conversation | None) -> tuple[str, ...]:
    """Return the strategies that need turns and find something in these."""
    if spoken is None:
        return ()
    return (*ALWAYS, *(name for name in SOMETIMES if finds(name, spoken.turns)))
