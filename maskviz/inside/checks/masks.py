"""Checks of what may attend to what: the direction a network looks, matrices, hidden words."""

from __future__ import annotations

from ...models.checks import Finding, check
from ...models.model import Model
from .probe import SMALL, apart, probe, states


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
