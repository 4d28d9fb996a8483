"""The seed of a draw in training, and over how many rows a ratio is measured."""

from __future__ import annotations

import hashlib

MEASURED = 200  # rows that a realised ratio is the mean of


def draw_seed(seed: int, epoch: int, row: int) -> int:
    """Return the seed of one draw; near arguments give unrelated seeds."""
    digest = hashlib.blake2b(f"{seed}/{epoch}/{row}".encode(), digest_size=6).digest()
    return int.from_bytes(digest)
