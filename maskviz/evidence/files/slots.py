"""Clusters told apart in constant memory."""

from __future__ import annotations

from zlib import crc32

SLOTS = 4096  # clusters, or rows, that are told apart; of more several go together


class Slots:
    """Gives each cluster or row a slot; beyond 4,096 of them several share one.

    What shares a slot is counted as one cluster: tests and intervals stay valid, and their memory
    does not grow.
    """

    def __init__(self, size: int = SLOTS) -> None:
        self._size, self._names = size, list[str]()
        self._known: set[str] = set()

    def of(self, unit: str) -> str:
        """Return the slot of a unit."""
        if unit in self._known:
            return unit
        if len(self._names) < self._size:
            self._known.add(unit)
            self._names.append(unit)
            return unit
        return self._names[crc32(unit.encode(errors="replace")) % self._size]
