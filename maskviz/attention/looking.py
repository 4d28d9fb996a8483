"""What a page looks at: a text's attention, plain or masked or what the mask changes, in words too.

One call, from the loaded model and the mask to the view that is drawn. A page that is drawn again
and again hands in `keep`, where passes are held, and so looks at another layer, head or method
without running the model again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any

from ..errors import UnknownNameError
from ..inside.beginning import beginning_notice, read_beginning
from ..inside.tape import attending, shape_of, without_attention
from ..masks.encoding import Encoding
from ..masks.mask import Mask
from ..models.model import Model
from .capture import Attention, attention_of, row_of, with_method
from .difference import difference_view, placement
from .finding import finding
from .long_texts import (
    READ,
    is_long,
    long_difference,
    long_pass,
    long_view,
    read_long,
    seconds,
)
from .methods import METHODS, flow_seconds
from .pooled import block_size
from .view import Display, Notes, View, displayed, notes, text_axis, view

SHOWS = {
    "plain": (False,),
    "masked": (True,),
    "difference": (True, False),
}  # of masked texts or not

# (what a pass depends on, how it is made) → the pass, kept or made now
Keep = Callable[[Hashable, Callable[[], Any]], Any]


@dataclass(frozen=True)
class Look:
    """What is asked for.

    mask: what is hidden in the text, where more than the plain one is shown. part: of
    `parts_of(model)`. target: what the decoder reads, None for what the model writes. layer: the
    only one that is looked at, None for all. queries: the tokens of the plain text that flow is
    followed from, None for all. Raises UnknownNameError for what is shown and for the method.
    """

    text: str
    mask: Mask
    operator: str = "mask"
    show: str = "difference"
    method: str = "raw"
    part: str = "encoder"
    target: str | None = None
    layer: int | None = None
    queries: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.show not in SHOWS:
            raise UnknownNameError.of("view of attention", self.show, SHOWS)
        if self.method not in METHODS:
            raise UnknownNameError.of("attention method", self.method, METHODS)

    def key(self, masked: bool, layer: int | None) -> tuple[Hashable, ...]:
        """Return all that a pass over the plain or the masked text depends on, but the model."""
        spans = tuple((s.start, s.end, s.label) for s in self.mask.spans) if masked else ()
        drawn = (self.mask.seed, self.operator) if masked else None
        return (self.text, spans, drawn, self.method, self.part, self.target, self.queries, layer)


@dataclass(frozen=True)
class Size:
    """The maps of one view: one byte for each cell in the mosaic."""

    numbers: tuple[int, ...]  # of the layers, the network's own, from 0
    heads: int
    cells: int  # of one head
    notice: str = ""  # where the text was cut, or layers compute no attention
    captured: int = 0  # bytes of all layers and heads of one pass, in float16
    flow: float = 0.0  # seconds that flow from every token would take
    seconds: float = 0.0  # that a layer of a long text is read in
    pooled: str = ""  # what a cell of a long text stands for

    @property
    def layers(self) -> int:
        """The number of layers."""
        return len(self.numbers)

    @property
    def layer(self) -> int:
        """The bytes of one layer."""
        return self.heads * self.cells

    @property
    def whole(self) -> int:
        """The bytes of all layers."""
        return self.layers * self.layer


@dataclass(frozen=True, eq=False)
class Seen:
    """What is looked at, and what it says.

    tokens: the view token by token, of a long text block by block; `drawn` is the same after the
    choices of display. notes: on each head, of the view token by token. finding: one sentence.
    """

    tokens: View
    notes: Notes
    finding: str
    drawn: View


def size_of(model: Model, look: Look) -> Size:
    """Return the size of a view before anything is captured.

    A decoder's target counts as long as the text: what it will be is not known yet.
    """
    _, heads = shape_of(model, look.part)
    numbers = attending(model, look.part)
    if is_long(model, look.text, look.method):
        return _size_of_long(model, look, numbers, heads)
    plain = read_beginning(look.text, "mask", model)
    count = len(plain)
    notices = (beginning_notice(plain, model), without_attention(model, look.part))
    return Size(
        numbers[-1:] if look.method in ("flow", "uniform") else numbers,
        heads if look.method == "raw" else 1,
        count * count,
        " ".join(filter(None, notices)),
        captured=2 * count * count * len(numbers) * heads,
        flow=flow_seconds(count, len(numbers), count),
    )


def _size_of_long(model: Model, look: Look, numbers: tuple[int, ...], heads: int) -> Size:
    plain = read_long(look.text, "mask", model)
    count, block = len(plain), block_size(len(plain))
    said = (
        f"The text has {count:,} tokens, and each cell stands for {block} × {block} of them: "
        "attention to them is added, from them averaged. Roles and numbers of the heads are of "
        "single tokens."
    )
    cut, without = beginning_notice(plain, model, longest=READ), without_attention(model, look.part)
    return Size(
        numbers,
        heads,
        (-(-count // block)) ** 2,
        " ".join(filter(None, (cut, without))),
        seconds=seconds(model, count, heads),
        pooled=said,
    )


def words_of(model: Model, look: Look) -> tuple[list[str], list[tuple[int, ...]], int]:
    """Return the words of the plain text, the tokens of each, and the first that the mask hides.

    Where it hides nothing, the first word that is no special token.
    """
    plain = read_beginning(look.text, "mask", model)
    axis, members = text_axis(plain), defaultdict(list)
    for token, word in enumerate(axis.words):
        members[word].append(token)
    off = {
        axis.words[i]
        for i, at in enumerate(plain.offsets)
        if at and any(at[0] < span.end and span.start < at[1] for span in look.mask.spans)
    }
    merged = axis.merged()
    first = min(off, default=merged.ordinary()[0])
    return list(merged.tokens), [tuple(members[i]) for i in range(len(merged))], first


def look_at(
    model: Model,
    look: Look,
    display: Display | None = None,
    *,
    doing: str = "Masking",
    keep: Keep = lambda _, make: make(),
    held: bool = True,
) -> Seen:
    """Return what is looked at; `doing` names in the finding what was done.

    held: whether all layers of a pass are captured at once, so that the methods made of weights
    and the looks at other layers share it; else each layer is captured when it is looked at.

    >>> from maskviz import load_model, mask
    >>> film = "A truly great film."
    >>> look_at(load_model("mini"), Look(film, mask(film, "random"), show="plain")).finding[:11]
    'Of 24 heads'
    """
    if is_long(model, look.text, look.method):
        shown = _long(model, look, keep)
    else:
        shown = view_at(model, look, keep, held)
    about = notes(shown, masked=look.show == "masked")
    drawn = displayed(shown, display or Display())
    return Seen(shown, about, finding(shown, about, doing), drawn)


def _long(model: Model, look: Look, keep: Keep) -> View:
    """Return what is shown of a long text in blocks."""
    plain = read_long(look.text, "mask", model)
    masked = None if look.show == "plain" else read_long(look.mask, look.operator, model)
    layers = None
    if look.layer is not None:
        row_of(attending(model, look.part), look.layer)
        layers = range(look.layer, look.layer + 1)

    def found(read: Encoding, hidden: bool) -> Any:
        key = (model.name, "blocks", *look.key(hidden, look.layer))
        return keep(key, lambda: long_pass(model, plain, read, layers))

    if masked is None:
        return long_view(model, plain, None, found(plain, False))
    if look.show == "masked":
        return long_view(model, plain, masked, found(masked, True))
    return long_difference(model, plain, masked, found(plain, False), found(masked, True))


def view_at(model: Model, look: Look, keep: Keep, held: bool) -> View:
    """Return what is shown token by token: all layers, or one."""
    passes = [
        _captured(model, look, masked, keep, held).only(look.layer) for masked in SHOWS[look.show]
    ]
    return view(passes[0]) if len(passes) == 1 else difference_view(passes[1], passes[0])


def _captured(model: Model, look: Look, masked: bool, keep: Keep, held: bool) -> Attention:
    """Return one pass, kept where it was seen before; methods made of weights share the raw one."""
    method = METHODS[look.method]
    if not held or not method.of_weights(look.part):
        return _pass(model, look, masked, None if held or method.square else look.layer, keep)
    raw = _pass(model, replace(look, method="raw", queries=None), masked, None, keep)
    if look.method == "raw":
        return raw
    return keep(
        (model.name, *look.key(masked, None)),
        lambda: with_method(raw, look.method, _queries(model, look, raw.encoding)),
    )


def _pass(model: Model, look: Look, masked: bool, layer: int | None, keep: Keep) -> Attention:
    def run() -> Attention:
        text, operator = (look.mask, look.operator) if masked else (look.text, "mask")
        read = read_beginning(text, operator, model)
        return attention_of(
            model,
            read,
            method=look.method,
            part=look.part,
            target=look.target,
            layers=None if layer is None else range(layer, layer + 1),
            queries=_queries(model, look, read),
        )

    return keep((model.name, *look.key(masked, layer)), run)


def _queries(model: Model, look: Look, read: Encoding) -> tuple[int, ...] | None:
    """Return the queries asked for as they stand in a text that may be masked."""
    if look.queries is None or look.method != "flow":
        return None
    place = placement(read_beginning(look.text, "mask", model), read)  # (plain tokens, tokens)
    return tuple(place[list(look.queries)].any(0).nonzero()[0].tolist())
