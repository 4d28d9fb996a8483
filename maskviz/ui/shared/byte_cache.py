"""A cache with a limit in bytes, for arrays that are shared by all sessions and never copied."""

from __future__ import annotations

import ctypes
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any


class ByteCache:
    """Keeps the values used last, as long as they fit; at least the newest one.

    >>> cache = ByteCache(10)
    >>> cache.get("a", lambda: "value", lambda value: 5)
    'value'
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Any], size: Callable[[Any], int]) -> Any:
        """Return the value of `key`, made once while it is kept."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        value = make()
        with self._lock:
            self._kept[key] = (value, size(value))
            while len(self._kept) > 1 and self.bytes > self.limit:
                self._kept.popitem(last=False)
        return value

    @property
    def bytes(self) -> int:
        """What is kept, in bytes."""
        return sum(size for _, size in self._kept.values())


def give_back() -> None:
    """Return memory that is free to the system; the C library may keep tens of MB after a pass.

    Where it offers no such call (other than glibc), nothing happens.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
