"""A conversation: its turns, and their contents as one text of which each part knows its turn.

A paragraph ends between two contents, so that no word, sentence or name reaches over a border.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ...errors import DataError
from ..words import check_unicode
from .turn import Turn

BORDER = "\n\n"


@dataclass(frozen=True)
class Piece:
    """One text of a conversation, and where it stands in the text of all contents.

    turn: its number, the first is 0. kind: `content`, `thought` or `argument` (of a tool call).
    """

    turn: int
    role: str
    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class Conversation:
    """Turns in order, and the definitions of the tools there are, a JSON list or empty.

    Raises DataError where there is no turn or no text, or a tool's result without its call;
    TextError where a content is not valid Unicode.

    >>> hi = Conversation((Turn("user", "Hi Ann"), Turn("assistant", "Hello")))
    >>> hi.text, [(piece.role, piece.start, piece.end) for piece in hi.pieces]
    ('Hi Ann\\n\\nHello', [('user', 0, 6), ('assistant', 8, 13)])
    """

    turns: tuple[Turn, ...]
    tools: str = ""

    def __post_init__(self) -> None:
        if not self.turns:
            raise DataError("The conversation has no turns: give at least one, such as a question.")
        if not any(text.strip() for text in self.texts):
            raise DataError("The conversation has no text: write something in one of its turns.")
        _tools_are_called(self.turns)
        check_unicode(self.text)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The text of each piece."""
        return tuple(text for turn in self.turns for _, text in turn.texts)

    @cached_property
    def text(self) -> str:
        """All contents, thoughts and arguments of tool calls, with a blank line between two."""
        return BORDER.join(self.texts)

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """Where each of the `texts` stands in `text`, in order."""
        found, at = [], 0
        for i, turn in enumerate(self.turns):
            for kind, text in turn.texts:
                found.append(Piece(i, turn.role, kind, at, at + len(text)))
                at += len(text) + len(BORDER)
        return tuple(found)

    def piece_at(self, character: int) -> Piece | None:
        """Return the piece that a character of `text` stands in; None of one between two."""
        i = bisect_right(self.pieces, character, key=lambda piece: piece.start) - 1
        piece = self.pieces[max(i, 0)]
        return piece if piece.start <= character < piece.end else None

    def pieces_in(self, start: int, end: int) -> tuple[Piece, ...]:
        """Return the pieces of which a stretch of `text` holds a character."""
        first = bisect_right(self.pieces, start, key=lambda piece: piece.end)
        behind = bisect_left(self.pieces, end, key=lambda piece: piece.start)
        return self.pieces[first:behind]

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that speak, in the order in which they first do."""
        return tuple(dict.fromkeys(turn.role for turn in self.turns))

    @cached_property
    def begun(self) -> tuple[Turn, ...]:
        """The turns without empty ones of the assistant's at the end: there the model answers."""
        return _begun(self.turns)

    @property
    def last(self) -> int:
        """The number of the last turn that says something."""
        return self.pieces[-1].turn

    @property
    def answered(self) -> bool:
        """Whether the last turn is an answer of the assistant's to something before it."""
        return _answers(self.turns)

    @property
    def answer(self) -> str:
        """What the last turn answers, empty where the model is to answer."""
        return self.turns[-1].content if self.answered else ""

    @cached_property
    def prompt(self) -> Conversation:
        """What a model reads before the last answer; itself where it ends with a question.

        The thought before the answer stays: it is read, too. Where an answer stands before it, an
        empty turn says that the model answers behind that one. Raises DataError where nothing but
        the answer has a text.

        >>> talk = Conversation((Turn("user", "Hi"), *[Turn("assistant", t) for t in ("A", "B")]))
        >>> [turn.content for turn in talk.prompt.turns], talk.prompt.prompt == talk.prompt
        (['Hi', 'A', ''], True)
        """
        if not self.answered:
            kept = _to_answer(self.begun)
            return self if kept == self.turns else replace(self, turns=kept)
        last = replace(self.turns[-1], content="")
        kept = (*self.turns[:-1], last) if last.thought else self.turns[:-1]
        if not any(text.strip() for turn in kept for _, text in turn.texts):
            raise DataError(
                f"Nothing stands before the answer {self.answer[:40]!r}: write something in a turn "
                "before it, such as a question."
            )
        return replace(self, turns=_to_answer(_begun(kept)))

    def answering(self, answer: str) -> Conversation:
        """Return the conversation with an answer of the assistant's at its end."""
        last = self.turns[-1]
        if _is_open(last):
            return replace(self, turns=(*self.turns[:-1], replace(last, content=answer)))
        return replace(self, turns=(*self.turns, Turn("assistant", answer)))

    def messages(self, texts: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """Return OpenAI's messages; `texts` stand in the place of the pieces' own."""
        own = None if texts is None else iter(texts)
        return [turn.message(own) for turn in self.turns]

    def to_dict(self) -> dict[str, Any]:
        """Return the conversation as JSON-ready values, which `read_conversation` reads back."""
        tools = {"tools": json.loads(self.tools)} if self.tools else {}
        return {"messages": self.messages(), **tools}

    def to_json(self) -> str:
        """Return the conversation as a JSON document."""
        return json.dumps(self.to_dict(), ensure_ascii=False)


def _begun(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    end = len(turns)
    while _is_open(turns[end - 1]) and not turns[end - 1].thought.strip():
        end -= 1
    return turns[:end]


def _answers(turns: tuple[Turn, ...]) -> bool:
    """Tell whether the last of some turns answers what stands before it."""
    last = turns[-1]
    said = last.role == "assistant" and bool(last.content.strip()) and not last.calls
    return said and bool(turns[1:] or last.thought)


def _to_answer(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """Return turns behind which the model answers, be the last of them an answer itself."""
    return (*turns, Turn("assistant")) if _answers(turns) else turns


def _is_open(turn: Turn) -> bool:
    """Tell whether a turn is the assistant's and its answer is still to be written."""
    return turn.role == "assistant" and not turn.content.strip() and not turn.calls


def _tools_are_called(turns: Sequence[Turn]) -> None:
    """Refuse a tool's result where no turn before calls it."""
    called: list[str] = []
    for number, turn in enumerate(turns, 1):
        called += [call.id for call in turn.calls]
        if turn.role != "tool":
            continue
        if not called:
            raise DataError(
                f"Turn {number} is the result of a tool that no turn before calls: add the "
                "assistant's turn with its 'tool_calls', or give the result the role user."
            )
        if turn.call_id and all(called) and turn.call_id not in called:
            raise DataError(
                f"Turn {number} answers the call {turn.call_id[:40]!r}, which is not among those "
                f"before it ({', '.join(called)[:80]}): correct its 'tool_call_id'."
            )
