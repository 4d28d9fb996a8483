"""What is shown of the attention over a long text: plain, masked or what the mask moves, in blocks.

Blocks are of the plain text's tokens; a masked token stands in that of the one it came from.
"""

from __future__ import annotations

from dataclasses import replace

from ..inside.beginning import LONGEST
from ..inside.tape import parts_of
from ..masks.encoding import Encoding
from ..masks.mask import Mask
from ..masks.operators import apply
from ..models.checks import finding
from ..models.model import Model
from .difference import hidden_tokens, standing
from .parts import part_names, segments
from .pooled import Pooled, block_size, pooled
from .turns import TEMPLATE
from .view import Axis, Exact, View, notes

READ = 8192  # tokens
# Seconds on one core: for one weight of one head, and for a token to meet a weight of the network.
_PER_CELL, _PER_WEIGHT = 2e-8, 2.5e-11
_NAME = 24  # characters of a block's text that name it


def is_long(model: Model, text: str, method: str) -> bool:
    """Tell whether attention over a text is shown in blocks: raw, of more than 1,024 tokens."""
    return (
        method == "raw"
        and model.max_length > LONGEST
        and len(parts_of(model)) == 1
        and len(model.tokenise(text, READ).input_ids) > LONGEST
        and finding(model, "long attention").passed
    )


def read_long(text: Mask | str, operator: str, model: Model) -> Encoding:
    """Return what a model reads of a long text, plain or masked."""
    return apply(text, operator, model, longest=READ)


def seconds(model: Model, tokens: int, heads: int) -> float:
    """Estimate how long the attention of one layer takes, in seconds: all below it are read, too.

    >>> seconds(load_model("mini-chat"), 2000, 8) < seconds(load_model("mini-chat"), 4000, 8)
    True
    """
    weights = sum(one.numel() for one in model.main_network().parameters())
    return tokens**2 * heads * _PER_CELL + tokens * weights * _PER_WEIGHT


def long_pass(model: Model, plain: Encoding, read: Encoding, layers: range | None = None) -> Pooled:
    """Return the attention over what is read, in blocks of the plain text's tokens."""
    size = block_size(len(plain))
    blocks = [None if at is None else at // size for at in standing(plain, read)]
    return pooled(model, read, blocks, layers, read.hidden if any(read.hidden) else None)


def long_view(model: Model, plain: Encoding, masked: Encoding | None, found: Pooled) -> View:
    """Return one pass in blocks, `masked` where it is one over a masked text."""
    turns = _turns(model, plain, masked, found)
    return View(
        found.weights,
        *_axis(_blocks(plain, masked)),
        tuple(not there for there in found.there),
        numbers=found.numbers,
        block=block_size(len(plain)),
        exact=Exact(found.roles, found.summary, turns),
    )


def long_difference(
    model: Model, plain: Encoding, masked: Encoding, before: Pooled, after: Pooled
) -> View:
    """Return masked − plain in blocks; what is moved within a block does not count."""
    shown = long_view(model, plain, masked, after)
    weights = after.weights.astype("float32") - before.weights
    weights[:, :, ~after.there] = 0
    shown = replace(shown, weights=weights, signed=True, exact=None)
    turns = _turns(model, plain, masked, after)
    if turns is not None:
        moved = after.turns - before.turns
        moved[:, :, list(turns.absent)] = 0
        turns = replace(turns, weights=moved, signed=True)
    return replace(shown, exact=Exact(notes(shown), turns=turns))


Fields = tuple[tuple[str, ...], tuple[bool, ...], tuple[bool, ...], tuple[int, ...]]


def _axis(axis: Axis) -> Fields:
    return axis.tokens, axis.hidden, axis.special, axis.words


def _blocks(plain: Encoding, masked: Encoding | None) -> Axis:
    """Return an axis of blocks: hidden where one of its tokens is, special where all are."""
    size = block_size(len(plain))
    off = (False,) * len(plain) if masked is None else hidden_tokens(plain, masked)
    groups = [range(i, min(i + size, len(plain))) for i in range(0, len(plain), size)]
    return Axis(
        tuple(_name(plain, group) for group in groups),
        tuple(any(off[i] for i in group) for group in groups),
        tuple(all(plain.special[i] for i in group) for group in groups),
        tuple(range(len(groups))),
        (0,) * len(groups),
    )


def _name(plain: Encoding, group: range) -> str:
    """Return the text of a block, with the numbers of its tokens from 1."""
    places = [at for at in (plain.offsets[i] for i in group) if at]
    text = plain.text[places[0][0] : places[-1][1]] if places else plain.tokens[group[0]]
    text = " ".join(text.split())
    short = text if len(text) <= _NAME else f"{text[:_NAME].rstrip()}…"
    return f"{group[0] + 1}–{group[-1] + 1} {short}"


def _turns(model: Model, plain: Encoding, masked: Encoding | None, found: Pooled) -> View | None:
    """Return what goes from turn to turn of a conversation; None of a text without turns."""
    names = part_names(model, plain.text)
    if found.turns is None:
        return None
    own = segments(model, plain)
    off = (False,) * len(plain) if masked is None else hidden_tokens(plain, masked)
    members = [[i for i, part in enumerate(own) if part == n] for n in range(len(names))]
    words = [[i for i in group if not plain.special[i]] for group in members]
    axis = Axis(
        tuple(name or TEMPLATE for name in names),
        tuple(bool(group) and all(off[i] for i in group) for group in words),
        tuple(all(plain.special[i] for i in group) for group in members),
        tuple(range(len(names))),
        (0,) * len(names),
    )
    absent = found.turns.sum((0, 1, 3)) == 0
    gone = tuple(bool(one) for one in absent)
    return View(found.turns, *_axis(axis), gone, numbers=found.numbers)
