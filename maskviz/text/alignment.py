"""Tokens of a model at character offsets of the text they came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .words import check_unicode


@dataclass(frozen=True)
class Tokenised:
    """A text as a model's tokens; every list has one item per token.

    offsets: (start, end) in characters without surrounding space, None for special tokens.
    truncated_at: the first character the model does not read, or None.
    """

    text: str
    input_ids: tuple[int, ...]
    tokens: tuple[str, ...]
    offsets: tuple[tuple[int, int] | None, ...]
    truncated_at: int | None = None


def tokenise(tokenizer: Any, text: str, max_length: int) -> Tokenised:
    """Tokenise `text`, cut to `max_length` tokens, special ones included.

    Whitespace at a token's edges belongs to no token, so that a mask over a word does not
    reach the next one in tokenizers that carry the space along. Raises TextError where the text
    is not valid Unicode.
    """
    check_unicode(text)
    encoding = tokenizer(
        text,
        truncation=True,
        max_length=max_length,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
    )
    input_ids = tuple(encoding["input_ids"])
    offsets = tuple(
        None if special else _trim(text, start, end)
        for (start, end), special in zip(
            encoding["offset_mapping"], encoding["special_tokens_mask"], strict=True
        )
    )
    return Tokenised(
        text=text,
        input_ids=input_ids,
        tokens=readable(tokenizer, input_ids, offsets, text),
        offsets=offsets,
        truncated_at=_truncated_at(text, offsets),
    )


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
