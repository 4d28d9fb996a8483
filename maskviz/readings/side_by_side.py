"""Batches side by side on the processor, each in one thread.

torch shares out every single product between threads that wait for each other at its end. The
products of a small network are short, so much of the time is waiting, all the more on a machine
that has other work. Whole batches, one for each core, wait for nothing, and what a core has just
computed is still in its cache when it goes on.
"""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

from ..models.model import Model, device

_LONG = 1024  # tokens of a text from which all threads share its products
_IN_TURN = 4  # batches for each thread before other users of the model have their turn
_PATIENCE = 1.0  # seconds that a turn may take before the next one has a batch a thread alone

_asks = threading.local()


def between_turns(ask: Callable[[], object]) -> None:
    """Call `ask` in this thread wherever a long computation may stop: what it raises ends it.

    >>> between_turns(lambda: None)
    """
    _asks.ask = ask


def threads() -> int:
    """Return how many batches are computed at once: torch's threads, 1 on a GPU."""
    import torch

    return torch.get_num_threads() if device() == "cpu" else 1


def answers(
    model: Model,
    work: Callable[[Any], Any],
    batches: Sequence[Any],
    tokens: Sequence[int] = (),
) -> Iterator[Any]:
    """Yield `work(batch)` of each batch in order; it must not take the model's lock itself.

    The lock is held here, and given free between groups of batches. `tokens` is the length of each
    batch's longest text: what attends over many at once needs much memory, and is computed alone.
    """
    count, turn = threads(), [_IN_TURN]
    for group, shared in _groups(batches, tokens, count, turn):
        getattr(_asks, "ask", bool)()
        began = time.monotonic()
        with model.running():
            done = _workers(count, os.getpid()).map(work, group) if shared else map(work, group)
            found = list(done)
        turn[0] = 1 if time.monotonic() - began > _PATIENCE else _IN_TURN
        yield from found


def _groups(
    batches: Sequence[Any], tokens: Sequence[int], count: int, turn: Sequence[int]
) -> Iterator[tuple[list[Any], bool]]:
    """Yield batches that have a turn together, and whether each is computed in a thread.

    turn: how many batches each thread has in the next one.
    """
    if count == 1 or len(batches) == 1:
        yield from (([batch], False) for batch in batches)
        return
    together: list[Any] = []
    for batch, longest in zip(batches, tokens or (0,) * len(batches), strict=True):
        if together and (longest > _LONG or len(together) >= count * turn[0]):
            yield together, True
            together = []
        if longest > _LONG:
            yield [batch], False
        else:
            together.append(batch)
    if together:
        yield together, True


@lru_cache(maxsize=1)
def _workers(count: int, _process: int) -> ThreadPoolExecutor:
    """Return as many threads, in each of which torch uses one; a forked process has its own."""
    return ThreadPoolExecutor(count, "maskviz-batch", initializer=alone)


def alone() -> None:
    """Let torch compute in this thread alone what this thread asks for.

    torch's own setting would count for every thread that begins later, too; those of OpenMP and
    MKL, which it computes by, are each thread's own. Where they cannot be reached (Windows) threads
    share out their products as before: slower, not wrong.
    """
    import torch

    torch.get_num_threads()  # a thread's first call takes the number of the process
    libraries = ctypes.CDLL(torch._C.__file__)  # looks in those it is linked with as well
    for name in ("omp_set_num_threads", "MKL_Set_Num_Threads_Local"):
        if hasattr(libraries, name):
            getattr(libraries, name)(1)
