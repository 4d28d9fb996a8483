"""See and change what a network computes: its attention, its gradients, its matrices."""

__all__ = [
    "anatomy",
    "arithmetic",
    "beginning",
    "changing",
    "checks",
    "composing",
    "core",
    "edges",
    "gradients",
    "lens",
    "operators",
    "projection",
    "record",
    "scanning",
    "steering",
    "tape",
    "target",
    "under",
    "units",
    "watch",
]
