"""A rendered conversation as tokens: those of contents at characters of the contents' text.

What the template writes has no place there, as special tokens have none. Marks of a template that
somebody quotes in a content are read as text, never as the marks: a user who writes `<|im_end|>`
ends no turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from ...errors import CapabilityError
from ...text.alignment import Tokenised, plain_offsets
from .rendering import Rendering

_OWN = "assistant"  # whose marks are the model's own words, such as those of a tool call
Read = tuple[list[int], list[tuple[int, int]]]  # ids, and their characters of the rendering


def read_rendering(tokenizer: Any, rendering: Rendering, name: str) -> Tokenised:
    """Return the tokens of a rendering, as `read_tokens` does."""
    return read_tokens(tokenizer, rendering, name)[0]


def read_tokens(
    tokenizer: Any, rendering: Rendering, name: str
) -> tuple[Tokenised, list[tuple[int, int]]]:
    """Return the tokens of a rendering, and the characters of the rendering that each stands for.

    Hold the model's lock: the tokenizer has a state.

    offsets: in the conversation's `text`, None for what the template writes and for a token over
    the border of a content. name: of the model, for sentences. Raises CapabilityError where a
    quoted mark cannot be read as text.
    """
    text = rendering.text
    ids, places = _encoded(tokenizer, text)
    special = special_ids(tokenizer)
    quoted = [i for i in range(len(ids)) if ids[i] in special and _foreign(rendering, places[i])]
    if quoted:
        ids, places = _as_text(tokenizer, text, (ids, places), set(quoted), special, name)
    stood = [_stands(rendering, start, end) for start, end in places]
    over = sum(where == "over" for where, _ in stood)
    offsets = tuple(place for _, place in stood)
    found = Tokenised(
        text=rendering.conversation.text,
        input_ids=tuple(ids),
        tokens=tuple(
            text[start:end].strip() or _blank(text[start:end]) or _named(tokenizer, i)
            for i, (start, end) in zip(ids, places, strict=True)
        ),
        offsets=tuple(
            None if i in special else place for i, place in zip(ids, offsets, strict=True)
        ),
        typed=tuple(place if i in special else None for i, place in zip(ids, offsets, strict=True)),
        said=" ".join([*rendering.notices, *_counted(len(quoted), over)]),
        turns=tuple(_turn(rendering, place) for place in offsets),
    )
    return found, places


def _blank(text: str) -> str:
    """Return white space as a person reads it.

    >>> _blank(" \\n")
    '␣⏎'
    """
    return text.replace("\n", "⏎").replace("\t", "⇥").replace(" ", "␣")


def _named(tokenizer: Any, token: int) -> str:
    return str(tokenizer.convert_ids_to_tokens(token))


def special_ids(tokenizer: Any) -> frozenset[int]:
    """Return the ids that a tokenizer reads as marks, those of turns among them."""
    added = getattr(tokenizer, "added_tokens_decoder", {})
    return frozenset([*tokenizer.all_special_ids, *(i for i, t in added.items() if t.special)])


def _encoded(tokenizer: Any, text: str, as_text: bool = False) -> Read:
    given = {"split_special_tokens": True} if as_text else {}
    if not tokenizer.is_fast:
        ids = tokenizer(text, add_special_tokens=False, **given)["input_ids"]
        return list(ids), plain_offsets(tokenizer, text)
    read = tokenizer(
        text, add_special_tokens=False, return_offsets_mapping=True, verbose=False, **given
    )
    return list(read["input_ids"]), [tuple(place) for place in read["offset_mapping"]]


def _foreign(rendering: Rendering, place: tuple[int, int]) -> bool:
    """Tell whether a stretch holds a character of what another than the assistant says."""
    own = (rendering.owner[at] for at in range(*place))
    pieces = (rendering.conversation.piece_at(i) for i in own if i >= 0)
    return any(piece is not None and piece.role != _OWN for piece in pieces)


def _as_text(
    tokenizer: Any, text: str, read: Read, quoted: set[int], special: frozenset[int], name: str
) -> Read:
    """Read anew, as text, what stands between two marks of the template around a quoted one.

    A tokenizer reads what stands between marks by itself. That this one does is proved where it is
    used: the stretch alone must give the tokens that it has in the whole.
    """
    ids, places = read
    cuts = [i for i in range(len(ids)) if ids[i] in special and i not in quoted]
    edges = [-1, *cuts, len(ids)]
    found: Read = ([], [])
    for before, behind in pairwise(edges):
        first, last = before + 1, behind
        if any(i in quoted for i in range(first, last)):
            start = places[before][1] if before >= 0 else 0
            end = places[behind][0] if behind < len(ids) else len(text)
            alone = _encoded(tokenizer, text[start:end])[0]
            new, at = _encoded(tokenizer, text[start:end], as_text=True)
            if alone != ids[first:last] or special & set(new):
                raise CapabilityError(
                    f"A turn quotes a mark of the chat template ({_marks(text, places, quoted)}), "
                    f"which the tokenizer of {name!r} cannot read as text: write it otherwise."
                )
            found[0].extend(new)
            found[1].extend((a + start, b + start) for a, b in at)
        else:
            found[0].extend(ids[first:last])
            found[1].extend(places[first:last])
        if behind < len(ids):
            found[0].append(ids[behind])
            found[1].append(places[behind])
    return found


def _marks(text: str, places: Sequence[tuple[int, int]], quoted: set[int]) -> str:
    return ", ".join(dict.fromkeys(text[slice(*places[i])] for i in sorted(quoted)))[:80]


def _stands(rendering: Rendering, start: int, end: int) -> tuple[str, tuple[int, int] | None]:
    """Return where a token stands (`template`, `content`, `over` both), and its characters."""
    text, owner, at = rendering.text, rendering.owner, start
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start == end:  # white space alone
        own_at = owner[at] if at < len(owner) else -1
        return ("template", None) if own_at < 0 else ("content", (own_at, own_at))
    own = owner[start:end]
    there = [i for i in own if i >= 0]
    if not there:
        return "template", None
    first, last = min(there), max(there)
    piece = rendering.conversation.piece_at(first)
    foreign = any(i < 0 and not text[p].isspace() for p, i in enumerate(own, start))
    if foreign or piece is None or last >= piece.end:
        return "over", None
    return "content", (first, last + 1)


def _turn(rendering: Rendering, place: tuple[int, int] | None) -> int | None:
    piece = None if place is None else rendering.conversation.piece_at(place[0])
    return None if piece is None else piece.turn


def _counted(quoted: int, over: int) -> list[str]:
    said = []
    if quoted:
        marks = "mark of the template is" if quoted == 1 else "marks of the template are"
        said.append(f"{quoted} {marks} quoted in a content and read as text.")
    if over:
        tokens = "token stands" if over == 1 else "tokens stand"
        said.append(f"{over} {tokens} over the border of a content and cannot be hidden.")
    return said
