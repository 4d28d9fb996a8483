"""The loop itself: the trainer, its pace, checkpoints, figures and results."""
