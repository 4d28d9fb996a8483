"""Units of a network, masked: what silencing a head changes, beside all heads."""

__all__ = [
    "asking",
    "choose",
    "compare",
    "knockout",
    "layers",
    "prune",
    "reference",
    "scan",
    "sentence",
]
