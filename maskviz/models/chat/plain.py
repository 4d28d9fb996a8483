"""A conversation without a template: its contents one behind the other, as plain text is read."""

from __future__ import annotations

from typing import Any

from ...text.conversation import Conversation
from .own import OWN, Stretch
from .rendering import Rendering


def joined_contents(
    tokenizer: Any, conversation: Conversation
) -> tuple[Rendering, tuple[Stretch, ...]]:
    """Return the contents joined by nothing, and what of them is the assistant's to write.

    Before them stands the token that the tokenizer begins texts with, if it does; behind the last
    turn of the assistant's the one that ends them, if there is one: it is that turn's end mark.

    >>> from maskviz.text.conversation import Turn
    >>> from types import SimpleNamespace
    >>> tokenizer = SimpleNamespace(bos_token=None, eos_token="</s>")
    >>> asked = Conversation((Turn("user", "1 + 1 ="), Turn("assistant", " 2")))
    >>> joined_contents(tokenizer, asked)[0].text
    '1 + 1 = 2</s>'
    """
    text = str(tokenizer.bos_token) if _begins(tokenizer) else ""
    places: list[tuple[int, ...]] = []
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    for piece in conversation.pieces:
        said = conversation.text[piece.start : piece.end]
        places.append(tuple(range(len(text), len(text) + len(said))))
        starts.setdefault(piece.turn, len(text))
        text += said
        ends[piece.turn] = len(text)
    eos = str(tokenizer.eos_token or "")
    last = len(conversation.turns) - 1
    closed = bool(eos) and conversation.turns[last].role == OWN and last in ends
    rendering = Rendering(conversation, text + eos * closed, tuple(places), False)
    stretches = tuple(
        Stretch(turn, start, ends[turn], ends[turn] + len(eos) * (closed and turn == last))
        for turn, start in starts.items()
        if conversation.turns[turn].role == OWN
    )
    return rendering, stretches


def _begins(tokenizer: Any) -> bool:
    """Tell whether a tokenizer puts its token for the beginning before a text."""
    if not tokenizer.bos_token:
        return False
    return list(tokenizer("a")["input_ids"])[:1] == [tokenizer.bos_token_id]
