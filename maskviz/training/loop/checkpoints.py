"""Checkpoints of a run: complete or absent, and only for the rows they were made from."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from ...errors import DataError
from ...paths import flush, write_atomic
from ..data.rows import Rows

_KEPT = "rows.json"  # in the run's folder


def publish(staged: Path, folder: Path) -> None:
    """Rename a finished checkpoint into place once it is on the disk."""
    flush(staged)
    target = folder / staged.name
    if target.exists():
        target.rename(staged.with_name("replaced"))
    staged.rename(target)


def checkpoints(folder: Path) -> list[Path]:
    """Return the complete checkpoints, oldest first."""
    found = [p for p in folder.glob("checkpoint-*") if (p / "trainer_state.json").is_file()]
    return sorted(found, key=step_of)


def step_of(checkpoint: Path) -> int:
    """Return the step that a checkpoint was written at.

    >>> step_of(Path("checkpoints/checkpoint-40"))
    40
    """
    return int(checkpoint.name.rpartition("-")[2])


def same_rows(folder: Path, rows: Rows, writes: bool = True) -> None:
    """Remember the rows of a run that begins; raise DataError where one goes on with others."""
    now = {"train_rows": len(rows.train), "fingerprint": fingerprint(rows)}
    kept = folder / _KEPT
    found = checkpoints(folder / "checkpoints")
    if found and kept.is_file():
        before = json.loads(kept.read_text(encoding="utf-8"))
        if before["fingerprint"] != now["fingerprint"]:
            raise DataError(
                f"The data has changed since {found[-1].name.replace('-', ' ')} of this run "
                f"({before['train_rows']:,} rows to train on then, {now['train_rows']:,} now): put "
                "the old table back and resume, or start a new run."
            )
    elif writes:
        write_atomic(kept, json.dumps(now))


def fingerprint(rows: Rows) -> str:
    """Return a hash of all texts and targets, in their order.

    >>> from .rows import Part
    >>> one, other = Part(("a", "b"), (0, 1)), Part(("ab", ""), (0, 1))
    >>> fingerprint(Rows(one, {}, ())) == fingerprint(Rows(other, {}, ()))
    False
    """
    digest = hashlib.blake2b(digest_size=16)
    for name, part in [("train", rows.train), *rows.evaluation.items()]:
        for told in (name, *part.texts, repr(part.labels)):
            data = told.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8))
            digest.update(data)
    return digest.hexdigest()
