"""What does a model lean on, in my data? One call over a labelled file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ...data.label_map import LabelMap
from ...models.model import Model
from ...readings.question import Question, Spec
from ..kept import file_said, kept
from ..on_ray import OnRay
from .measured import Measured
from .result import Shortcuts, Step
from .work import ShortcutWork

__all__ = ["Shortcuts", "shortcuts"]


def shortcuts(
    source: str | Path | bytes,
    *,
    text_column: str,
    label_column: str | None = None,
    model: Model | str | Question = "mini",
    operator: str = "mask",
    question: Spec = "labels",
    group_columns: Sequence[str] = (),
    irrelevant: Sequence[str] = (),
    patterns: Sequence[str] = (),
    cluster: str | None = None,
    conversations: bool = False,
    label_map: LabelMap | None = None,
    long: str = "cut",
    limit: int | None = None,
    seed: int = 0,
    name: str | None = None,
    engine: OnRay | None = None,
    keep: str | Path | None = None,
    each: Callable[[Measured], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
    note: Callable[[str], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Shortcuts:
    """Search a file for what the answers rest on, beyond what hiding as much elsewhere does.

    Candidates (strategies, attributes, entity types, parts of speech, `patterns` of your own and
    telling words) are chosen on one half of the rows; every figure is of the other. `irrelevant`
    names what should not count (`gender`, `PERSON`, `pos:ADJ`, `/regex/`, a word): found, it is
    called a shortcut. `group_columns`: for whom; `cluster`: the column with what rows share, which
    never lies in both halves; `label_map`, `engine`, `keep`: as of `compare_file`. `each` gets
    every measured row, `progress` the rows read and those to read, of both halves; where `stop`
    says so, the result is that of the rows so far. Raises DataError where a column is missing,
    ParameterError for a pattern that is none.
    """
    given: dict[str, Any] = {
        "text_column": text_column, "label_column": label_column, "model": model,
        "operator": operator, "question": question, "group_columns": group_columns,
        "irrelevant": irrelevant, "patterns": patterns, "cluster": cluster,
        "conversations": conversations, "label_map": label_map, "long": long, "limit": limit,
        "seed": seed, "name": name,
    }  # fmt: skip
    work = ShortcutWork(source, **given, engine=engine, note=note)
    for step in kept(work, Step, keep, {"file": file_said(source), **given}):
        if each and step.phase == "measure":
            for row in step.rows:
                each(row)
        if progress:
            progress(work.done, work.total)
        if stop and stop():
            break
    return work.result()
