"""Strategies by who says what in a conversation: roles, turns, thoughts, tools, examples.

A plain text is one turn of the user's.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator

from ..errors import ParameterError, UnknownNameError
from ..text.conversation import ROLES, Conversation, Piece, Turn
from ..text.document import Document
from .registry import Parameter, budget, capped, shuffled, strategy
from .spans import MaskSpan

_SPOKEN = frozenset({"conversation"})
_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)|\A(?:(?!<think>).)*?</think>", re.S)
_PARTS = ("calls", "results")


def _of(document: Document) -> Conversation:
    return document.conversation or Conversation((Turn("user", document.text),))


@strategy(
    "role",
    "exhaustive",
    "Hides all that a role says, such as the system prompt.",
    needs=_SPOKEN,
    parameters=(Parameter("roles", "choices", ("system",), "whose turns are hidden", ROLES),),
)
def role(
    document: Document,
    ratio: float | None,
    rng: random.Random,
    *,
    roles: Iterable[str] = ("system",),
) -> list[MaskSpan]:
    """Choose everything that these roles say, think and pass to tools."""
    wanted = {name.strip().lower() for name in roles}
    for name in wanted - set(ROLES):
        raise UnknownNameError.of("role", name, ROLES)
    spoken = _of(document)
    hits = [_whole(piece, f"said by {piece.role}") for piece in spoken.pieces]
    hits = [h for h, p in zip(hits, spoken.pieces, strict=True) if p.role in wanted]
    return capped(document, hits, ratio, rng)


@strategy(
    "turn",
    "budgeted",
    "Hides whole turns, drawn at random or chosen by number; never draws the last.",
    default_ratio=0.3,
    needs=_SPOKEN,
    parameters=(
        Parameter("indices", "integers", (), "turns by number, the first is 1; empty: draw"),
    ),
)
def turn(
    document: Document, ratio: float, rng: random.Random, *, indices: Iterable[int] = ()
) -> Iterator[MaskSpan]:
    """Choose turns; `ratio` is a share of those that say something, the last one left out."""
    spoken = _of(document)
    if indices:
        yield from _turns(spoken, _numbered(indices, len(spoken.turns), "turn"), "chosen")
        return
    said = sorted({piece.turn for piece in spoken.pieces} - {spoken.last})
    drawn = shuffled(said, rng)[: budget(len(said), ratio)]
    yield from _turns(spoken, drawn, "drawn at random")


@strategy(
    "thought",
    "exhaustive",
    "Hides what a model thinks before it answers.",
    needs=_SPOKEN,
)
def thought(document: Document, ratio: float | None, rng: random.Random) -> list[MaskSpan]:
    """Choose thoughts, and what stands between <think> and </think> in answers."""
    spoken = _of(document)
    hits = []
    for piece in spoken.pieces:
        if piece.kind == "thought":
            hits.append(_whole(piece, "a thought"))
        elif piece.kind == "content" and (piece.role == "assistant" or not document.conversation):
            text = spoken.text[piece.start : piece.end]
            found = _THOUGHT.finditer(text) if "think>" in text else ()
            hits += [
                MaskSpan(piece.start + m.start(), piece.start + m.end(), "a thought", None, "THINK")
                for m in found
            ]
    return capped(document, hits, ratio, rng)


@strategy(
    "tool",
    "exhaustive",
    "Hides what is passed to tools, and what they answer.",
    needs=_SPOKEN,
    parameters=(Parameter("parts", "choices", _PARTS, "calls, results, or both", _PARTS),),
)
def tool(
    document: Document,
    ratio: float | None,
    rng: random.Random,
    *,
    parts: Iterable[str] = _PARTS,
) -> list[MaskSpan]:
    """Choose the text arguments of calls and the results of tools."""
    wanted = {part.strip() for part in parts}
    for part in wanted - set(_PARTS):
        raise UnknownNameError.of("part of a tool's use", part, _PARTS)
    hits = []
    for piece in _of(document).pieces:
        if piece.kind == "argument" and "calls" in wanted:
            hits.append(_whole(piece, "an argument of a tool's call"))
        elif piece.role == "tool" and "results" in wanted:
            hits.append(_whole(piece, "a tool's result"))
    return capped(document, hits, ratio, rng)


@strategy(
    "example",
    "budgeted",
    "Hides examples: what was asked and answered before the last question.",
    default_ratio=1.0,
    needs=_SPOKEN,
    parameters=(
        Parameter("indices", "integers", (), "examples by number, the first is 1; empty: draw"),
    ),
)
def example(
    document: Document, ratio: float, rng: random.Random, *, indices: Iterable[int] = ()
) -> Iterator[MaskSpan]:
    """Choose examples, each a user's turn with what answers it; `ratio` is a share of them."""
    spoken = _of(document)
    found = _examples(spoken)
    if indices:
        chosen = _numbered(indices, len(found), "example")
    else:
        chosen = shuffled(range(len(found)), rng)[: budget(len(found), ratio)]
    for number in chosen:
        yield from _turns(spoken, found[number], f"example {number + 1} of {len(found)}:")


def _examples(spoken: Conversation) -> list[list[int]]:
    """Return the turns of each exchange before the last question that holds an answer."""
    asked = [i for i, one in enumerate(spoken.turns) if one.role == "user"]
    ends = asked[1:]
    found = [list(range(a, b)) for a, b in zip(asked, ends, strict=False)]
    return [
        [i for i in turns if spoken.turns[i].role not in ("system", "developer")]
        for turns in found
        if any(spoken.turns[i].role == "assistant" for i in turns)
    ]


def _turns(spoken: Conversation, numbers: Iterable[int], how: str) -> Iterator[MaskSpan]:
    wanted = set(numbers)
    for piece in spoken.pieces:
        if piece.turn in wanted:
            of = f"turn {piece.turn + 1} of {len(spoken.turns)}"
            yield _whole(piece, f"{how} {of}" if how.endswith(":") else f"{of}, {how}")


def _numbered(indices: Iterable[int], count: int, what: str) -> list[int]:
    for index in indices:
        if not 1 <= index <= count:
            raise ParameterError(
                f"There is no {what} {index}: the conversation has {count}, counted from 1."
            )
    return [index - 1 for index in indices]


def _whole(piece: Piece, reason: str) -> MaskSpan:
    return MaskSpan(piece.start, piece.end, reason, None, piece.role.upper())
