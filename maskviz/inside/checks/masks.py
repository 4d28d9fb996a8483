"""Checks of what may attend to what: the direction a network looks, matrices, hidden words."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from ...models.checks import Finding, check
from ...models.model import Model
from ..composing import composed
from ..tape import eager
from ..watch import Product, watching
from .probe import SMALL, Probe, apart, probe, states
from .scaled import has_window, scaled


@check(
    "direction",
    "Another token later in the text moves what stands before it (encoder), or it does not "
    "(decoder).",
    "The model {name!r} ({family}) could not be run over a text ({said}): choose another model.",
)
def direction(model: Model) -> Finding:
    """Find whether tokens look ahead; the value is `encoder` or `decoder`."""
    read = probe(model)
    half = read.words[len(read.words) // 2]
    later = [i for i in read.words if i >= half]
    network = model.main_network()
    with model.lock:
        plain, other = (states(network, ids) for ids in (read.ids, read.changed(later)))
    ahead = apart(plain[:, :half], other[:, :half]) > SMALL
    seen = "tokens look ahead" if ahead else "tokens look back only"
    return Finding(True, seen, "encoder" if ahead else "decoder")


@check(
    "matrix",
    "A matrix of ones changes nothing, and one that cuts a text in two lets no attention pass.",
    "The architecture {family!r} takes no attention matrix ({said}): use the operator attention, "
    "or a model such as 'mini'.",
)
def matrix(model: Model) -> Finding:
    """Find whether matrices are heeded; the value tells whether nothing else mixes tokens."""
    network, read = model.main_network(), probe(model)
    with model.lock:
        return heeds(network, read)


def heeds(network: Any, read: Probe) -> Finding:
    """Find whether a network heeds matrices, and so does its copy with windows of four tokens."""
    found = _heeds(network, read)
    if found.passed and has_window(network.config):
        small = _heeds(scaled(network), read)
        return found if small.passed else Finding(False, f"in a window of 4, {small.said}")
    return found


def _heeds(network: Any, read: Probe) -> Finding:
    import numpy as np

    half = read.words[len(read.words) // 2]
    first = np.arange(len(read.ids)) < half
    blocks = first[:, None] == first[None]
    ones = np.ones_like(blocks)
    met: list[int] = []
    plain = states(network, read.ids)[0]
    with composed(network, ones, met):
        if apart(states(network, read.ids)[0], plain) > SMALL:
            return Finding(False, "a matrix of ones changes what it computes")
    if not met[0]:
        return Finding(False, "it computes no attention that one can see")
    with composed(network, blocks):
        cut = states(network, read.ids)[0]
        alone = all(
            apart(states(network, read.changed(where))[0][others], cut[others]) <= SMALL
            for where, others in (
                ([i for i in read.words if i < half], ~first),
                ([i for i in read.words if i >= half], first),
            )
        )
        crossing = _crossing(network, read, ~blocks)
    if apart(cut, plain) <= SMALL:
        return Finding(False, "cutting the text in two changes nothing")
    if crossing:
        return Finding(False, f"attention of {crossing:.2g} passes where the matrix has 0")
    with composed(network, np.stack([blocks, ones])[:, None]):
        both = states(network, read.ids, read.ids)
    if max(apart(both[0], cut), apart(both[1], plain)) > SMALL:
        return Finding(False, "in a batch one text is read under another's matrix")
    return Finding(True, "" if alone else "tokens also mix outside of attention", alone)


def _crossing(network: Any, read: Probe, cut: Any) -> float:
    """Return the most attention that any head computed in the open has where a matrix is 0."""
    import torch

    seen: list[float] = []

    def look(product: Product) -> None:
        weights = product.heads()[0]
        if weights.shape[-2:] == cut.shape:
            seen.append(float(weights[:, torch.from_numpy(cut)].abs().max()))

    with ExitStack() as blocks:
        blocks.enter_context(eager(network))
        blocks.enter_context(watching({"all": network}, look))
        states(network, read.ids)
    return max(seen, default=0.0)
