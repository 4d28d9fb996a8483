"""A tiny classifier and a table it can learn, for tests that train."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from maskviz.training import RunSpec
from tests.tiny_models import build

GOOD = ("loved", "great", "funny", "warm")
BAD = ("dull", "slow", "empty", "truly")
NAMES = ("Anna", "Paris")


def write_table(path: Path, rows: int = 96) -> Path:
    """Write a CSV whose label a few words decide, with a name in each row."""
    rng = random.Random(0)
    lines = ["text,label"]
    for i in range(rows):
        words = [*rng.sample(GOOD if i % 2 else BAD, 2), "the", "film", "story"]
        rng.shuffle(words)
        lines.append(f"{rng.choice(NAMES)} {' '.join(words)},{'good' if i % 2 else 'bad'}")
    path.write_text("\n".join(lines) + "\n")
    return path


def tiny_model(folder: Path) -> Path:
    """Write a BERT of two layers with a seed."""
    return build("bert", folder, id2label={0: "bad", 1: "good"}, label2id={"bad": 0, "good": 1})


def tiny_spec(folder: Path, **values: Any) -> RunSpec:
    """Return the spec of a run of some seconds; model and table are written where missing."""
    model, table = folder / "model", folder / "rows.csv"
    if not table.exists():
        tiny_model(model)
        write_table(table)
    defaults = {
        "model": str(model), "path": str(table), "device": "cpu", "precision": "float32",
        "learning_rate": 1e-2, "max_steps": 40, "per_device_train_batch_size": 8,
        "eval_fraction": 0.25, "logging_steps": 5, "save_steps": 5, "strategy": "random",
        "ratio": 0.2,
    }  # fmt: skip
    return RunSpec.build(**{**defaults, **values})
