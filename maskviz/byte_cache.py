"""A cache with a limit in bytes, shared by all sessions: arrays and networks, never copied."""

from __future__ import annotations

import ctypes
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from typing import Any
from weakref import WeakValueDictionary

# The bytes of a value; or of each of its parts, by what they are: two values may share one.
Size = Callable[[Any], int | Mapping[Any, int]]


class ByteCache:
    """Keeps the values used last, as long as they fit; at least the newest one.

    A value that was dropped while somebody uses it stays whole, and is found again as long as it
    lives. Threads that ask for the same value wait for the one that makes it.

    >>> cache = ByteCache(10)
    >>> cache.get("a", lambda: "value", lambda value: 5)
    'value'
    """

    def __init__(self, limit: int | Callable[[], int]) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, tuple[Any, Mapping[Any, int]]] = OrderedDict()
        self._alive: WeakValueDictionary[Hashable, Any] = WeakValueDictionary()
        self._making: WeakValueDictionary[Hashable, Any] = WeakValueDictionary()
        self._lock = threading.RLock()

    @property
    def limit(self) -> int:
        """How many bytes are kept, at most."""
        return self._limit() if callable(self._limit) else self._limit

    def get(
        self,
        key: Hashable,
        make: Callable[[], Any],
        size: Size,
        room: Callable[[], int] | None = None,
    ) -> Any:
        """Return the value of `key`, made once while it is kept or used.

        room: says how many bytes it will take; others are dropped for it before it is made.
        """
        if (found := self.find(key, size)) is not None:
            return found
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            if (found := self.find(key, size)) is not None:
                return found
            if room is not None:
                self._make_room(room())
            value = make()
            self.put(key, value, size)
            return value

    def find(self, key: Hashable, size: Size) -> Any:
        """Return a value that is kept, or still used by somebody; else None."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
            found = self._alive.get(key)
            if found is not None:
                self.put(key, found, size)
            return found

    def put(self, key: Hashable, value: Any, size: Size) -> None:
        """Keep a value, and drop those that were not used for longest where all do not fit."""
        took = size(value)
        with self._lock:
            self._kept[key] = (value, took if isinstance(took, Mapping) else {key: took})
            self._kept.move_to_end(key)
            with suppress(TypeError):  # text and numbers cannot be watched: they are made anew
                self._alive[key] = value
            self._fit(1, 0)

    def _make_room(self, room: int) -> None:
        with self._lock:
            dropped = self._fit(0, room)
        if dropped:
            give_back()

    def _fit(self, least: int, room: int) -> bool:
        """Drop what was not used for longest, down to `least` values; return whether any was."""
        before, limit = len(self._kept), self.limit
        while len(self._kept) > least and self.bytes + room > limit:
            self._kept.popitem(last=False)
        return len(self._kept) < before

    @property
    def bytes(self) -> int:
        """What is kept, in bytes; what values share is counted once."""
        with self._lock:
            parts: dict[Hashable, int] = {}
            for _, own in self._kept.values():
                parts |= own
        return sum(parts.values())

    def held(self) -> list[tuple[Any, int]]:
        """Return each key with the bytes of its value, the one that was not used longest first."""
        with self._lock:
            return [(key, sum(own.values())) for key, (_, own) in self._kept.items()]

    def values(self) -> list[tuple[Any, Any]]:
        """Return each key with its value, the one that was not used longest first."""
        with self._lock:
            return [(key, value) for key, (value, _) in self._kept.items()]

    def clear(self) -> None:
        """Drop all values."""
        with self._lock:
            self._kept.clear()


def give_back() -> None:
    """Return memory that is free to the system; the C library may keep tens of MB after a pass.

    Where it offers no such call (other than glibc), nothing happens.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
