"""The check of long texts: what fused attention reads gives the weights of the network's own."""

from __future__ import annotations

from typing import Any

from ...models.checks import Finding, check
from ...models.model import Model
from ..by_query import fused, run_by_query
from ..tape import Order, eager, modules_of, parts_of
from ..watch import Product, by_head, watching
from .probe import SMALL, apart, probe, states


@check(
    "long attention",
    "What torch's fused attention reads gives the weights that the network's own computes, so that "
    "the attention of a long text is seen some queries at a time.",
    "The architecture {family!r} does not show the attention of a long text ({said}): the first "
    "tokens are looked at.",
    applies=lambda model: len(parts_of(model)) == 1,
)
def long_attention(model: Model) -> Finding:
    """Find whether a layer's weights can be had without laying all of them out."""
    import torch

    network, part, ids = model.main_network(), parts_of(model)[0], probe(model).ids
    expected, found = dict[int, Any](), dict[int, Any]()
    order = Order(model, part)

    def keep(product: Product) -> None:
        if order.counts(product):
            expected[product.layer] = by_head(product.weights).detach().float()

    def take(layer: int, first: int, weights: Any) -> None:
        found[layer] = torch.cat([found[layer], weights], 1) if first else weights

    with model.lock:
        with eager(network), watching(modules_of(network, part), keep):
            states(network, ids)
        with fused(network):
            run_by_query(network, part, lambda: states(network, ids), take)
    if not expected or found.keys() != expected.keys():
        return Finding(False, "it computes its attention in another way")
    shapes = all(found[n].shape == expected[n].shape for n in found)
    worst = max(apart(found[n], expected[n]) for n in found) if shapes else 1.0
    if worst > SMALL:
        return Finding(False, f"the weights differ by {worst:.1g} of their size")
    return Finding(True, "weights come some queries at a time")
