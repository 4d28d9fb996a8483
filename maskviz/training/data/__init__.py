"""Rows, their targets, their masks, and batches of them."""

__all__ = [
    "ahead",
    "batches",
    "collating",
    "control",
    "hits",
    "lessons",
    "masking",
    "rows",
    "spoken",
    "targets",
    "teaching",
]
