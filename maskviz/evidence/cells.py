"""An experiment in cells: an arm and a seed each, kept as soon as it is finished.

Cells run one after another or several side by side: a small model on short texts keeps one core
busy and no more, so that a process for each core trains them in about the time of the slowest.
What is finished is read, not run again.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import RunError

if TYPE_CHECKING:
    from ..training import RunSpec
    from ..training.data.rows import Rows

Cell = tuple[int, str]  # seed, arm
Tell = Callable[[int, int, int, str], None]  # cells begun, cells finished, seed, arm


class Experiment(Protocol):
    """What is asked for: which arms, how many seeds, and where finished cells are kept."""

    @property
    def arms(self) -> tuple[str, ...]: ...
    @property
    def seeds(self) -> int: ...
    @property
    def folder(self) -> Path: ...


Run = Callable[[Any, int, str], None]  # (experiment, seed, arm): trains, measures, keeps


@dataclass(frozen=True)
class Progress:
    """How far an experiment is: `cell` of `cells` begins; `seconds_left` is None at first."""

    cell: int
    cells: int
    arm: str
    seed: int
    seconds_left: float | None


Listener = Callable[[Progress], None]
Cells = dict[str, list[dict[str, float]]]  # arm → figures per seed


def cell_file(experiment: Experiment, seed: int, arm: str) -> Path:
    """Return where the figures of a cell are kept."""
    return experiment.folder / f"{arm}-{seed}.json"


def run_missing(
    experiment: Experiment,
    run: Run,
    listener: Listener | None = None,
    processes: int = 1,
    ready: Callable[[], object] = lambda: None,
) -> float:
    """Run the cells that are not finished yet; return the seconds that took.

    run: one cell, a function of a module. ready: called once before several cells begin at once.
    processes: as in `run_cells`.
    """
    began = time.monotonic()
    todo = [(seed, arm) for seed in range(experiment.seeds) for arm in experiment.arms]
    missing = [cell for cell in todo if not cell_file(experiment, *cell).is_file()]

    def tell(begun: int, finished: int, seed: int, arm: str) -> None:
        if listener:
            spent = time.monotonic() - began
            left = spent / finished * (len(missing) - finished) if finished else None
            number = len(todo) - len(missing) + begun
            listener(Progress(number, len(todo), arm, seed, left))

    run_cells(experiment, run, missing, tell, processes, ready)
    return time.monotonic() - began


def run_cells(
    experiment: Experiment,
    run: Run,
    cells: Sequence[Cell],
    tell: Tell,
    processes: int,
    ready: Callable[[], object] = lambda: None,
) -> None:
    """Run the cells; processes: side by side, 0 for one a core. Raises what a cell raises."""
    processes = min(processes or _processes(), len(cells))
    if processes <= 1:
        for i, cell in enumerate(cells):
            tell(i + 1, i, *cell)
            run(experiment, *cell)
    else:
        ready()
        _side_by_side(experiment, run, cells, tell, processes)


def _processes() -> int:
    from ..training.machine.device import resolve_device

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (cores or 1) if resolve_device("auto") == "cpu" else 1


def _side_by_side(
    experiment: Experiment, run: Run, cells: Sequence[Cell], tell: Tell, processes: int
) -> None:
    from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
    from multiprocessing import get_context

    threads = max(1, _processes() // processes)
    waiting, running, finished = list(cells), set[Future[None]](), 0
    with ProcessPoolExecutor(
        processes, get_context("spawn"), initializer=_begin, initargs=(threads,)
    ) as pool:
        while waiting or running:
            while waiting and len(running) < processes:
                cell = waiting.pop(0)
                tell(len(cells) - len(waiting), finished, *cell)
                running.add(pool.submit(run, experiment, *cell))
            done, running = wait(running, return_when=FIRST_COMPLETED)
            finished += len(done)
            for cell_done in done:
                cell_done.result()


def _begin(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)


def tuned(spec: RunSpec, rows: Rows, folder: Path, arm: str) -> Path:
    """Train a cell in a folder of its own; return that of its model.

    Raises RunError where the run does not end well.
    """
    from ..training.folder import read_json
    from ..training.loop.execute import execute

    (folder / "spec.toml").write_text(spec.to_toml(), encoding="utf-8")
    state = execute(folder, rows=rows)
    if state != "done":
        said = read_json(folder / "status.json").get("outcome_reason", "")
        raise RunError(f"The arm {arm!r} with seed {spec.seed} is {state}: {said}")
    return folder / "model"


def loaded(folder: Path, task: str) -> Any:
    """Return the network that a cell of this task has tuned, in float32, to be asked."""
    import torch
    import transformers

    from ..models.model import device
    from ..training.model.encoder import without_bars
    from ..training.model.heads import CLASSES

    with without_bars():
        network = getattr(transformers, CLASSES[task]).from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
        )
    return network.to(device()).eval()


def read_cells(experiment: Experiment) -> Cells:
    """Return the figures of those seeds whose cells are finished for every arm."""
    cells: Cells = {arm: [] for arm in experiment.arms}
    for seed in range(experiment.seeds):
        files = [cell_file(experiment, seed, arm) for arm in experiment.arms]
        if all(file.is_file() for file in files):
            for arm, file in zip(experiment.arms, files, strict=True):
                cells[arm].append(json.loads(file.read_text(encoding="utf-8")))
    return cells


def identity(version: int, settings: dict[str, Any], model: str) -> str:
    """Return a short name that changes with the settings and with the model's weights."""
    said = json.dumps([version, settings, weights_of(model)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def weights_of(model: str) -> str:
    """Return what tells two versions of a model apart: a cell belongs to the weights it tuned."""
    from ..models.locate import locate

    folder = Path(locate(model))
    files = sorted(folder.glob("*.safetensors")) if folder.is_dir() else []
    stamps = tuple((str(f), f.stat().st_mtime_ns, f.stat().st_size) for f in files)
    return _digest(stamps) if files else str(folder)


@lru_cache(maxsize=32)
def _digest(stamps: tuple[tuple[str, int, int], ...]) -> str:
    """Read the files once; time and size tell whether they have changed since."""
    digest = hashlib.sha256()
    for file, _, _ in stamps:
        digest.update(Path(file).read_bytes())
    return digest.hexdigest()
