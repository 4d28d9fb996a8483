"""A file at a time through `maskviz compare --file`: rows a second, and memory that stays.

    python benchmarks/files.py --data reviews.parquet [--rows 1000 3000 10000] [--json]

For each number of rows a CSV is drawn at random from the table (rows are drawn again where it has
too few), and the command is run on it in a process of its own. Peak memory is that of the process,
as the system counted it. Budget: 10,000 rows in constant memory on 2 cores, no more than 1.25 ×
the peak of the fewest rows.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from maskviz.data import guess_columns, iter_rows, preview

GROWTH = 1.25


@dataclass(frozen=True)
class Trial:
    """One file: how long it took, what it took, and what the command found."""

    rows: int
    compared: int
    seconds: float
    cpu_seconds: float
    rows_per_second: float
    peak_mb: float
    load_average: float
    flip_rates: dict[str, float]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="table with texts and labels")
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 3000])
    parser.add_argument("--strategies", default="random,entity,attribute")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    columns = guess_columns(preview(options.data, rows=200))
    table = [(row[columns.text], row[columns.label]) for row in iter_rows(options.data)]
    trials = []
    for rows in options.rows:
        trials.append(measure(table, rows, options.strategies))
        if not options.json:
            print(line(trials[-1]), flush=True)
    constant = trials[-1].peak_mb <= GROWTH * trials[0].peak_mb
    if options.json:
        print(json.dumps({"trials": [asdict(t) for t in trials], "constant": constant}))
    else:
        print(f"constant memory: {constant}")


def measure(table: list[tuple[object, object]], rows: int, strategies: str) -> Trial:
    """Run the command on a file of so many rows."""
    drawn = np.random.default_rng(0).choice(len(table), rows, replace=rows > len(table))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "texts.csv")
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(("text", "label"))
            writer.writerows(table[i] for i in drawn)
        return run(path, rows, strategies)


def run(path: Path, rows: int, strategies: str) -> Trial:
    """Run the command in a process of its own and read what the system counted of it."""
    command = [
        sys.executable, "-m", "maskviz", "compare", "--file", str(path), "--text-column", "text",
        "--label-column", "label", "--strategy", strategies, "--json",
    ]  # fmt: skip
    begin = time.perf_counter()
    with (path.parent / "found.json").open("w+b") as found:
        process = subprocess.Popen(command, stdout=found)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"The command ended with {process.returncode}: {command}")
        found.seek(0)
        result = json.load(found)
    return Trial(
        rows, result["rows"], seconds, used.ru_utime + used.ru_stime, rows / seconds,
        used.ru_maxrss / 1024, os.getloadavg()[0],
        {name: s["flip_rate"] for name, s in result["strategies"].items()},
    )  # fmt: skip


def line(trial: Trial) -> str:
    """Return a trial as text."""
    return (
        f"{trial.rows:,} rows ({trial.compared:,} compared): {trial.seconds:,.0f} s, "
        f"{trial.rows_per_second:.1f} rows a second, {trial.cpu_seconds:,.0f} s of processor, "
        f"peak {trial.peak_mb:,.0f} MB, load {trial.load_average:.1f}"
    )


if __name__ == "__main__":
    main()
