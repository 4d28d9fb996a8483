"""Special tokens that stand in a text itself: typed there, or between the two texts of a pair.

A tokenizer reads "[MASK]" or "</s>" in a text as the token, not as its letters. Such a token is no
word: it is never hidden, scored or counted. A mask knows no tokenizer, so words leave out what the
tokenizers of published models spell that way; tokens go by what the tokenizer at hand reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

Offset = tuple[int, int]
_SPELLED = re.compile(
    r"\[(?:MASK|CLS|SEP|PAD|UNK|BOS|EOS|gMASK)\]|</?s>|"
    r"<(?:mask|pad|unk|cls|sep|bos|eos|eod|eop|start_of_turn|end_of_turn|extra_id_\d+)>|"
    r"<\|[A-Za-z][\w./-]{0,60}\|>|<｜[^｜<>\s]{1,40}｜>"
)


def special_spans(text: str) -> tuple[Offset, ...]:
    """Return the (start, end) of what tokenizers spell as a special token.

    >>> special_spans("It is [MASK]."), special_spans("a [list] <b>")
    (((6, 12),), ())
    """
    if "[" not in text and "<" not in text:
        return ()
    return _spelled(text)


@lru_cache(maxsize=64)
def _spelled(text: str) -> tuple[Offset, ...]:
    return tuple(match.span() for match in _SPELLED.finditer(text))


def without(edges: Iterable[Offset], taken: Sequence[Offset]) -> list[Offset]:
    """Return the parts of sorted stretches that lie in none of the sorted, disjoint `taken`.

    >>> without([(0, 9), (12, 14)], [(3, 5), (12, 20)])
    [(0, 3), (5, 9)]
    """
    kept, first = [], 0
    for start, end in edges:
        while first < len(taken) and taken[first][1] <= start:
            first += 1
        for a, b in taken[first:]:
            if a >= end:
                break
            if start < a:
                kept.append((start, a))
            start = max(start, b)
        if start < end:
            kept.append((start, end))
    return kept


def typed_specials(
    tokenizer: Any, text: str, input_ids: Sequence[int], offsets: Sequence[Offset | None]
) -> tuple[Offset | None, ...]:
    """Return for each token its (start, end) where the text itself spells a special token.

    The unknown token that stands for a word of the text is none.
    """
    names = _special_names(tokenizer, len(tokenizer))
    return tuple(
        offset
        if offset and token in names and text[slice(*offset)].casefold() == names[token]
        else None
        for token, offset in zip(input_ids, offsets, strict=True)
    )


@lru_cache(maxsize=16)
def _special_names(tokenizer: Any, _size: int) -> dict[int, str]:
    """Return id → spelling, in lower case, of the special tokens."""
    marked = getattr(tokenizer, "added_tokens_decoder", {})
    ids = {*tokenizer.all_special_ids, *(i for i, token in marked.items() if token.special)}
    return {i: str(tokenizer.convert_ids_to_tokens(i)).strip().casefold() for i in ids}


def specials_in(text: str) -> str:
    """Return the sentence that says which special tokens a text spells; empty where none."""
    return specials_notice(text[start:end] for start, end in special_spans(text))


def specials_notice(spelled: Iterable[str]) -> str:
    """Return the sentence that says which special tokens a text holds; empty where none.

    >>> specials_notice(["[SEP]", "[SEP]"])
    'The text holds special tokens ([SEP], 2 in all): they are never hidden, scored or counted.'
    """
    found = list(spelled)
    if not found:
        return ""
    if len(found) == 1:
        return f"The text holds a special token, {found[0]}: it is never hidden, scored or counted."
    names = ", ".join(dict.fromkeys(found))
    return (
        f"The text holds special tokens ({names}, {len(found)} in all): they are never hidden, "
        "scored or counted."
    )
