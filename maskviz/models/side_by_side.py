"""Batches side by side on the processor, each in one thread.

torch shares out every single product between threads that wait for each other at its end. The
products of a small network are short, so much of the time is waiting, all the more on a machine
that has other work. Whole batches, one for each core, wait for nothing, and what a core has just
computed is still in its cache when it goes on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from threading import Barrier
from typing import Any

from .model import Model, device

_IN_TURN = 4  # batches for each thread before other users of the model have their turn


def threads() -> int:
    """Return how many batches are computed at once: torch's threads, 1 on a GPU."""
    import torch

    return torch.get_num_threads() if device() == "cpu" else 1


def answers(model: Model, work: Callable[[Any], Any], batches: Sequence[Any]) -> Iterator[Any]:
    """Yield `work(batch)` of each batch in order; it must not take the model's lock itself.

    The lock is held here, and given free between groups of batches.
    """
    count = threads()
    alone = count == 1 or len(batches) == 1
    size = 1 if alone else count * _IN_TURN
    for start in range(0, len(batches), size):
        group = batches[start : start + size]
        with model.lock:
            done = map(work, group) if alone else _workers(count, os.getpid()).map(work, group)
            found = list(done)
        yield from found


@lru_cache(maxsize=1)
def _workers(count: int, _process: int) -> ThreadPoolExecutor:
    """Return as many threads, in each of which torch uses one; a forked process has its own."""
    import torch

    pool, all_here = ThreadPoolExecutor(count, "maskviz-batch"), Barrier(count)

    def alone(_: int) -> None:
        torch.get_num_threads()  # a thread's first call takes the number of the process
        torch.set_num_threads(1)  # counts here, and for threads that begin later
        all_here.wait()

    list(pool.map(alone, range(count)))
    torch.set_num_threads(count)
    return pool
