"""From a DataSpec to rows: what to train on, what to evaluate on, and what was left out."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ..data import Selection, guess_columns, iter_rows, make_example, select
from ..errors import DataError
from .spec import EXAMPLE, RunSpec

if TYPE_CHECKING:
    import pandas as pd

DEV_NAMES = ("dev", "validation", "valid", "val", "eval")
EXAMPLE_ROWS = 2000
CURVE_ROWS = 256  # evaluated while training; the end evaluates all


@dataclass(frozen=True)
class Part:
    """Texts and the index of each one's label."""

    texts: tuple[str, ...]
    labels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def sample(self, count: int) -> Part:
        """Return at most `count` rows, always the same ones, drawn whatever order they are in."""
        if count >= len(self):
            return self
        rng = random.Random(0)  # noqa: S311 - a fixed choice, no secret
        rows = sorted(sorted(range(len(self)), key=lambda _: rng.random())[:count])
        return Part(tuple(self.texts[i] for i in rows), tuple(self.labels[i] for i in rows))


@dataclass(frozen=True)
class Rows:
    """What a run learns from and is measured on.

    evaluation: the first part is the one followed while training, by default `dev`.
    notes: one sentence for each thing that was left out or chosen.
    """

    train: Part
    evaluation: Mapping[str, Part]
    label_names: tuple[str, ...]
    notes: tuple[str, ...] = ()


def load_rows(spec: RunSpec) -> Rows:
    """Read and check the data of a run; raises DataError with what to do."""
    frame = read_frame(spec)
    text, label = columns(spec, frame)
    if spec.task == "mlm" and not label:
        frame, label = frame.assign(**{"no label": "text"}), "no label"
    selection = _chosen(frame, text, label, spec.task)
    names = selection.label_names
    parts = _parts(selection, frame, spec)
    if spec.data.eval_path:
        parts = {"train": _whole(selection, names), **_own_evaluation(spec, text, label, names)}
    train = parts.pop("train")
    return Rows(train, parts, names, selection.notes)


def read_frame(spec: RunSpec) -> pd.DataFrame:
    """Return the table of a run, at most `max_rows` of it."""
    import pandas as pd

    data = spec.data
    if data.path == EXAMPLE:
        return make_example(data.max_rows or EXAMPLE_ROWS, 0, data.strength, data.kind)
    rows = iter_rows(data.path)
    frame = pd.DataFrame.from_records(list(islice(rows, data.max_rows) if data.max_rows else rows))
    rows.close()
    if frame.empty:
        raise DataError(f"{Path(data.path).name!r} has a header and no rows: add some.")
    return frame


def columns(spec: RunSpec, frame: pd.DataFrame) -> tuple[str, str | None]:
    """Return the text and the label column, asked for or guessed."""
    guess = guess_columns(frame)
    label = spec.data.label_column or guess.label
    if label is None and spec.task == "classification":
        listed = ", ".join(map(str, frame.columns))
        raise DataError(f"No column looks like a label: name one of {listed}.")
    return spec.data.text_column or guess.text, label


def _chosen(frame: pd.DataFrame, text: str, label: str, task: str) -> Selection:
    if task != "mlm":
        return select(frame, text, label)
    if text not in frame.columns:
        listed = ", ".join(map(str, frame.columns))
        raise DataError(f"There is no column {text!r}: choose one of {listed}.")
    kept = [(i, str(t).strip()) for i, t in enumerate(frame[text]) if t == t and str(t).strip()]
    if len(kept) < 2:
        raise DataError(f"The column {text!r} has {len(kept)} texts and training needs 2 or more.")
    rows, texts = zip(*kept, strict=True)
    left = len(frame) - len(kept)
    notes = (f"{left} rows without {text!r} are left out.",) if left else ()
    return Selection(tuple(texts), ("text",) * len(texts), tuple(rows), notes)


def _whole(selection: Selection, names: Sequence[str]) -> Part:
    return _part(selection, names, range(len(selection.texts)))


def _part(selection: Selection, names: Sequence[str], rows: Sequence[int]) -> Part:
    number = {name: i for i, name in enumerate(names)}
    return Part(
        tuple(selection.texts[i] for i in rows),
        tuple(number[selection.labels[i]] for i in rows),
    )


def _parts(selection: Selection, frame: pd.DataFrame, spec: RunSpec) -> dict[str, Part]:
    """Split by the table's own `split` column, else at random within each label."""
    by_split: dict[str, list[int]] = {}
    if "split" in frame.columns:
        values = frame["split"].astype(str).str.strip().str.lower().tolist()
        for i, row in enumerate(selection.rows):
            by_split.setdefault(values[row], []).append(i)
    train = by_split.pop("train", None)
    if train is None:
        if spec.data.eval_path:
            return {}
        rows = _stratified(selection.labels, spec.data.eval_fraction, spec.seed)
        return {k: _part(selection, selection.label_names, v) for k, v in rows.items()}
    order = sorted(by_split, key=lambda name: (name not in DEV_NAMES, name))
    if not order and not spec.data.eval_path:
        raise DataError("The column 'split' says 'train' everywhere: mark some rows as 'dev'.")
    _all_labels(selection, train)
    splits = {"train": train, **{("dev" if n in DEV_NAMES else n): by_split[n] for n in order}}
    return {k: _part(selection, selection.label_names, v) for k, v in splits.items()}


def _all_labels(selection: Selection, train: Sequence[int]) -> None:
    missing = set(selection.labels) - {selection.labels[i] for i in train}
    if missing:
        raise DataError(
            f"The label {min(missing)!r} is missing from the split 'train': add or remove it."
        )


def _stratified(labels: Sequence[str], fraction: float, seed: int) -> dict[str, list[int]]:
    """Return row numbers: of each label `fraction`, at least one, goes to dev."""
    rng = random.Random(seed)  # noqa: S311 - a seeded stream, no secret
    by_label: dict[str, list[int]] = {}
    for i, label in enumerate(labels):
        by_label.setdefault(label, []).append(i)
    dev: set[int] = set()
    for rows in by_label.values():
        order = sorted(rows, key=lambda _: rng.random())
        dev.update(order[: max(1, round(fraction * len(rows)))])
    return {"train": [i for i in range(len(labels)) if i not in dev], "dev": sorted(dev)}


def _own_evaluation(
    spec: RunSpec, text: str, label: str, names: tuple[str, ...]
) -> dict[str, Part]:
    """Read the table that is only evaluated on."""
    import pandas as pd

    frame = pd.DataFrame.from_records(list(iter_rows(spec.data.eval_path)))
    for column in (text, label) if spec.task == "classification" else (text,):
        if column not in frame.columns:
            listed = ", ".join(map(str, frame.columns))
            raise DataError(f"The evaluation table has no column {column!r}, only {listed}.")
    if spec.task == "mlm":
        selection = _chosen(frame, text, "", "mlm")
        return {"dev": Part(selection.texts, (0,) * len(selection.texts))}
    cells = zip(frame[text].astype(str), frame[label].map(_as_label), strict=True)
    kept = [(t.strip(), v) for t, v in cells if t.strip() and v]
    unknown = sorted({v for _, v in kept} - set(names))
    if unknown or not kept:
        said = f"the label {unknown[0]!r}, which the training rows lack" if unknown else "no rows"
        raise DataError(f"The evaluation table has {said}: give a table of the same labels.")
    number = {name: i for i, name in enumerate(names)}
    return {"dev": Part(tuple(t for t, _ in kept), tuple(number[v] for _, v in kept))}


def _as_label(value: object) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()
