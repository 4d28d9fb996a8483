"""The memory a run was estimated to take beside its measured peak, kind by kind.

    python benchmarks/memory.py                       # about two minutes on 2 idle cores

Each run has a process of its own, as a worker gives it, takes a few steps, evaluates and saves.
The peak is what the system says of that process; on a GPU what torch says.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

WITHIN = 0.25
STEPS = 4
KINDS: dict[str, dict[str, Any]] = {
    "classification": {},
    "classification, long rows": {"path": "long.csv"},
    "classification, attribute": {"strategy": "attribute"},
    "classification, key": {"strategy": "key"},
    "classification, LoRA": {"path": "long.csv", "lora_r": 8},
    "classification, float32": {"path": "long.csv", "precision": "float32"},
    "classification, checkpointed": {"path": "long.csv", "gradient_checkpointing": True},
    "mlm": {"task": "mlm", "path": "long.csv"},
    "seq2seq": {"task": "seq2seq", "model": "mini-translate", "path": "pairs.csv",
                "operator": "placeholder"},
    "seq2seq, LoRA": {"task": "seq2seq", "model": "mini-translate", "path": "pairs.csv",
                      "operator": "placeholder", "lora_r": 8},
}  # fmt: skip
_TRAIN = (
    "import sys; from pathlib import Path; from maskviz.training.loop.execute import execute;"
    "execute(Path(sys.argv[1]))"
)


NEEDS = {"strategy": "spacy", "lora_r": "peft"}  # by the setting that asks for it


def possible(kind: str) -> bool:
    """Tell whether what a kind of run needs is installed; say so where it is not."""
    missing = [NEEDS[name] for name in KINDS[kind] if name in NEEDS and not find_spec(NEEDS[name])]
    if missing:
        print(f"{kind:<30}needs {missing[0]}, which is not installed")
    return not missing


def write_tables(folder: Path) -> None:
    """Write rows of about ten sentences, and pairs of a sentence and what to write."""
    from maskviz.data import make_example

    frame = make_example(1000, 0, 0.9, "name")
    texts, labels = frame["text"].tolist(), frame["label"].tolist()
    with (folder / "long.csv").open("w", newline="") as file:
        rows = [(" ".join(texts[i : i + 10]), labels[i]) for i in range(0, 1000, 5)]
        csv.writer(file).writerows([("text", "label"), *rows])
    with (folder / "pairs.csv").open("w", newline="") as file:
        rows = list(pairwise(texts[:201]))
        csv.writer(file).writerows([("text", "target"), *rows])


def measure(folder: Path, kind: str, batch: int) -> tuple[float, float]:
    """Return the estimate and the measured peak of one kind of run, in GB."""
    from maskviz.training import RunSpec
    from maskviz.training.estimate import estimate
    from maskviz.training.folder import new_folder, read_json

    values = {"strategy": "random", "max_steps": STEPS, "max_rows": 300, **KINDS[kind]}
    if "path" in values:
        values["path"] = str(folder / values["path"])
    spec = RunSpec.build(per_device_train_batch_size=batch, eval_steps=STEPS, **values)
    run = new_folder(spec)
    subprocess.run([sys.executable, "-c", _TRAIN, str(run)], check=True)
    result = read_json(run / "result.json")
    if not result:
        raise SystemExit(f"{kind}: {read_json(run / 'status.json').get('outcome_reason')}")
    return float(estimate(spec).gigabytes or 0), result["peak_memory_bytes"] / 1e9


def main() -> None:
    """Measure and print; the exit status is 1 where an estimate is off by more than a quarter."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kinds", default="|".join(KINDS), help="with | between them")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as name:
        os.environ["MASKVIZ_HOME"] = name
        write_tables(Path(name))
        print(f"{'batch ' + str(options.batch):<30}{'estimate':>9}{'peak':>8} GB   off by")
        for kind in filter(possible, options.kinds.split("|")):
            expected, peak = measure(Path(name), kind, options.batch)
            found[kind] = {"estimate": expected, "peak": peak}
            off = expected / peak - 1
            print(f"{kind:<30}{expected:9.2f}{peak:8.2f}      {off:+.0%}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))
    sys.exit(int(any(abs(f["estimate"] / f["peak"] - 1) > WITHIN for f in found.values())))


if __name__ == "__main__":
    main()
