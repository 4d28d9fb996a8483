"""A sweep on the disk: its spec and its controls; the cells are ordinary runs, found by their spec.

A cell belongs to a run where both ask for the same, whoever started it and whatever its name: so
a cell that is finished is never run twice, not even by another sweep, and a sweep that was
interrupted goes on where it stopped.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import RunError
from ..paths import home, write_atomic
from ..runs import engines, list_runs, resume, submit
from ..training.folder import ACTIVE, Run, read_json, run_folder
from .spec import PLAIN, RANDOM, Cell, SweepSpec

if TYPE_CHECKING:
    from ..training.spec.spec import RunSpec

WAITING = "waiting"  # the state of a cell no run of which was ever started
_CLOSE = 0.005  # two controls whose shares differ by less are one


@dataclass(frozen=True)
class Control:
    """What a setting hides on these rows, and the ratio at which `random` hides as much."""

    realised: float
    ratio: float


@dataclass(frozen=True)
class Sweep:
    """A sweep that was asked for; `controls` is by setting (strategy, operator, ratio)."""

    id: str
    folder: Path
    spec: SweepSpec
    controls: Mapping[tuple[str, str, float | None], Control]

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell, controls included, seed by seed, none twice."""
        cells: dict[tuple[Any, ...], Cell] = {}
        for cell in self.spec.grid():
            cells.setdefault((*cell.setting, cell.seed), cell)
        for seed in range(self.spec.seeds):
            for (_, operator, _), control in self.controls.items():
                own = Cell(RANDOM, operator, control.ratio, seed, "control")
                cells.setdefault((*own.setting, seed), own)
        return tuple(sorted(cells.values(), key=lambda cell: cell.seed))

    def control_of(self, cell: Cell) -> tuple[str, str, float | None] | None:
        """Return the setting of the random control of a cell; None where it needs none."""
        found = self.controls.get(cell.setting)
        return (RANDOM, cell.operator, found.ratio) if found else None

    def runs(self) -> dict[Cell, Run | None]:
        """Return each cell's run as it is now; None where none was started."""
        known: dict[str, Run] = {}
        newest = last_change(self.spec.base)
        for run in reversed(list_runs()):  # oldest first: a newer one takes its place
            key = key_of_run(run.id)
            if key and run.created >= newest and _better(run, known.get(key)):
                known[key] = run
        return {cell: known.get(spec_key(cell.spec(self.spec.base))) for cell in self.cells}

    def states(self) -> dict[Cell, str]:
        """Return each cell's state: that of its run, or `waiting`."""
        return {cell: run.state if run else WAITING for cell, run in self.runs().items()}


def _better(run: Run, other: Run | None) -> bool:
    rank = {"done": 2, "running": 1, "queued": 1}
    return other is None or rank.get(run.state, 0) >= rank.get(other.state, 0)


def last_change(base: RunSpec) -> float:
    """Return when the data or the weights last changed: an older run belongs to other data."""
    from ..models.locate import locate

    data = Path(base.data.path)
    times = [data.stat().st_mtime] if data.is_file() else []
    folder = Path(locate(base.model))
    if folder.is_dir():
        times += [file.stat().st_mtime for file in folder.glob("*.safetensors")]
    return max(times, default=0.0)


def spec_key(spec: RunSpec) -> str:
    """Return what tells two runs apart, their names aside."""
    table = spec.to_dict()
    table.pop("name", None)
    return json.dumps(table, sort_keys=True, default=list)


@lru_cache(maxsize=4096)
def key_of_run(run_id: str) -> str:
    """Return the key of a run; its spec never changes. Empty where it cannot be read any more."""
    from ..errors import MaskvizError
    from ..training.spec.spec import RunSpec

    try:
        return spec_key(RunSpec.from_file(run_folder(run_id) / "spec.toml"))
    except MaskvizError:
        return ""


def sweeps_home() -> Path:
    """Return the folder that holds the sweeps."""
    folder = home() / "sweeps"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def start(spec: SweepSpec, engine: str = "local") -> Sweep:
    """Keep the sweep, measure its controls and queue every cell that is not finished.

    The same spec gives the same sweep, and the call goes on with it. Raises what a run would.

    >>> start(SweepSpec(strategies=("entity",), seeds=2)).cells        # doctest: +SKIP
    (Cell(strategy='none', ...), ...)
    """
    engines.engine(engine)  # a name that is none is said before anything is measured
    sweep = plan(spec)
    advance(sweep, engine)
    return sweep


def plan(spec: SweepSpec) -> Sweep:
    """Keep the sweep and measure its controls; nothing is started."""
    from ..training.check import preflight

    spec = replace(spec, base=absolute(spec.base))
    folder = sweeps_home() / spec.id
    measured = read_json(folder / "controls.json").get("created")
    if not measured or measured <= last_change(spec.base):  # other rows hide another share
        for cell in spec.grid(1):
            preflight(cell.spec(spec.base))
        controls = [
            {"setting": list(setting), "realised": c.realised, "ratio": c.ratio}
            for setting, c in _controls(spec).items()
        ]
        write_atomic(folder / "sweep.toml", spec.to_toml())
        write_atomic(
            folder / "controls.json", json.dumps({"created": time.time(), "controls": controls})
        )
    return load_sweep(spec.id)


def absolute(base: RunSpec) -> RunSpec:
    """Return a spec whose files are named from the root: a sweep is read from anywhere."""
    model = Path(base.model).expanduser()
    named = str(model.resolve()) if os.sep in base.model and model.is_dir() else base.model
    return replace(base, data=base.data.located(Path.cwd()), model=named)


def _controls(spec: SweepSpec) -> dict[tuple[str, str, float | None], Control]:
    """Measure what each setting hides on the training rows; `random` needs no control."""
    from ..training.data.control import matching_ratio, realised_ratio
    from ..training.data.rows import load_rows

    train = load_rows(spec.base).train
    texts, read = train.texts, train.documents
    found: dict[tuple[str, str, float | None], Control] = {}
    shares: dict[tuple[str, float | None], float] = {}
    for cell in spec.grid(1):
        if cell.role != "grid" or cell.strategy == RANDOM:
            continue
        masking = cell.spec(spec.base).masking
        same = (cell.strategy, cell.ratio)  # whatever the operator
        if same not in shares:
            shares[same] = realised_ratio(masking, read, spec.base.model, spec.base.seed)
        near = [c for c in found.values() if abs(c.realised - shares[same]) < _CLOSE]
        ratio = near[0].ratio if near else matching_ratio(shares[same], texts)
        found[cell.setting] = Control(shares[same], ratio)
    return found


def watch(sweep: Sweep) -> None:
    """Start this machine's worker where cells wait or train and it is gone; it takes them over."""
    active = [run for run in sweep.runs().values() if run and not run.is_over]
    if any(run.engine == "local" for run in active) and not engines.worker_alive():
        engines.ensure_worker()


def advance(sweep: Sweep, engine: str = "local") -> list[Run]:
    """Queue the cells that have no run, resume those that failed or were cancelled."""
    engines.engine(engine)
    watch(sweep)
    moved = []
    for cell, run in sweep.runs().items():
        if run is None:
            spec = replace(cell.spec(sweep.spec.base), name=_name(sweep, cell))
            moved.append(submit(spec, engine))
        elif run.state in ("failed", "cancelled"):
            moved.append(resume(run.id))
    return moved


def _name(sweep: Sweep, cell: Cell) -> str:
    kind = "plain" if cell.strategy == PLAIN else cell.strategy
    share = "" if cell.ratio is None else f"-{1000 * cell.ratio:.0f}"
    stem = sweep.id.rpartition("-")[2]
    return f"{kind}{share}-s{cell.seed}-{stem}"


def cancel_sweep(sweep: Sweep) -> int:
    """Cancel the cells that wait or train; return how many. `advance` goes on with them."""
    from ..runs import cancel

    active = [run for run in sweep.runs().values() if run and not run.is_over]
    waiting_first = sorted(active, key=lambda run: run.state != "queued")
    for run in waiting_first:
        cancel(run.id)
    return len(active)


def load_sweep(sweep_id: str) -> Sweep:
    """Find a sweep by its id or an unambiguous beginning of it; raises RunError."""
    found = [p for p in _folders() if p.name.startswith(sweep_id)] if sweep_id else []
    exact = [p for p in found if p.name == sweep_id] or found
    if len(exact) != 1:
        many = f"{len(found)} sweeps begin with" if found else "There is no sweep"
        raise RunError(f"{many} {sweep_id[:80]!r}: 'maskviz sweep --list' shows those there are.")
    folder = exact[0]
    kept = read_json(folder / "controls.json")
    controls = {
        (c["setting"][0], c["setting"][1], c["setting"][2]): Control(c["realised"], c["ratio"])
        for c in kept["controls"]
    }
    return Sweep(folder.name, folder, SweepSpec.from_file(folder / "sweep.toml"), controls)


def _folders() -> Sequence[Path]:
    found = [path.parent for path in sweeps_home().glob("*/controls.json")]
    return sorted(found, key=lambda p: -read_json(p / "controls.json").get("created", 0.0))


def list_sweeps() -> list[Sweep]:
    """Return all sweeps, newest first."""
    return [load_sweep(folder.name) for folder in _folders()]


def wait_for(
    sweep: Sweep,
    listener: Callable[[dict[Cell, str]], None] | None = None,
    seconds: float = 7 * 24 * 3600,
    poll: float = 1.0,
) -> dict[Cell, str]:
    """Wait until no cell waits or trains; `listener` hears of each change of the states."""
    end, before = time.monotonic() + seconds, None
    while True:
        watch(sweep)
        states = sweep.states()
        if states != before and listener:
            listener(states)
        before = states
        if not set(ACTIVE) & set(states.values()) or time.monotonic() > end:
            return states
        time.sleep(poll)
