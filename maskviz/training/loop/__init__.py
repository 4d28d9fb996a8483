"""The loop itself: the trainer, its pace, checkpoints, figures and results."""

__all__ = ["checkpoints", "execute", "text_scores"]
