"""The loop itself: the trainer, its pace, checkpoints, figures and results."""

__all__ = ["checkpoints", "ending", "execute", "text_scores"]
