"""The attention of every head, captured in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..display import DISPLAYS
from ..errors import ParameterError, UnknownNameError
from ..inside.beginning import LONGEST, beginning_notice, read_beginning
from ..inside.gradients import parts_with_gradients
from ..inside.record import record
from ..inside.tape import PARTS, attending, parts_of, without_attention
from ..inside.target import Target, target_of
from ..inside.watch import Layer
from ..masks.encoding import Encoding
from ..masks.mask import Mask
from ..models.model import Model, load_model
from .methods import METHODS, flow
from .parts import part_names, segments


@dataclass(frozen=True, eq=False)
class Attention:
    """The attention of one pass.

    weights: float16 (layers, heads, queries, keys). With the methods raw and mean each row sums
        to 1; methods that merge heads or layers have one map in their place.
    encoding: what the model read; its tokens name the keys, and the queries but in a decoder.
    method, part: how it was made, and whether of the encoder, the decoder or from one to the other.
    target: what a decoder that reads an encoder has read itself, else None.
    numbers: the network's own number of each layer in `weights`, from 0: layers without attention
        are left out. Empty where one map is made of all layers.
    segments: to which part of the text each token of `encoding` belongs, from 0: a pair has two.
    parts: what these are called, by number, such as the turns of a conversation; empty: letters.
    asked: the only queries that have a row, where not all were asked for.
    notice: sentences where it is of the beginning of the text alone, where some layers compute
        none, or where the text spells special tokens out, else empty.
    """

    weights: Any
    encoding: Encoding
    model: str
    method: str = "raw"
    part: str = "encoder"
    target: Target | None = None
    numbers: tuple[int, ...] = ()
    segments: tuple[int, ...] = ()
    asked: tuple[int, ...] | None = None
    notice: str = ""
    parts: tuple[str, ...] = ()

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens attended to (keys): those of the text, or of the target in its decoder."""
        return self.queries if self.part == "decoder" else self.encoding.tokens

    @property
    def queries(self) -> tuple[str, ...]:
        """The tokens that attend."""
        return self.target.tokens if self.target else self.encoding.tokens

    def only(self, layer: int | None) -> Attention:
        """Return one layer, by its number in the whole model; None and one map for all are all.

        Raises ParameterError for a layer that computes no attention.
        """
        if layer is None or not self.numbers or self.numbers == (layer,):
            return self
        at = row_of(self.numbers, layer)
        return replace(self, weights=self.weights[at : at + 1], numbers=(layer,))

    @property
    def layers(self) -> int:
        """The number of layers."""
        return self.weights.shape[0]

    @property
    def heads(self) -> int:
        """The number of heads in a layer."""
        return self.weights.shape[1]

    def _repr_html_(self) -> str:
        return DISPLAYS["attention"].html(self)


def attend(
    text: Mask | str,
    model: Model | str = "mini",
    operator: str = "mask",
    allowed: Any = None,
    *,
    method: str = "raw",
    part: str | None = None,
    target: str | None = None,
    layers: range | None = None,
    queries: Sequence[int] | None = None,
) -> Attention:
    """Capture the attention of every layer and head over a text or a masked text.

    `allowed` is an attention matrix, bool (tokens, tokens), or Edges: see `maskviz.masks.matrices`.
    `method` is one of METHODS. Encoder–decoders have three parts, `encoder` (the default),
    `decoder` and `cross`; their decoder reads `target`, or what the model itself writes for the
    plain text. `layers` captures only some, such as range(3, 4); `queries` computes `flow` from
    these tokens alone, since that from all takes long. Of a long text the first 1,024 tokens are
    read, whatever the model takes, and the notice says so. Raises UnknownNameError for method or
    part, ParameterError for a matrix of another size, CapabilityError where the architecture does
    not show its attention.

    >>> attend("A short text.").weights.ndim  # layers, heads, queries, keys
    4
    """
    if method not in METHODS:
        raise UnknownNameError.of("attention method", method, METHODS)
    loaded = load_model(model)
    encoding = read_beginning(text, operator, loaded)
    if allowed is not None and len(allowed) != len(encoding):
        raise ParameterError(
            f"The matrix is of {len(allowed):,} tokens and {len(encoding):,} are read: make it for "
            f"what apply(…, longest={LONGEST}) gives."
        )
    return attention_of(
        loaded,
        encoding,
        allowed,
        method=method,
        part=part,
        target=target,
        layers=layers,
        queries=queries,
    )


def attention_of(
    model: Model,
    encoding: Encoding,
    allowed: Any = None,
    *,
    method: str = "raw",
    part: str | None = None,
    target: str | None = None,
    layers: range | None = None,
    queries: Sequence[int] | None = None,
) -> Attention:
    """Capture the attention over one encoding; everything else is as `attend` has it."""
    parts = parts_of(model)
    part = part or parts[0]
    if part not in parts:
        raise UnknownNameError.of(f"part of {model.family!r}", part, parts)
    written = _target(model, encoding.text, target, part)
    ids = written.ids if written else ()
    weights = capture(model, encoding, allowed, method, part, ids, layers, queries)
    notices = (beginning_notice(encoding, model), without_attention(model, part), encoding.spelled)
    return Attention(
        weights,
        encoding,
        model.name,
        method,
        part,
        written,
        _numbers(model, part, layers, len(weights)),
        segments(model, encoding),
        None if queries is None else tuple(queries),
        " ".join(filter(None, notices)),
        part_names(model, encoding.text),
    )


def capture(
    model: Model,
    encoding: Encoding,
    allowed: Any,
    method: str,
    part: str,
    target: tuple[int, ...] = (),
    layers: range | None = None,
    queries: Sequence[int] | None = None,
) -> Any:
    """Return float16 (layers, heads, queries, keys) for one encoding.

    Raises ParameterError where the method follows tokens through layers and the part has other
    tokens on its two sides, or not all layers are asked for.
    """
    chosen = METHODS[method]
    across = part == "cross" and chosen.square
    if chosen.square and (layers is not None or (across and chosen.across is None)):
        raise ParameterError(
            f"The method {method!r} follows attention through all layers of one text: choose raw, "
            f"mean, norm or uniform for {'cross-attention' if part == 'cross' else 'one layer'}."
        )
    if across and chosen.across is not None:
        return stacked(chosen.across(parts_with_gradients(model, encoding, allowed, target)))
    if queries is not None and method != "flow":
        raise ParameterError(
            f"Queries are chosen for flow alone: {method} has all of them at once."
        )
    found = record(
        model,
        encoding,
        part,
        needs=chosen.needs,
        layers=layers,
        allowed=allowed,
        target=target,
    )
    return reduce(found, method, queries)


def _numbers(model: Model, part: str, layers: range | None, maps: int) -> tuple[int, ...]:
    """Return the network's own number of the layer of each map; none for one map of all layers."""
    numbers = attending(model, part)
    asked = numbers if layers is None else tuple(n for n in layers if n in numbers)
    return asked if len(asked) == maps else ()


def row_of(numbers: Sequence[int], layer: int) -> int:
    """Return at which place of `numbers` a layer stands, counted from 0.

    Raises ParameterError, with those there are, where it is none of them.
    """
    if layer in numbers:
        return numbers.index(layer)
    named = ", ".join(str(number + 1) for number in numbers)
    raise ParameterError(f"Layer {layer + 1} computes no attention: choose one of {named}.")


def with_method(
    attention: Attention, method: str, queries: Sequence[int] | None = None
) -> Attention:
    """Return what a method makes of raw attention that is captured already, without another pass.

    Raises ParameterError for a method that needs more than the weights of all layers.
    """
    if not METHODS[method].of_weights(attention.part):
        raise ParameterError(f"The method {method!r} needs a pass of its own: use attend().")
    if method == "raw":
        return attention
    weights = reduce([Layer(layer) for layer in attention.weights], method, queries)
    asked = None if queries is None else tuple(queries)
    numbers = attention.numbers if len(weights) == attention.layers else ()
    return replace(attention, weights=weights, method=method, asked=asked, numbers=numbers)


def reduce(found: list[Layer], method: str, queries: Sequence[int] | None = None) -> Any:
    """Return a method's maps as float16 (layers, heads or 1, queries, keys), layer by layer."""
    import numpy as np

    if method == "raw":  # what was captured is what is shown: not through float32 and back
        whole = found[0].weights.base  # where the layers lie in one array, that array
        if whole is not None and whole.shape == (len(found), *found[0].weights.shape):
            return whole
        return np.stack([layer.weights for layer in found])
    if queries is not None:
        return stacked(flow(found, queries))
    return stacked(METHODS[method].function(found))


def stacked(maps: Iterable[Any]) -> Any:
    """Return maps (heads, queries, keys) as float16 (layers, heads, queries, keys)."""
    import numpy as np

    return np.stack([np.asarray(one, np.float16) for one in maps])


def _target(model: Model, text: str, given: str | None, part: str) -> Target | None:
    """Return what the decoder reads, or None where there is no decoder in sight."""
    if part == "encoder" or not model.config.is_encoder_decoder:
        if given is not None:
            raise ParameterError(
                f"A target is given and the {part} of {model.name!r} reads none: "
                f"choose the part {' or '.join(PARTS[1:])} of an encoder–decoder."
            )
        return None
    return target_of(model, text, given)
