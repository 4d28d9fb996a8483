"""From Start to the first optimiser step, by strategy, with a worker that is warm.

    python benchmarks/start.py                        # about a minute on 2 idle cores

What the Start button does: `runs.submit`. Counted until the run's status says that its first step
is done. The runs tune `mini` on the example set and are cancelled after that step.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

STRATEGIES = ("none", "random", "sentence", "entity", "pos", "attribute")
BUDGET = 1.5  # seconds
PATIENCE = 600.0  # seconds; a guard, not a measurement


def first_step(strategy: str, device: str) -> float:
    """Submit a run, wait for its first step, cancel it; return the seconds until the step."""
    from maskviz import runs
    from maskviz.training import RunSpec
    from maskviz.training.folder import read_json

    spec = RunSpec.build(strategy=strategy, max_steps=1000, device=device)
    began = time.perf_counter()
    run = runs.submit(spec)
    while not read_json(run.folder / "status.json").get("step"):
        if time.perf_counter() - began > PATIENCE or runs.load_run(run.id).is_over:
            raise SystemExit(f"No first step: {runs.load_run(run.id).reason or 'too slow'}")
        time.sleep(0.005)
    seconds = time.perf_counter() - began
    runs.cancel(run.id)
    runs.wait(run.id, PATIENCE)
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--strategies", default=",".join(STRATEGIES))
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="cpu")
    options = parser.parse_args()
    if not find_spec("sqlalchemy"):
        raise SystemExit("The queue of runs needs SQLAlchemy: pip install sqlalchemy.")
    with tempfile.TemporaryDirectory() as home:
        os.environ["MASKVIZ_HOME"] = home
        from maskviz.runs import engines
        from maskviz.training.folder import read_json, runs_home

        engines.ensure_worker()
        engines.wait_for_worker()
        first_step(
            "none", options.device
        )  # the worker says that it lives before it has imported everything
        print(f"Start to first step, seconds, {options.rounds} rounds; budget {BUDGET} s")
        for strategy in options.strategies.split(","):
            found = [first_step(strategy, options.device) for _ in range(options.rounds)]
            middle, worst = statistics.median(found), max(found)
            print(f"  {strategy:<12} median {middle:5.2f}   slowest {worst:5.2f}", flush=True)
        os.kill(read_json(Path(runs_home()) / "worker.json")["pid"], signal.SIGTERM)


if __name__ == "__main__":
    main()
