"""See and change what a network computes: its attention, its gradients, its matrices."""

__all__ = [
    "arithmetic",
    "beginning",
    "checks",
    "composing",
    "core",
    "gradients",
    "record",
    "steering",
    "tape",
    "target",
    "watch",
]
