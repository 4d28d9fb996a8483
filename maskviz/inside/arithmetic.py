"""One head's numbers as its network computed them: every term of its scores, weights, output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import CapabilityError, ParameterError
from ..masks.encoding import Encoding
from ..models.model import Model
from ..readings.batches import batch
from .core import core_of
from .steering import under_matrix
from .tape import Order, check_keys, eager, modules_of, no_layer, parts_of
from .terms import Terms, one_term
from .watch import Product, by_head, watching

CLOSE = 1e-4  # how far softmax(terms) may be from the weights


@dataclass(frozen=True, eq=False)
class HeadArithmetic:
    """One head's numbers, float32: softmax(scores + biases, −∞ where not seen) · values.

    scores: (queries, keys), Q·Kᵀ/√d. biases: what the architecture adds to them, each shaped like
    them: the position bias of T5, ALiBi, DeBERTa's relative positions. seen: bool, where neither
    its own mask nor a matrix says −∞. sink: (queries,), the score of a key that is no token and
    takes its share of the weights, or None. weights: (queries, keys). values: (keys, d).
    output: (queries, d) = weights · values.
    """

    scores: Any
    biases: tuple[Any, ...]
    seen: Any
    sink: Any
    weights: Any
    values: Any
    output: Any


def head_arithmetic(
    model: Model, encoding: Encoding, layer: int, head: int, allowed: Any | None = None
) -> HeadArithmetic:
    """Record what one head computes over an encoding, with or without an attention matrix.

    Raises ParameterError for a layer or head there is not, CapabilityError where the architecture
    computes its attention out of sight.

    >>> from maskviz import apply, load_model
    >>> found = head_arithmetic(load_model(), apply("A short text.", model="mini"), 0, 0)
    >>> found.biases, found.sink
    ((), None)
    """
    product = _product(model, encoding, layer, allowed)
    weights, values = product.heads()
    check_keys(model, weights, len(encoding))
    if not 0 <= head < len(weights):
        raise ParameterError(f"There is no head {head + 1}: a layer has {len(weights)}.")
    terms, own = _of_head(product.terms, head), weights[head]
    if not _adds_up(terms, own):
        terms = one_term(terms.total())
    if not _adds_up(terms, own):
        raise CapabilityError(
            f"The architecture {model.family!r} does not show its scores: choose another model."
        )
    value = values[head * len(values) // len(weights)]  # heads may share values
    return _shown(terms, own, value)


def _product(model: Model, encoding: Encoding, layer: int, allowed: Any) -> Product:
    """Return the product of a layer, with the terms of its scores."""
    import torch

    network, part = model.main_network(), parts_of(model)[0]
    order, attending, kept = Order(model, part), list[int](), list[Product]()

    def take(product: Product) -> None:
        if order.counts(product):
            attending.append(product.layer)
            kept.extend([product] if product.layer == layer else [])

    with (
        model.running(),
        torch.inference_mode(),
        eager(network),
        under_matrix(model, network, allowed),
        watching(modules_of(network, part), take, terms=True) as places,
    ):
        core_of(network)(**batch(model, [encoding]))
    if not kept:
        raise no_layer(model, layer, attending, max(places.counts.values(), default=0))
    return kept[0]


def _of_head(terms: Terms | None, head: int) -> Terms:
    """Return the terms of one head, each (queries, keys)."""
    assert terms is not None  # they were asked for
    shape = terms.seen.shape
    found = terms.each(lambda term: by_head(term.expand(shape))[head])
    return Terms(found.score, found.biases, by_head(terms.seen)[head])


def _adds_up(terms: Terms, weights: Any) -> bool:
    import torch

    found = terms.total().float().softmax(-1)[..., : weights.shape[-1]]
    return bool(torch.allclose(found, weights.float(), atol=CLOSE))


def _shown(terms: Terms, weights: Any, value: Any) -> HeadArithmetic:
    """Return the numbers in NumPy; a key more than there are tokens is the sink."""
    count = weights.shape[-1]
    sink = terms.total()[:, count] if terms.seen.shape[-1] > count else None
    biases = [bias[:, :count] for bias in terms.biases]
    biases = [bias for bias in biases if bool(bias.any())]

    def array(tensor: Any) -> Any:
        return tensor.float().cpu().numpy()

    return HeadArithmetic(
        array(terms.score[:, :count]),
        tuple(map(array, biases)),
        terms.seen[:, :count].cpu().numpy(),
        None if sink is None else array(sink),
        array(weights),
        array(value),
        array(weights @ value),
    )
