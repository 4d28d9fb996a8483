"""The conversation of the Chat page: its turns as they are written, and what is hidden in them.

It may be unfinished, with empty turns or none; `conversation` reads it or says what is missing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from typing import Any

from maskviz.masks.choice import Choice
from maskviz.text.conversation import ROLES, Conversation, Turn, read_conversation
from maskviz.text.words import word_offsets

LONGEST_ANSWER = 48  # tokens that a model writes unless told otherwise
Words = tuple[int, ...]  # numbers of the hidden words of one turn, the first is 0


@dataclass(frozen=True)
class Talk:
    """Turns, a strategy, and what was clicked.

    hidden: of each turn the words that are hidden after the user's clicks; None while nothing was
    clicked. operator: empty for the usual one. longest: tokens of an answer. turn: how often clicks
    were dropped, so that those of an earlier turn never come back.
    """

    turns: tuple[Turn, ...] = ()
    tools: str = ""
    choice: Choice = field(default_factory=lambda: Choice("manual"))
    operator: str = ""
    complement: bool = False
    hidden: tuple[Words, ...] | None = None
    longest: int = LONGEST_ANSWER
    turn: int = 0

    @property
    def conversation(self) -> Conversation:
        """The conversation as far as it is written. Raises DataError where it is none yet."""
        return Conversation(self.turns, self.tools)

    @property
    def words(self) -> tuple[int, ...]:
        """The number of words of each turn."""
        return tuple(len(words_of(turn)) for turn in self.turns)

    @property
    def revision(self) -> str:
        """A short name of the mask before any click: changes exactly when it does."""
        said = json.dumps([to_value(replace(self, hidden=None, longest=0)), self.turn])
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def choosing(self, **changes: Any) -> Talk:
        """Return it with another choice of what to hide; the user's clicks are dropped."""
        return replace(self, **changes, hidden=None, turn=self.turn + 1)

    def clicked(self, indices: Sequence[int]) -> Talk:
        """Return it with exactly the words of these numbers hidden, counted over all turns."""
        wanted, hidden, first = set(indices), [], 0
        for count in self.words:
            hidden.append(tuple(i for i in range(count) if first + i in wanted))
            first += count
        return replace(self, hidden=tuple(hidden))

    @property
    def indices(self) -> Words | None:
        """The numbers of the clicked words over all turns; None while nothing was clicked."""
        if self.hidden is None:
            return None
        found, first = [], 0
        for own, count in zip(self.hidden, self.words, strict=True):
            found += [first + i for i in own if i < count]
            first += count
        return tuple(found)

    def with_turn(self, at: int, turn: Turn) -> Talk:
        """Return it with one turn in the place of another; words that stay keep their clicks."""
        turns = (*self.turns[:at], turn, *self.turns[at + 1 :])
        if self.hidden is None:
            return replace(self, turns=turns)
        own = _kept(self.turns[at], turn, self.hidden[at])
        return replace(self, turns=turns, hidden=(*self.hidden[:at], own, *self.hidden[at + 1 :]))

    def added(self, at: int, turn: Turn) -> Talk:
        """Return it with a new turn before the one numbered `at`, or at the end."""
        hidden = self.hidden and (*self.hidden[:at], (), *self.hidden[at:])
        return replace(self, turns=(*self.turns[:at], turn, *self.turns[at:]), hidden=hidden)

    def without(self, at: int) -> Talk:
        """Return it without one turn."""
        hidden = self.hidden and (*self.hidden[:at], *self.hidden[at + 1 :])
        return replace(self, turns=(*self.turns[:at], *self.turns[at + 1 :]), hidden=hidden)


def words_of(turn: Turn) -> list[str]:
    """Return the words of all that a turn says, in order."""
    return [text[a:b] for _, text in turn.texts for a, b in word_offsets(text)]


def _kept(before: Turn, after: Turn, hidden: Words) -> Words:
    """Return which words of a turn are hidden still, after it was written otherwise."""
    matcher = SequenceMatcher(None, words_of(before), words_of(after), autojunk=False)
    moved = {m.a + k: m.b + k for m in matcher.get_matching_blocks() for k in range(m.size)}
    return tuple(sorted(moved[i] for i in hidden if i in moved))


def of_conversation(conversation: Conversation, before: Talk | None = None) -> Talk:
    """Return a conversation with nothing hidden by hand; the strategy stays that of `before`."""
    kept = before or Talk()
    return replace(
        kept, turns=conversation.turns, tools=conversation.tools, hidden=None, turn=kept.turn + 1
    )


# in links, and in what the browser's tab keeps --------------------------------------------------


def to_value(talk: Talk) -> dict[str, Any]:
    """Return it JSON-ready; `of_value` reads it back."""
    choice = {k: v for k, v in vars(talk.choice).items() if v not in (None, {}, 0)}
    value = {
        "messages": [turn.message() for turn in talk.turns],
        "tools": json.loads(talk.tools) if talk.tools else None,
        "choice": {**choice, "parameters": dict(talk.choice.parameters)},
        "operator": talk.operator,
        "complement": talk.complement,
        "hidden": talk.hidden,
        "longest": talk.longest,
    }
    return {k: v for k, v in value.items() if v not in (None, "", False)}


def of_value(value: Any, choice: Callable[[Any], Choice], operator: Callable[[str], str]) -> Talk:
    """Read a talk; a link is never trusted. Raises ValueError for what cannot be read.

    choice, operator: what reads those two.
    """
    if not isinstance(value, Mapping) or not isinstance(value.get("messages"), list):
        raise ValueError
    own = Talk(_turns(value["messages"]), _tools(value.get("tools")))
    longest = value.get("longest", LONGEST_ANSWER)
    if type(longest) is not int or not 1 <= longest <= 256:
        raise ValueError
    hidden = value.get("hidden")
    if hidden is not None:
        hidden = tuple(tuple(int(i) for i in row) for row in hidden)
        if len(hidden) != len(own.turns):
            raise ValueError
    return replace(
        own,
        choice=choice(value.get("choice", {"strategy": "manual"})),
        operator=operator(value["operator"]) if value.get("operator") else "",
        complement=value.get("complement") is True,
        hidden=hidden,
        longest=longest,
    )


def _turns(messages: list[Any]) -> tuple[Turn, ...]:
    """Read turns one by one: an unfinished conversation may have empty ones."""
    found = []
    for message in messages:
        said = message.get("content") or ""
        more = any(message.get(name) for name in ("reasoning_content", "tool_calls"))
        if message.get("role") in ROLES and isinstance(said, str) and not (said.strip() or more):
            found.append(Turn(message["role"], said))
        else:  # a user's turn beside it, so that a tool's result may stand alone
            called = {"role": "assistant", "tool_calls": [{"function": {"name": "-"}}]}
            read = read_conversation([called, dict(message)])
            found.append(read.turns[-1])
    return tuple(found)


def _tools(tools: Any) -> str:
    if tools is None:
        return ""
    if not isinstance(tools, list):
        raise ValueError
    return json.dumps(tools, ensure_ascii=False)
