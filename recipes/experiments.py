"""Make the finished experiments that the Experiments page opens on.

    python recipes/experiments.py --out maskviz/assets/experiments

A sweep of four settings and three seeds on 300 rows of the example set, whose names go with the
label in training, 40 steps of `mini` each; its first plain run and its first one without names; and
three rounds of continued pre-training. Some ten minutes on two cores. Each command runs as a person
would give it, in an empty home; the command stands in the file beside what it printed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SWEEP = (
    "sweep --strategies attribute,random --ratios 0.15 --seeds 3 --max-steps 40 --set max_rows=300"
)
PRETRAINING = (
    "bench pretraining --data example --strategy random --ratio 0.25 --steps 40 "
    "--tune-steps 20 --rows 200 --seeds 3"
)
RUNS = {"plain": "plain-s0-", "attribute": "attribute-150-s0-"}  # name here → its own in the sweep
FILES = ("spec.toml", "metrics.jsonl", "answers.json")
STATE = ("state", "created", "started", "ended")
STATUS = ("metrics", "step", "steps", "seconds", "tokens_per_second", "device", "precision")


def asked(command: str, home: Path) -> dict:
    """Run a command of maskviz and return what it prints as JSON."""
    answer = subprocess.run(
        [sys.executable, "-m", "maskviz", *command.split(), "--json"],
        env={**os.environ, "MASKVIZ_HOME": str(home)},
        stdout=subprocess.PIPE,
        check=True,
    )
    found = json.loads(answer.stdout)
    found.pop("finding")  # the page says it anew, in the words of its version
    return {"command": f"maskviz {command}", **found}


def write(path: Path, value: object) -> None:
    """Write JSON that two makings of the same can be compared in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, separators=(",", ":")) + "\n", encoding="utf-8")


def keep_run(run: Path, name: str, out: Path) -> None:
    """Copy what the page shows of a run: no model, no log, nothing of the machine."""
    out.mkdir(parents=True, exist_ok=True)
    for file in FILES:
        shutil.copyfile(run / file, out / file)
    spec = (run / "spec.toml").read_text(encoding="utf-8").splitlines()
    spec[0] = f'name = "{name}"'
    (out / "spec.toml").write_text("\n".join(spec) + "\n", encoding="utf-8")
    for file, keys in (("state.json", STATE), ("status.json", STATUS)):
        found = json.loads((run / file).read_text(encoding="utf-8"))
        write(out / file, {key: found[key] for key in keys if key in found})


def main() -> None:
    """Run the commands and keep what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--home", type=Path, help="a home in which finished cells are read")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        home = options.home or Path(made)
        write(options.out / "sweep.json", asked(SWEEP, home))
        for name, prefix in RUNS.items():
            run = next(iter(sorted((home / "runs").glob(f"{prefix}*"))))
            keep_run(run, name, options.out / "runs" / name)
        write(options.out / "pretraining.json", asked(PRETRAINING, home))


if __name__ == "__main__":
    main()
