"""What the Attention page looks at: captured once, then cut without another pass.

Long inputs are looked at one layer at a time. Where all layers fit LARGEST_HELD they are captured
in one pass and held in float16; beyond it each layer is captured when it is looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from maskviz.attention import METHODS, Attention, attend, parts_of
from maskviz.attention.axis import Axis, word_numbers
from maskviz.attention.capture import with_method
from maskviz.attention.difference import placement
from maskviz.attention.methods import flow_seconds
from maskviz.attention.view import View, difference_view, view
from maskviz.byte_cache import ByteCache, give_back
from maskviz.errors import ParameterError
from maskviz.inside.beginning import beginning_notice, read_beginning
from maskviz.inside.tape import shape_of
from maskviz.masks import Encoding, Mask
from maskviz.models import Model, load_model
from maskviz.ui.shared import state

SENT_AT_ONCE = 6_000_000  # bytes of a mosaic; more than this and layers are sent one at a time
LARGEST_VIEW = 50_000_000  # bytes of a view; more than this is not offered
LARGEST_HELD = 100_000_000  # bytes of all layers of one pass, held in float16
_CACHE_LIMIT = 160_000_000


@dataclass(frozen=True)
class Look:
    """What is asked for. `target` is what the decoder reads, None for what the model writes.

    queries: the tokens of the plain text that flow is followed from, None for all.
    """

    model: str
    show: str
    method: str = "raw"
    part: str | None = None
    target: str | None = None
    queries: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Size:
    """The maps of one view: one byte for each cell in the mosaic."""

    layers: int
    heads: int
    cells: int  # of one head
    notice: str = ""  # where the text was cut to what is looked at

    @property
    def layer(self) -> int:
        """The bytes of one layer."""
        return self.heads * self.cells

    @property
    def whole(self) -> int:
        """The bytes of all layers."""
        return self.layers * self.layer


def size_of(look: Look, chosen: state.View) -> Size:
    """Return the size of a view before anything is captured.

    A decoder's target counts as long as the text: what it will be is not known yet.
    """
    model = load_model(look.model)
    part = look.part or parts_of(model)[0]
    layers, heads = shape_of(model, part)
    plain = read_beginning(chosen.text, "mask", model)
    count = len(plain)
    if look.method in ("flow", "uniform"):
        layers = 1
    return Size(
        layers, heads if look.method == "raw" else 1, count * count, beginning_notice(plain, model)
    )


def one_at_a_time(size: Size) -> bool:
    """Return whether layers are sent one at a time."""
    return size.whole > SENT_AT_ONCE


def flow_cost(look: Look, chosen: state.View) -> float:
    """Return the seconds that flow from every token of the plain text would take."""
    model = load_model(look.model)
    layers, _ = shape_of(model, look.part or parts_of(model)[0])
    count = len(read_beginning(chosen.text, "mask", model))
    return flow_seconds(count, layers, count)


def words_of(look: Look, chosen: state.View) -> tuple[list[str], list[tuple[int, ...]], int]:
    """Return the words of the plain text, the tokens of each, and the first that the mask hides.

    Where it hides nothing, the first word that is no special token.
    """
    plain = read_beginning(chosen.text, "mask", load_model(look.model))
    axis = Axis(
        plain.tokens, plain.hidden, plain.special, word_numbers(plain), (0,) * len(plain.tokens)
    )
    merged, members = axis.merged(), defaultdict(list)
    for token, word in enumerate(axis.words):
        members[word].append(token)
    spans = [(s.start, s.end) for s in state.current_mask(chosen).spans]
    off = {
        axis.words[i]
        for i, at in enumerate(plain.offsets)
        if at and any(at[0] < end and start < at[1] for start, end in spans)
    }
    first = min(off, default=merged.ordinary()[0])
    return list(merged.tokens), [tuple(members[i]) for i in range(len(merged))], first


def shown_view(look: Look, chosen: state.View, size: Size, layer: int | None) -> View:
    """Return what is shown, token by token: all layers, or one."""
    mask = state.current_mask(chosen)
    if look.show == "plain":
        return view(_cut(_captured(look, chosen, None, size, layer), layer))
    masked = _captured(look, chosen, mask, size, layer)
    if look.show == "masked":
        return view(_cut(masked, layer))
    plain = _captured(look, chosen, None, size, layer)
    return difference_view(_cut(plain, layer), _cut(masked, layer))


def _cut(attention: Attention, layer: int | None) -> Attention:
    """Return one layer of what was captured, or all."""
    if layer is None or attention.layers == 1:
        return attention
    at = layer - attention.first
    return replace(attention, weights=attention.weights[at : at + 1], first=layer)


def _captured(
    look: Look, chosen: state.View, mask: Mask | None, size: Size, layer: int | None
) -> Attention:
    """Return one pass, from the cache where it was seen before; methods share the raw one."""
    model = load_model(look.model)
    part = look.part or parts_of(model)[0]
    raw_bytes = 2 * size.cells * shape_of(model, part)[0] * shape_of(model, part)[1]
    method = METHODS[look.method]
    held = raw_bytes <= LARGEST_HELD
    if held and method.needs == "weights" and not (method.square and part == "cross"):
        raw = _pass(model, chosen, mask, replace(look, method="raw", queries=None), None)
        if look.method == "raw":
            return raw
        key = (*_key(chosen, mask, look), "made")
        asked = _queries(look, chosen, raw.encoding)
        return _cache().get(key, lambda: with_method(raw, look.method, asked), _bytes)
    alone = None if held or method.square else layer
    return _pass(model, chosen, mask, look, alone)


def _queries(look: Look, chosen: state.View, read: Encoding) -> tuple[int, ...] | None:
    """Return the queries asked for as they stand in a text that may be masked."""
    if look.queries is None or look.method != "flow":
        return None
    plain = read_beginning(chosen.text, "mask", load_model(look.model))
    place = placement(plain, read)  # (plain tokens, tokens)
    return tuple(place[list(look.queries)].any(0).nonzero()[0].tolist())


def _pass(
    model: Model, chosen: state.View, mask: Mask | None, look: Look, layer: int | None
) -> Attention:
    def run() -> Attention:
        text = chosen.text if mask is None else mask
        operator = "mask" if mask is None else chosen.operator
        found = attend(
            text,
            model,
            operator,
            method=look.method,
            part=look.part,
            target=look.target,
            layers=None if layer is None else range(layer, layer + 1),
            queries=_queries(look, chosen, read_beginning(text, operator, model)),
        )
        if _bytes(found) > SENT_AT_ONCE:
            give_back()
        return found

    return _cache().get((*_key(chosen, mask, look), layer), run, _bytes)


def _key(chosen: state.View, mask: Mask | None, look: Look) -> tuple[Any, ...]:
    spans = () if mask is None else tuple((s.start, s.end, s.label) for s in mask.spans)
    seed = None if mask is None else (mask.seed, chosen.operator)
    return (look.model, chosen.text, spans, seed, look.method, look.part, look.target, look.queries)


def _bytes(attention: Attention) -> int:
    return int(attention.weights.nbytes)


@st.cache_resource(show_spinner=False)
def _cache() -> ByteCache:
    return ByteCache(_CACHE_LIMIT)


def cost(size: Size) -> str:
    """Say what looking at all layers would cost, and what is smaller.

    Raises ParameterError where even one layer is too much for a page.
    """
    if size.layer > LARGEST_VIEW:
        raise ParameterError(
            f"One layer of {size.heads} heads would be {size.layer / 1e6:.0f} MB, more than a page "
            f"should hold ({LARGEST_VIEW / 1e6:.0f} MB): shorten the text, or choose a method with "
            "one map for each layer, such as mean."
        )
    whole = f"All {size.layers} layers are {size.whole / 1e6:.0f} MB"
    one = f"one layer is {size.layer / 1e6:.1f} MB"
    if size.whole > LARGEST_VIEW:
        return f"{whole}, more than a page should hold ({LARGEST_VIEW / 1e6:.0f} MB): {one}."
    return f"{whole} and take a while: {one}."


def memo(key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
    """Return what this session made last for the same key: nothing is worked out twice."""
    kept = st.session_state.get("attention_memo")
    if kept is None or kept[0] != key:
        st.session_state["attention_memo"] = kept = (key, make())
    return kept[1]
