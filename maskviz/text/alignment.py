"""Tokens of a model at character offsets of the text they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .specials import typed_specials
from .words import check_unicode


@dataclass(frozen=True)
class Tokenised:
    """A text as a model's tokens; every list has one item per token.

    offsets: (start, end) in characters without surrounding space, None for special tokens.
    typed: (start, end) of the special tokens that the text itself spells, None for all others.
    truncated_at: the first character the model does not read, or None.
    said: a sentence on what a template does to the text, else empty. turns: of a conversation, the
    number of the turn that each token belongs to, None for the template's own; else empty.
    """

    text: str
    input_ids: tuple[int, ...]
    tokens: tuple[str, ...]
    offsets: tuple[tuple[int, int] | None, ...]
    typed: tuple[tuple[int, int] | None, ...]
    truncated_at: int | None = None
    said: str = ""
    turns: tuple[int | None, ...] = ()


def tokenise(tokenizer: Any, text: str, max_length: int) -> Tokenised:
    """Tokenise `text`, cut to `max_length` tokens, special ones included.

    Whitespace at a token's edges belongs to no token, so that a mask over a word does not
    reach the next one in tokenizers that carry the space along. Raises TextError where the text
    is not valid Unicode.
    """
    check_unicode(text)
    fast = tokenizer.is_fast
    encoding = tokenizer(
        text,
        truncation=True,
        max_length=max_length,
        return_special_tokens_mask=True,
        **({"return_offsets_mapping": True} if fast else {}),
    )
    input_ids = tuple(encoding["input_ids"])
    special = encoding["special_tokens_mask"]
    found = encoding["offset_mapping"] if fast else _found(tokenizer, text, special)
    places = tuple(
        None if is_special else _trim(text, start, end)
        for (start, end), is_special in zip(found, special, strict=True)
    )
    typed = typed_specials(tokenizer, text, input_ids, places)
    offsets = tuple(None if t else place for place, t in zip(places, typed, strict=True))
    return Tokenised(
        text=text,
        input_ids=input_ids,
        tokens=readable(tokenizer, input_ids, offsets, text),
        offsets=offsets,
        typed=typed,
        truncated_at=_truncated_at(text, places),
    )


def plain_offsets(tokenizer: Any, text: str) -> list[tuple[int, int]]:
    """Return the (start, end) of every token of the whole text, special tokens left out."""
    if tokenizer.is_fast:
        return tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True, verbose=False
        )["offset_mapping"]
    from .slow import pieces_of

    return pieces_of(tokenizer, text)


def _found(tokenizer: Any, text: str, special: Sequence[int]) -> list[tuple[int, int]]:
    """Return offsets where the tokenizer gives none: its pieces laid over the text."""
    from .slow import pieces_of

    pieces = iter(pieces_of(tokenizer, text))
    return [(0, 0) if is_special else next(pieces, (0, 0)) for is_special in special]


def readable(tokenizer: Any, ids: Any, offsets: Any, text: str) -> tuple[str, ...]:
    """Return what each token stands for in the text; special tokens by their own name."""
    names = tokenizer.convert_ids_to_tokens(list(ids))
    return tuple(
        name if offset is None else text[offset[0] : offset[1]] or name
        for name, offset in zip(names, offsets, strict=True)
    )


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    return start, start + len(piece.strip())


def _truncated_at(text: str, offsets: tuple[tuple[int, int] | None, ...]) -> int | None:
    end = max((offset[1] for offset in offsets if offset), default=0)
    return end if text[end:].strip() else None
