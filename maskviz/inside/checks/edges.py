"""The check of edges: what nobody reads may be cut, and a cut is heeded where it is made alone."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from ...models.checks import Finding, check, finding
from ...models.model import Model
from ..composing import composed
from ..core import core_of
from ..edges import cut
from ..tape import eager
from ..watch import Product, watching
from .padding import answers
from .probe import SMALL, Probe, apart, probe


@check(
    "edges",
    "Cutting all edges to a token that nobody reads changes nothing, cut in each layer they are as "
    "cut in all at once, and a cut in one head of one layer moves no weight of another.",
    "The architecture {family!r} lets no edge be cut in some layers alone ({said}): lay a matrix "
    "over all of them, use the operator attention, or choose a model such as 'mini'.",
)
def edges(model: Model) -> Finding:
    """Find whether edges can be cut in some layers and heads."""
    heeds = finding(model, "matrix")
    if not heeds.passed:
        return Finding(False, heeds.said)
    network, read = model.main_network(), probe(model)
    looks_back = finding(model, "direction").value == "decoder"
    with model.lock:
        said = _unread(network, read, looks_back) or _everywhere(network, read)
        said = said or _elsewhere(network, read, looks_back)
    return Finding(not said, said or "edges are cut where they are named")


def _unread(network: Any, read: Probe, looks_back: bool) -> str:
    """Say where cutting the edges to a token that nobody reads changes something.

    That is a hidden token, and of a decoder one that stands later than all that attend to it.
    """
    key = read.words[len(read.words) // 2]
    seen = [int(i != key) for i in range(len(read.ids))]
    plain = _answers(network, read.ids, seen)
    with cut(network, lambda _: _without(read, range(len(read.ids)), key)):
        if _apart(_answers(network, read.ids, seen), plain) > SMALL:
            return "cutting the edges to a hidden token changes what it computes"
    if looks_back:
        plain = _answers(network, read.ids)
        with cut(network, lambda _: _without(read, range(key), key)):
            if _apart(_answers(network, read.ids), plain) > SMALL:
                return "cutting the edges to a later token changes what it computes"
    return ""


def _everywhere(network: Any, read: Probe) -> str:
    """Say where a cut in each layer is not the same matrix laid over all, or nothing."""
    key = read.words[1]
    matrix = _without(read, range(len(read.ids)), key)
    plain = _answers(network, read.ids)
    with composed(network, matrix):
        expected = _answers(network, read.ids)
    with cut(network, lambda _: matrix):
        found = _answers(network, read.ids)
    if _apart(found, expected) > SMALL:
        return "a cut in each layer is not one in all of them"
    return "" if _apart(found, plain) > SMALL / 100 else "cutting edges changes nothing"


def _elsewhere(network: Any, read: Probe, looks_back: bool) -> str:
    """Say where a cut in one layer and head is missed, or met in another."""
    import numpy as np

    key = read.words[1]
    queries = range(key + 1 if looks_back else 0, len(read.ids))
    before = _weights(network, read)
    count = len(before[0][1])
    last = before[-1][0]
    matrix = np.ones((1, count, len(read.ids), len(read.ids)), bool)
    matrix[0, count - 1] = _without(read, queries, key)
    with cut(network, lambda layer: matrix if layer == last else None):
        after = _weights(network, read)
    rows = [i for i in queries if i != key]
    for (layer, plain), (_, found) in zip(before, after, strict=True):
        others = slice(None) if layer != last else slice(0, count - 1)
        if apart(plain[others], found[others]) > SMALL:
            return "a cut in one head of one layer moves the weights of others"
    if float(after[-1][1][count - 1][rows, key].abs().max()) > 0:
        return "attention passes where it is cut"
    return ""


def _without(read: Probe, queries: Sequence[int], key: int) -> Any:
    """Return the matrix (tokens, tokens) in which the queries may not attend to a key."""
    import numpy as np

    matrix = np.ones((len(read.ids), len(read.ids)), bool)
    matrix[list(queries), key] = False
    matrix[key, key] = True
    return matrix


def _answers(network: Any, ids: Sequence[int], seen: Sequence[int] | None = None) -> list[Any]:
    found = answers(network, [ids], [seen or [1] * len(ids)])
    return [one for one in found if one is not None]


def _apart(some: Sequence[Any], others: Sequence[Any]) -> float:
    return max(apart(one, other) for one, other in zip(some, others, strict=True))


def _weights(network: Any, read: Probe) -> list[tuple[int, Any]]:
    """Return the weights (heads, tokens, tokens) of each layer of the part that reads the text."""
    seen: list[tuple[int, Any]] = []

    def take(product: Product) -> None:
        weights = product.heads()[0]
        if product.part == "core" and weights.shape[-2] == len(read.ids):
            seen.append((product.layer, weights[..., : len(read.ids)].float().clone()))

    with ExitStack() as blocks:
        blocks.enter_context(eager(network))
        blocks.enter_context(watching({"core": core_of(network)}, take))
        _answers(network, read.ids)
    return seen
