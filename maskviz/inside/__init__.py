"""See and change what a network computes: its attention, its gradients, its matrices."""

__all__ = [
    "arithmetic",
    "beginning",
    "checks",
    "composing",
    "core",
    "gradients",
    "projection",
    "record",
    "steering",
    "tape",
    "target",
    "watch",
]
