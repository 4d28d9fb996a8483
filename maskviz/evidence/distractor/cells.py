"""The cells of the planted-distractor experiment, one after another or several side by side.

A small model on short texts keeps one core busy and no more: a process for each core trains them
in about the time of the slowest, where more threads for one model gain little.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from .cell import run_cell, start_of
from .experiment import Experiment

Cell = tuple[int, str]  # seed, arm
Tell = Callable[[int, int, int, str], None]  # cells begun, cells finished, seed, arm


def run_cells(experiment: Experiment, cells: Sequence[Cell], tell: Tell, processes: int) -> None:
    """Run the cells; each is kept as soon as it is finished. Raises what a cell raises."""
    processes = min(processes or _processes(), len(cells))
    if processes <= 1:
        for i, cell in enumerate(cells):
            tell(i + 1, i, *cell)
            run_cell(experiment, *cell)
    else:
        _side_by_side(experiment, cells, tell, processes)


def _processes() -> int:
    from ...training.machine.device import resolve_device

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (cores or 1) if resolve_device("auto") == "cpu" else 1


def _side_by_side(
    experiment: Experiment, cells: Sequence[Cell], tell: Tell, processes: int
) -> None:
    from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
    from multiprocessing import get_context

    start_of(experiment)  # written once, before several look for it
    threads = max(1, _processes() // processes)
    waiting, running, finished = list(cells), set[Future[None]](), 0
    with ProcessPoolExecutor(
        processes, get_context("spawn"), initializer=_begin, initargs=(threads,)
    ) as pool:
        while waiting or running:
            while waiting and len(running) < processes:
                cell = waiting.pop(0)
                tell(len(cells) - len(waiting), finished, *cell)
                running.add(pool.submit(run_cell, experiment, *cell))
            done, running = wait(running, return_when=FIRST_COMPLETED)
            finished += len(done)
            for cell_done in done:
                cell_done.result()


def _begin(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
