"""The check of layers that are read once: a pass that begins higher up answers the same."""

from __future__ import annotations

from ...models.checks import Finding, check
from ...models.model import Model
from ..resuming import keeping, resumed
from ..tape import parts_of
from .padding import answers
from .probe import SMALL, apart, probe


@check(
    "layers read once",
    "A pass that begins behind layers whose output is kept answers as a whole one does.",
    "The architecture {family!r} answers otherwise where lower layers are kept ({said}): every "
    "pass is read whole.",
)
def layers_read_once(model: Model) -> Finding:
    """Find whether the lower layers of a pass may be kept."""
    network, read = model.main_network(), probe(model)
    ids, seen = read.ids, [1] * len(read.ids)
    with model.lock:
        kept, plain = keeping(network, parts_of(model), lambda: answers(network, [ids], [seen]))
        if not kept.once or not kept.outputs:
            return Finding(False, "its layers run more than once, or are not seen")
        moved = 0.0
        for depth in {1, len(kept.outputs) // 2, len(kept.outputs)}:
            with resumed(kept, depth, 2):
                found = answers(network, [ids, ids], [seen, seen])
            for one, two in zip(plain, found, strict=True):
                if one is not None and two is not None:
                    moved = max(moved, apart(one.expand_as(two), two))
    if moved > SMALL:
        return Finding(False, f"its answers move by {min(moved, 1):.1g} of their size")
    return Finding(True, "lower layers are read once")
