"""The checks of a loaded model; importing this registers them in `maskviz.models.checks.CHECKS`.

A check is one function, (model) -> Finding: `masks` has those of what may attend to what, `sight`
that of hidden words, `padding` that of batches, `readout` that of where an answer is read,
`layers` that of which layers attend, `heads` that of heads, `sums` those of MLPs and layers,
`edges` that of edges that are cut, `long_texts` that of many tokens, `resuming` that of lower
layers, `sharing` that of beginnings.
`probe` has the tokens they read, `scaled` the copy of a network whose windows are of four tokens.
"""

from . import (
    edges,
    heads,
    layers,
    long_texts,
    masks,
    padding,
    readout,
    resuming,
    sharing,
    sight,
    sums,
)

__all__ = [
    "edges",
    "heads",
    "layers",
    "long_texts",
    "masks",
    "padding",
    "probe",
    "readout",
    "resuming",
    "scaled",
    "sharing",
    "sight",
    "sums",
]
