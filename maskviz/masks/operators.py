"""Operators: how a mask reaches a model.

Each operator is a small function over the plain tokens that says what stands in the place of
each run of hidden tokens. Tokens are never decoded and tokenised anew, so whatever is visible
keeps the very ids it has in the plain text.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ..errors import CapabilityError, MaskError, UnknownNameError
from ..models.memory import remembered
from ..registry import Registry
from ..text.alignment import Tokenised
from .draws import uniform
from .emptied import EMPTY, emptied_turns, in_a_conversation, turns_emptied
from .encoding import Encoding
from .mask import Mask
from .rendering import placeholder
from .spans import MaskSpan

# (token id, shown as, index in the plain encoding or None, visible to attention)
Piece = tuple[int, str, int | None, int]
Placed = tuple[Piece, bool, tuple[int, int] | None]  # a piece, whether it hides, its characters
Guesses = dict[int, tuple[int, ...]]  # the first token of a hidden run → the ids in its place
UNITS = ("token", "word", "span")
AS_MASK, AS_RANDOM = 0.8, 0.9  # below: the mask token; below: a random one; else the token itself


@dataclass(frozen=True)
class Hidden:
    """One run of hidden tokens: their indices in the plain encoding, and the span that hides them.

    unit: what `corrupt` draws for. guess: the ids that `infill` puts in their place.
    """

    indices: tuple[int, ...]
    span: MaskSpan
    mask: Mask
    unit: str = "token"
    guess: tuple[int, ...] = ()


Replace = Callable[[Any, Tokenised, Hidden], list[Piece]]
Runs = Sequence[Sequence[int]]
# (model, texts with their runs of hidden tokens) → the guesses of each text
Guess = Callable[[Any, Sequence[tuple[Tokenised, Runs]]], list[Guesses]]


@dataclass(frozen=True)
class Operator:
    """A way to hide tokens; `replace` gives the pieces that stand for one run of hidden tokens.

    guess: asks the model what is to stand there, for operators that put its own words in.
    """

    name: str
    summary: str
    replace: Replace
    guess: Guess | None = None


# `infill` asks a model for words, so it lives among the readings and is reached by name.
_MODULES = ("maskviz.masks.operators", "maskviz.readings.infill")
OPERATORS: Registry[Operator] = Registry("operator", _MODULES)


def operator(name: str, summary: str, guess: Guess | None = None) -> Callable[[Replace], Replace]:
    """Register the decorated function as the operator `name`."""

    def register(function: Replace) -> Replace:
        OPERATORS.add(Operator(name, summary, function, guess), function.__module__)
        return function

    return register


def usual_operator(model: Any) -> str:
    """Return how words are hidden where nothing is said: `mask`, or `delete` without such a token.

    >>> from maskviz import load_model
    >>> usual_operator(load_model("mini"))
    'mask'
    """
    return "mask" if model.mask_token_id is not None else "delete"


def no_mask_token(name: str, unlearned: str | None = None) -> CapabilityError:
    """Return the error of a model that has nothing to put in a word's place.

    unlearned: the mask token that its tokenizer names, where it was trained without one.
    """
    learned = f" it has learned (its tokenizer only names {unlearned!r})" if unlearned else ""
    return CapabilityError(
        f"The model {name!r} has no mask token{learned}: "
        "use the operator delete, placeholder or attention."
    )


@operator("mask", "Puts the model's mask token in the place of each hidden token.")
def _mask(model: Any, plain: Tokenised, hidden: Hidden) -> list[Piece]:
    if model.mask_token_id is None:
        raise no_mask_token(model.name, model.tokenizer.mask_token)
    return [(model.mask_token_id, model.mask_token, i, 1) for i in hidden.indices]


@operator("corrupt", "BERT's 80/10/10: the mask token, a random token, or the token itself.")
def _corrupt(model: Any, plain: Tokenised, hidden: Hidden) -> list[Piece]:
    """Draw once per unit: mask 80 %, random 10 %, keep 10 % (Devlin et al. 2019, section 3.1).

    The draw depends on the mask's seed and the unit's first token alone, so that it is the same
    whatever else is hidden.
    """
    as_mask = _mask(model, plain, hidden)
    units, seed = _units(plain, hidden), hidden.mask.seed
    pieces = []
    for piece, index in zip(as_mask, hidden.indices, strict=True):
        point = uniform(seed, 2 * units[index])
        if point < AS_MASK:
            pieces.append(piece)
        elif point < AS_RANDOM:
            ids = _vocabulary(model)  # each token of a unit gets a token of its own
            token = ids[int(uniform(seed, 2 * index + 1) * len(ids))]
            pieces.append((token, model.tokenizer.convert_ids_to_tokens(token), index, 1))
        else:
            pieces.append((plain.input_ids[index], plain.tokens[index], index, 1))
    return pieces


def _units(plain: Tokenised, hidden: Hidden) -> dict[int, int]:
    """Return for each hidden token the first token of the unit it is drawn with."""
    if hidden.unit == "token":
        return {i: i for i in hidden.indices}
    if hidden.unit == "span":
        return dict.fromkeys(hidden.indices, hidden.indices[0])
    starts = [start for start, _ in hidden.mask.words]
    places = ((i, plain.offsets[i]) for i in hidden.indices)
    words = {i: bisect_right(starts, place[0]) for i, place in places if place is not None}
    firsts = {word: i for i, word in reversed(words.items())}
    return {i: firsts[word] for i, word in words.items()}


@remembered(maxsize=1)
def _vocabulary(model: Any) -> tuple[int, ...]:
    return ordinary_ids(model.tokenizer)


def ordinary_ids(tokenizer: Any) -> tuple[int, ...]:
    """Return the ids a random token is drawn from: all that are not special."""
    special = set(tokenizer.all_special_ids)
    return tuple(i for i in range(len(tokenizer)) if i not in special)


@operator("delete", "Takes the hidden tokens out; the rest moves together.")
def _delete(model: Any, plain: Tokenised, hidden: Hidden) -> list[Piece]:
    return []


@operator("placeholder", "Writes what kind of thing was hidden, such as [PERSON].")
def _placeholder(model: Any, plain: Tokenised, hidden: Hidden) -> list[Piece]:
    name = placeholder(hidden.span)
    ids = model.tokenizer(f" {name}", add_special_tokens=False)["input_ids"]
    shown = model.tokenizer.convert_ids_to_tokens(ids)
    return [(i, token, None, 1) for i, token in zip(ids, shown, strict=True)]


@operator("attention", "Keeps the hidden tokens in the input, but nobody may attend to them.")
def _attention(model: Any, plain: Tokenised, hidden: Hidden) -> list[Piece]:
    return [(plain.input_ids[i], plain.tokens[i], i, 0) for i in hidden.indices]


@operator("unk", "Puts the unknown token in the place of each hidden token.")
def _unk(model: Any, plain: Tokenised, hidden: Hidden) -> list[Piece]:
    token_id, token = model.tokenizer.unk_token_id, model.tokenizer.unk_token
    if token_id is None:
        raise CapabilityError(
            f"The model {model.name!r} has no unk token: "
            "use the operator delete, placeholder or attention."
        )
    return [(token_id, token, i, 1) for i in hidden.indices]


@operator("pad", "Puts the padding token in the place of each hidden one; nobody attends to it.")
def _pad(model: Any, plain: Tokenised, hidden: Hidden) -> list[Piece]:
    token = model.tokenizer.convert_ids_to_tokens(model.padding)
    return [(model.padding, token, i, 0) for i in hidden.indices]


def apply(
    mask: Mask | str,
    operator: str = "mask",
    model: Any = "mini",
    *,
    unit: str = "token",
    longest: int | None = None,
) -> Encoding:
    """Return what `model` reads of a masked text; a plain string is read as it is.

    `model` is a name, a folder or a loaded model; `unit` is what `corrupt` draws for: `token`,
    `word` or `span`. `longest` are the tokens that are read, where the model takes more. Raises
    UnknownNameError for the operator or unit, CapabilityError where the model has no such token,
    MaskError where nothing is left to read.
    """
    mask = Mask(mask) if isinstance(mask, str) else mask
    return apply_many([mask], operator, model, unit=unit, longest=longest)[0]


def apply_many(
    masks: Sequence[Mask],
    operator: str = "mask",
    model: Any = "mini",
    *,
    unit: str = "token",
    longest: int | None = None,
) -> list[Encoding]:
    """Return `apply` of each mask; the guesses of `infill` are asked for all texts together."""
    from ..models import load_model

    chosen = OPERATORS[operator]
    if unit not in UNITS:
        raise UnknownNameError.of("unit", unit, UNITS)
    loaded = load_model(model) if isinstance(model, str) else model
    read = [(loaded.tokenise(mask.text, longest), mask) for mask in masks]
    guesses = _guesses(chosen, loaded, read)
    return [
        encode(mask, chosen, loaded, plain, unit, guess)
        for (plain, mask), guess in zip(read, guesses, strict=True)
    ]


def encode(
    mask: Mask,
    operator: Operator,
    model: Any,
    plain: Tokenised,
    unit: str = "token",
    guesses: Guesses | None = None,
) -> Encoding:
    """Apply `operator` to the tokens of `plain` that overlap the mask's spans.

    guesses: what `infill` puts there; None asks the model.
    """
    if guesses is None:
        (guesses,) = _guesses(operator, model, [(plain, mask)])
    rows: list[Placed] = []
    runs = hidden_runs(plain, mask)
    if plain.turns:
        in_a_conversation(operator.name, model, plain)
    emptied = emptied_turns(plain, runs) if operator.name == "delete" and plain.turns else {}
    gone = set(emptied.values())  # of these no white space stays either
    for span_index, run in runs:
        if span_index is None:
            rows += _visible(plain, [i for i in run if not gone or plain.turns[i] not in gone])
        else:
            span = mask.spans[span_index]
            hidden = Hidden(tuple(run), span, mask, unit, guesses.get(run[0], ()))
            rows += _hidden(operator, model, plain, hidden)
            if run[0] in emptied:
                rows += (
                    ((*piece, None, 1), True, (span.start, span.end)) for piece in _dots(model)
                )
    if not rows or (mask.spans and not any(piece[3] for piece, _, _ in rows)):
        raise MaskError("The mask hides every token and leaves nothing to read: hide less.")
    longer = len(rows) > len(plain.input_ids)
    rows, cut = _within(rows, model.readable) if longer else (rows, None)
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
        truncated_at=plain.truncated_at if cut is None else cut,
        typed=tuple(None if piece[2] is None else plain.typed[piece[2]] for piece in pieces),
        said=" ".join(filter(None, (plain.said, turns_emptied(emptied.values())))),
    )


def _dots(model: Any) -> list[tuple[int, str]]:
    """Return what stands in the place of a whole turn, as (id, shown)."""
    ids = model.tokenizer(EMPTY, add_special_tokens=False)["input_ids"]
    return list(zip(ids, model.tokenizer.convert_ids_to_tokens(ids), strict=True))


def _within(rows: list[Placed], most: int) -> tuple[list[Placed], int | None]:
    """Return what a model can read, and the first character that is left out, if any.

    A placeholder may be longer than what it hides. The text's last tokens go; special ones stay.
    """
    over = len(rows) - most
    if over <= 0:
        return rows, None
    ends = {i: place for i, (_, _, place) in enumerate(rows) if place is not None}
    gone = dict(list(ends.items())[-over:])
    return [row for i, row in enumerate(rows) if i not in gone], min(p[0] for p in gone.values())


def _guesses(
    operator: Operator, model: Any, read: Sequence[tuple[Tokenised, Mask]]
) -> list[Guesses]:
    """Return for each text what `infill` puts in the place of its hidden runs, else nothing."""
    if operator.guess is None:
        return [{} for _ in read]
    hidden = [[run for span, run in hidden_runs(*one) if span is not None] for one in read]
    return operator.guess(
        model, [(plain, runs) for (plain, _), runs in zip(read, hidden, strict=True)]
    )


def hidden_runs(plain: Tokenised, mask: Mask) -> list[tuple[int | None, list[int]]]:
    """Return the tokens as runs in order, each with the index of the span that hides it."""
    owner = overlapping(plain, mask)
    return [(k, list(run)) for k, run in groupby(range(len(owner)), key=lambda i: owner[i])]


def _visible(plain: Tokenised, run: list[int]) -> Iterator[Placed]:
    for i in run:
        yield (plain.input_ids[i], plain.tokens[i], i, 1), False, plain.offsets[i]


def _hidden(operator: Operator, model: Any, plain: Tokenised, hidden: Hidden) -> Iterator[Placed]:
    for piece in operator.replace(model, plain, hidden):
        index = piece[2]
        whole = (hidden.span.start, hidden.span.end)
        yield piece, True, whole if index is None else plain.offsets[index]


def overlapping(plain: Tokenised, mask: Mask) -> list[int | None]:
    """Return for each token the index of the span it overlaps, or None.

    Tokens and spans are both in order, so one pass over the two lists suffices; where a template
    moves contents, the spans are gone through anew.
    """
    owner: list[int | None] = []
    first = reach = 0
    for offset in plain.offsets:
        if offset is None or offset[0] == offset[1]:
            owner.append(None)
            continue
        if offset[0] < reach:  # a template may write contents in another order
            first = 0
        reach = offset[0]
        while first < len(mask.spans) and mask.spans[first].end <= offset[0]:
            first += 1
        hit = first < len(mask.spans) and mask.spans[first].start < offset[1]
        owner.append(first if hit else None)
    return owner
