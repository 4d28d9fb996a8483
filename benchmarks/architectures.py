"""On how many of transformers' text architectures is every number right, or refused?

    python benchmarks/architectures.py                       # all, 4 to 8 minutes on one core
    python benchmarks/architectures.py --only bert,llama     # some
    python benchmarks/architectures.py --variants            # published settings, scaled down
    python benchmarks/architectures.py --train               # two steps of a run each
    python benchmarks/architectures.py --only bert --out found.json --write

Makes a tiny random model of each text architecture that transformers has a masked, a causal or an
encoder–decoder language model or a classifier of, drives maskviz over it, and compares with passes
by transformers alone (eager, float32): attention, one head's numbers, hidden words, matrices,
guesses, labels, batches, explanations, training. What maskviz refuses in one sentence counts as
refused, another exception as a crash. The last line is `N of M … right, W wrong, C crashed`.

--out FILE keeps what was found, beside what FILE already holds; --write makes the page
docs/architectures.md of it. MASKVIZ_HOME says where runs and checks are kept.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.families import answers, roster, scores, seen, table, tuned  # noqa: E402
from benchmarks.families.checks import checked  # noqa: E402
from benchmarks.families.marks import CRASH, NONE, REFUSED, RIGHT, WRONG, Report  # noqa: E402
from benchmarks.families.variants import VARIANTS  # noqa: E402

__all__ = ["answers", "main", "scores", "seen"]  # importing them registers their checks
Found = tuple[str, str, Report]


def architectures(only: set[str], folder: Path) -> Iterator[Found]:
    """Yield name, head and report of each architecture with each of its heads."""
    for name in roster.architectures():
        for head in roster.heads_of(name) if not only or name in only else ():
            yield name, head, checked(name, head, answers.folder_of(folder, name, head), {})


def variants(only: set[str], folder: Path) -> Iterator[Found]:
    """Yield name, head and report of each published setting."""
    for label, name, head, given in VARIANTS:
        if not only or name in only:
            slug = "".join(filter(str.isalnum, label))  # what maskviz keeps goes by folder
            yield label, head, checked(name, head, answers.folder_of(folder, slug, head), given)


def training(only: set[str], folder: Path) -> Iterator[Found]:
    """Yield name, head and report of each run."""
    for name, head in tuned.RUNS:
        if not only or name in only:
            yield name, head, tuned.train_one(name, head, folder)


GROUPS = {"architectures": architectures, "variants": variants, "training": training}


def said(label: str, head: str, seconds: float, report: Report) -> str:
    """Return what is printed of an architecture with a head."""
    bad = {name: mark for name, mark in report.marks.items() if mark != RIGHT}
    marks = " ".join(f"{name}={mark}" for name, mark in bad.items() if mark != NONE) or "all right"
    notes = [
        f"      {name} · {note}"
        for name, mark in bad.items()
        for note in report.notes.get(name, [])[-1:]
        if mark in (REFUSED, WRONG, CRASH) or name == "built"
    ]
    return "\n".join([f"{label:28} {head} {seconds:5.1f}s {marks}", *notes])


def run(group: str, only: set[str], folder: Path) -> dict[str, dict[str, Any]]:
    """Run one group of checks; return label → head → marks and notes."""
    found: dict[str, dict[str, Any]] = {}
    before = time.monotonic()
    for label, head, report in GROUPS[group](only, folder):
        found.setdefault(label, {})[head] = asdict(report)
        print(said(label, head, time.monotonic() - before, report), flush=True)
        before = time.monotonic()
    return found


def main() -> None:
    """Run the sweep, keep and write what was found; exit 1 where something is wrong or crashed."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--only", default="", help="architectures, with commas between")
    asked.add_argument("--variants", action="store_true", help="published settings")
    asked.add_argument("--train", action="store_true", help="two steps of training")
    asked.add_argument("--out", type=Path, help="a JSON file that keeps what was found")
    asked.add_argument("--write", action="store_true", help="write docs/architectures.md of --out")
    given = asked.parse_args()
    _quiet()
    group = "variants" if given.variants else "training" if given.train else "architectures"
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("MASKVIZ_HOME", str(Path(folder) / "home"))
        found = run(group, set(filter(None, given.only.split(","))), Path(folder))
    kept = json.loads(given.out.read_text()) if given.out and given.out.exists() else {}
    kept[group] = {**kept.get(group, {}), **found}
    if given.out:
        given.out.write_text(json.dumps(kept, indent=1))
    if given.write:
        import transformers

        table.PAGE.write_text(table.page(kept, transformers.__version__), encoding="utf-8")
    end = table.counts(found, "settings" if group == "variants" else "architectures")
    print(end)
    sys.exit(" 0 wrong, 0 crashed" not in end)


def _quiet() -> None:
    import torch
    import transformers

    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


if __name__ == "__main__":
    main()
