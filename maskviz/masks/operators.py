"""Operators: how a mask reaches a model.

Each operator is a small function over the plain tokens that says what stands in the place of
each run of hidden tokens. Tokens are never decoded and tokenised anew, so whatever is visible
keeps the very ids it has in the plain text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ..errors import CapabilityError, MaskError, UnknownNameError
from ..text.alignment import Tokenised
from .encoding import Encoding
from .mask import Mask, MaskSpan
from .rendering import placeholder

# (token id, shown as, index in the plain encoding or None, visible to attention)
Piece = tuple[int, str, int | None, int]
Replace = Callable[[Any, Tokenised, list[int], MaskSpan], list[Piece]]


@dataclass(frozen=True)
class Operator:
    """A way to hide tokens; `replace` gives the pieces that stand for one run of hidden tokens."""

    name: str
    summary: str
    replace: Replace


OPERATORS: dict[str, Operator] = {}


def _operator(name: str, summary: str) -> Callable[[Replace], Replace]:
    def register(function: Replace) -> Replace:
        OPERATORS[name] = Operator(name, summary, function)
        return function

    return register


@_operator("mask", "Puts the model's mask token in the place of each hidden token.")
def _mask(model: Any, plain: Tokenised, run: list[int], span: MaskSpan) -> list[Piece]:
    if model.tokenizer.mask_token_id is None:
        raise CapabilityError(
            f"The model {model.name!r} has no mask token: "
            "use the operator delete, placeholder, unk or attention."
        )
    return [(model.tokenizer.mask_token_id, model.tokenizer.mask_token, i, 1) for i in run]


@_operator("delete", "Takes the hidden tokens out; the rest moves together.")
def _delete(model: Any, plain: Tokenised, run: list[int], span: MaskSpan) -> list[Piece]:
    return []


@_operator("placeholder", "Writes what kind of thing was hidden, such as [PERSON].")
def _placeholder(model: Any, plain: Tokenised, run: list[int], span: MaskSpan) -> list[Piece]:
    name = placeholder(span)
    ids = model.tokenizer(f" {name}", add_special_tokens=False)["input_ids"]
    shown = model.tokenizer.convert_ids_to_tokens(ids)
    return [(i, token, None, 1) for i, token in zip(ids, shown, strict=True)]


@_operator("attention", "Keeps the hidden tokens in the input, but nobody may attend to them.")
def _attention(model: Any, plain: Tokenised, run: list[int], span: MaskSpan) -> list[Piece]:
    return [(plain.input_ids[i], plain.tokens[i], i, 0) for i in run]


@_operator("unk", "Puts the unknown token in the place of each hidden token.")
def _unk(model: Any, plain: Tokenised, run: list[int], span: MaskSpan) -> list[Piece]:
    return _special(model, run, "unk")


@_operator("pad", "Puts the padding token in the place of each hidden token.")
def _pad(model: Any, plain: Tokenised, run: list[int], span: MaskSpan) -> list[Piece]:
    return _special(model, run, "pad")


def _special(model: Any, run: list[int], name: str) -> list[Piece]:
    token_id = getattr(model.tokenizer, f"{name}_token_id")
    if token_id is None:
        raise CapabilityError(
            f"The model {model.name!r} has no {name} token: use the operator delete or attention."
        )
    return [(token_id, getattr(model.tokenizer, f"{name}_token"), i, 1) for i in run]


def apply(mask: Mask | str, operator: str = "mask", model: Any = "mini") -> Encoding:
    """Return what `model` reads of a masked text; a plain string is read as it is.

    `model` is a name, a folder or a loaded model. Raises UnknownNameError for the operator,
    CapabilityError where the model has no such token, MaskError where nothing is left to read.
    """
    from ..models import load_model

    if operator not in OPERATORS:
        raise UnknownNameError.of("operator", operator, OPERATORS)
    mask = Mask(mask) if isinstance(mask, str) else mask
    loaded = load_model(model) if isinstance(model, str) else model
    plain = loaded.tokenise(mask.text)
    return encode(mask, OPERATORS[operator], loaded, plain)


def encode(mask: Mask, operator: Operator, model: Any, plain: Tokenised) -> Encoding:
    """Apply `operator` to the tokens of `plain` that overlap the mask's spans."""
    owner = overlapping(plain, mask)
    rows: list[tuple[Piece, bool, tuple[int, int] | None]] = []
    for span_index, group in groupby(range(len(owner)), key=lambda i: owner[i]):
        run = list(group)
        rows += (
            _visible(plain, run)
            if span_index is None
            else _hidden(operator, model, plain, run, mask.spans[span_index])
        )
    if not rows or (mask.spans and not any(piece[3] for piece, _, _ in rows)):
        raise MaskError("The mask hides every token and leaves nothing to read: hide less.")
    pieces = [piece for piece, _, _ in rows]
    return Encoding(
        text=mask.text,
        operator=operator.name,
        input_ids=tuple(piece[0] for piece in pieces),
        attention_mask=tuple(piece[3] for piece in pieces),
        tokens=tuple(piece[1] for piece in pieces),
        offsets=tuple(offset for _, _, offset in rows),
        source=tuple(piece[2] for piece in pieces),
        hidden=tuple(hidden for _, hidden, _ in rows),
        special=tuple(offset is None for _, _, offset in rows),
        truncated_at=plain.truncated_at,
    )


def _visible(plain: Tokenised, run: list[int]) -> Iterator[tuple]:
    for i in run:
        yield (plain.input_ids[i], plain.tokens[i], i, 1), False, plain.offsets[i]


def _hidden(
    operator: Operator, model: Any, plain: Tokenised, run: list[int], span: MaskSpan
) -> Iterator[tuple]:
    for piece in operator.replace(model, plain, run, span):
        index = piece[2]
        offset = (span.start, span.end) if index is None else plain.offsets[index]
        yield piece, True, offset


def overlapping(plain: Tokenised, mask: Mask) -> list[int | None]:
    """Return for each token the index of the span it overlaps, or None.

    Tokens and spans are both in order, so one pass over the two lists suffices.
    """
    owner: list[int | None] = []
    first = 0
    for offset in plain.offsets:
        if offset is None or offset[0] == offset[1]:
            owner.append(None)
            continue
        while first < len(mask.spans) and mask.spans[first].end <= offset[0]:
            first += 1
        hit = first < len(mask.spans) and mask.spans[first].start < offset[1]
        owner.append(first if hit else None)
    return owner
