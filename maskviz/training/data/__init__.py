"""Rows, their targets, their masks, and batches of them."""

__all__ = [
    "ahead",
    "batches",
    "collating",
    "control",
    "hits",
    "lessons",
    "marking",
    "masking",
    "parts",
    "rows",
    "spoken",
    "targets",
    "teaching",
]
