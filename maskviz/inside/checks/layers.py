"""The check of layers: which of a network's own compute an attention that can be seen."""

from __future__ import annotations

from ...models.checks import Finding, check
from ...models.model import Model
from ..tape import Order, eager, modules_of, parts_of
from ..watch import Product, watching
from .probe import probe, states


@check(
    "layers",
    "Which layers compute attention that is seen, by the network's own numbers.",
    "The architecture {family!r} does not show its attention ({said}): choose another model.",
)
def layers(model: Model) -> Finding:
    """Find which layers attend; the value has `attend`, their numbers from 0, and `of`, all."""
    network, part = model.main_network(), parts_of(model)[0]
    order, seen = Order(model, part), list[int]()

    def take(product: Product) -> None:
        if order.counts(product):
            seen.append(product.layer)

    with (
        model.lock,
        eager(network),
        watching(modules_of(network, part), take) as places,
    ):
        states(network, probe(model).ids)
    count = max(places.counts.values(), default=0)
    if not seen:
        return Finding(False, "it computes none that one can see")
    whole = len(seen) == count
    named = "all" if whole else ", ".join(str(one + 1) for one in seen) + " of"
    said = f"{named} {count} layers attend"
    return Finding(True, said, {"attend": seen, "of": count})
