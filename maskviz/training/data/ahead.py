"""Batches made ahead of the step that needs them, in a thread of their own.

A mask depends on (seed, epoch, row) alone, so whoever draws it and when changes nothing: a run that
is killed and goes on draws the same masks again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextvars import copy_context
from queue import Empty, Full, Queue
from typing import Any

_DEPTH = 3  # batches that wait at most, where nothing else is said
_PATIENCE = 0.1  # seconds after which the thread looks whether it is still wanted


class _End:
    """The last thing in the queue: why there is no more."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class Ahead(Iterator[Any]):
    """Yields the items of `source`, made `depth` ahead (0: all); an error there is raised here.

    waited: seconds that whoever asked had to wait; worked: seconds of computing in the thread;
    both count on from those of `before`.

    >>> list(Ahead([1, 2, 3]))
    [1, 2, 3]
    """

    def __init__(
        self, source: Iterable[Any], before: Ahead | None = None, depth: int = _DEPTH
    ) -> None:
        self.source = source
        self.waited: float = before.waited if before else 0.0
        self.worked: float = before.worked if before else 0.0
        self._worked_before = self.worked
        self._queue: Queue[Any] = Queue(depth)
        self._closed = threading.Event()
        self._end: _End | None = None
        context = copy_context()  # the language that the rows are said to be in
        self._thread = threading.Thread(
            target=context.run, args=(self._make,), name="maskviz-batches", daemon=True
        )
        self._thread.start()

    def __next__(self) -> Any:
        if self._end is None:
            began = time.perf_counter()
            item = self._queue.get()
            self.waited += time.perf_counter() - began
            if not isinstance(item, _End):
                return item
            self._end = item
        if self._end.error is not None:
            raise self._end.error
        raise StopIteration

    def close(self) -> None:
        """End the thread; what it made is dropped."""
        self._closed.set()
        while self._thread.is_alive():
            try:
                self._queue.get(timeout=0.01)
            except Empty:
                continue
        self._end = self._end or _End()

    def _make(self) -> None:
        try:
            for item in self.source:
                self.worked = self._worked_before + time.thread_time()
                if not self._put(item):
                    return
            self._put(_End())
        except BaseException as error:  # noqa: BLE001 - raised again where the item is asked for
            self._put(_End(error))

    def _put(self, item: Any) -> bool:
        while not self._closed.is_set():
            try:
                self._queue.put(item, timeout=_PATIENCE)
            except Full:
                continue
            return True
        return False
