"""The loop itself: the trainer, its pace, checkpoints, figures and results."""

__all__ = [
    "answers",
    "checkpoints",
    "ending",
    "execute",
    "grouped",
    "metrics",
    "script",
    "text_scores",
    "warm",
]
