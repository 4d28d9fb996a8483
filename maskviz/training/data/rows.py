"""From a DataSpec to rows: what to train on, what to evaluate on, and what was left out."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data import Selection, guess_columns, iter_rows, make_example, make_talks
from ...data.labels import label_columns
from ...errors import DataError
from ...text.document import Document
from ...text.span import Span
from ..spec.spec import CAUSAL, EXAMPLE, SINGLE, RunSpec
from .groups import group_notes, groups_of
from .marking import marks_of
from .spoken import Spoken, read_spoken
from .targets import Targets, cells, read_targets

if TYPE_CHECKING:
    import pandas as pd

DEV_NAMES = ("dev", "validation", "valid", "val", "eval")
EXAMPLE_ROWS, EXAMPLE_TALKS = 2000, 400
TARGET_NAMES = ("target", "summary", "translation", "output", "response", "answer", "y")
CURVE_ROWS = 256  # evaluated while training; the end evaluates all


@dataclass(frozen=True)
class Part:
    """Texts and what each is to teach: a class number, several as 0 and 1, a number or a text.

    groups: whom each row is about, where columns say so; else empty. marked: what a person
    marked in each text, where a column of the table says so.
    """

    texts: tuple[str, ...]
    labels: tuple[Any, ...]
    groups: tuple[str, ...] = ()
    marked: tuple[tuple[Span, ...], ...] | None = None

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def documents(self) -> list[str | Document]:
        """The texts as strategies read them: with their turns, and with what was marked in them."""
        if self.labels and isinstance(self.labels[0], Spoken):
            return [Document.of(row.conversation, marked=row.marked) for row in self.labels]
        if self.marked is None:
            return list(self.texts)
        pairs = zip(self.texts, self.marked, strict=True)
        return [Document(text, marked=marked) for text, marked in pairs]

    def sample(self, count: int) -> Part:
        """Return at most `count` rows, always the same ones, drawn whatever order they are in."""
        if count >= len(self):
            return self
        rng = random.Random(0)  # noqa: S311 - a fixed choice, no secret
        rows = sorted(sorted(range(len(self)), key=lambda _: rng.random())[:count])
        marked = None if self.marked is None else tuple(self.marked[i] for i in rows)
        groups = tuple(self.groups[i] for i in rows) if self.groups else ()
        texts, labels = tuple(self.texts[i] for i in rows), tuple(self.labels[i] for i in rows)
        return Part(texts, labels, groups, marked)


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

    def in_order(self, names: Sequence[str]) -> Rows:
        """Return the same with the classes numbered as in `names`, a model's own order."""
        if tuple(names) == self.label_names or set(names) != set(self.label_names):
            return self
        number = [list(names).index(name) for name in self.label_names]

        def moved(part: Part) -> Part:
            return replace(part, labels=tuple(number[label] for label in part.labels))

        parts = {name: moved(part) for name, part in self.evaluation.items()}
        return Rows(moved(self.train), parts, tuple(names), self.notes)


def load_rows(spec: RunSpec) -> Rows:
    """Read and check the data of a run; raises DataError with what to do."""
    frame = read_frame(spec)
    if spec.task == CAUSAL:
        return _spoken_rows(spec, frame)
    text, column = columns(spec, frame)
    targets = read_targets(frame, text, column, spec.kind)
    found = targets.selection
    targets = replace(targets, marked=marks_of(spec, frame, text, found.rows, found.texts))
    parts = _parts(targets, frame, spec, groups_of(spec, frame, found.rows))
    if spec.data.eval_path:
        own = _own_evaluation(spec, text, column, targets)
        parts = {"train": parts.get("train") or _part(targets, _all(targets)), **own}
    train = parts.pop("train")
    first = next(iter(parts.values()))
    notes = (*found.notes, *group_notes(spec, first.groups, first.labels, targets.names))
    return Rows(train, parts, targets.names, notes)


def _spoken_rows(spec: RunSpec, frame: pd.DataFrame) -> Rows:
    """Return the rows that a decoder learns from and is measured on."""
    import pandas as pd

    targets = read_spoken(spec, frame)
    parts = _parts(targets, frame, spec)
    if spec.data.eval_path:
        table = pd.DataFrame.from_records(list(iter_rows(spec.data.eval_path)))
        try:
            own = read_spoken(spec, table)
        except DataError as error:
            raise DataError(f"The evaluation table: {error}") from None
        whole = parts.get("train") or _part(targets, _all(targets))
        dev = _part(own, _all(own))
        dev = replace(dev, labels=tuple(replace(row, number=0) for row in dev.labels))
        parts = {"train": whole, "dev": dev}
    train = parts.pop("train")
    return Rows(train, parts, targets.names, targets.selection.notes)


def read_frame(spec: RunSpec) -> pd.DataFrame:
    """Return the table of a run, at most `max_rows` of it."""
    import pandas as pd

    data = spec.data
    if data.path == EXAMPLE:
        if spec.task == CAUSAL:
            return make_talks(data.max_rows or EXAMPLE_TALKS, 0)
        return make_example(data.max_rows or EXAMPLE_ROWS, 0, data.strength, data.kind)
    rows = iter_rows(data.path)
    frame = pd.DataFrame.from_records(list(islice(rows, data.max_rows) if data.max_rows else rows))
    rows.close()
    if frame.empty:
        raise DataError(f"{Path(data.path).name!r} has a header and no rows: add some.")
    return frame


def columns(spec: RunSpec, frame: pd.DataFrame) -> tuple[str, str | None]:
    """Return the column of the texts and that of what they teach, asked for or guessed."""
    guess = guess_columns(frame)
    text = spec.data.text_column or guess.text
    if spec.task == "mlm":
        return text, None
    if spec.task == "seq2seq":
        return text, spec.data.target_column or _guessed_target(frame, text)
    label = spec.data.label_column or guess.label
    if label is None:
        listed = ", ".join(map(str, frame.columns))
        raise DataError(f"No column looks like a label: name one of {listed}.")
    if text in label_columns(label, list(map(str, frame.columns))):
        alone = " The file has one alone: commas, semicolons, tabs or bars separate several."
        raise DataError(
            f"The column {text[:40]!r} cannot be both text and label: choose two columns."
            f"{alone if len(frame.columns) == 1 else ''}"
        )
    return text, label


def _guessed_target(frame: pd.DataFrame, text: str) -> str:
    names = {str(column).strip().lower(): column for column in frame.columns if column != text}
    found = next((names[name] for name in TARGET_NAMES if name in names), None)
    if found is None and len(names) == 1:
        found = next(iter(names.values()))
    if found is None:
        listed = ", ".join(map(str, frame.columns))
        raise DataError(f"No column looks like the text to write: name target_column of {listed}.")
    return found


def _all(targets: Targets) -> range:
    return range(len(targets.selection.texts))


def _part(targets: Targets, rows: Sequence[int], groups: Sequence[str] = ()) -> Part:
    selection = targets.selection
    return Part(
        tuple(selection.texts[i] for i in rows),
        tuple(targets.encode(selection.labels[i]) for i in rows),
        tuple(groups[i] for i in rows) if groups else (),
        None if targets.marked is None else tuple(targets.marked[i] for i in rows),
    )


def _parts(
    targets: Targets, frame: pd.DataFrame, spec: RunSpec, groups: Sequence[str] = ()
) -> dict[str, Part]:
    """Split by the table's own `split` column, else at random within each class."""
    selection = targets.selection
    by_split: dict[str, list[int]] = {}
    if "split" in frame.columns:
        values = frame["split"].astype(str).str.strip().str.lower().tolist()
        for i, row in enumerate(selection.rows):
            by_split.setdefault(values[row], []).append(i)
    train = by_split.pop("train", None)
    if train is None:
        if spec.data.eval_path:
            return {}
        strata = selection.labels if targets.by_class else ("",) * len(selection.texts)
        rows = _stratified(strata, spec.data.eval_fraction, spec.seed)
        return {k: _part(targets, v, groups) for k, v in rows.items()}
    order = sorted(by_split, key=lambda name: (name not in DEV_NAMES, name))
    if not order and not spec.data.eval_path:
        raise DataError("The column 'split' says 'train' everywhere: mark some rows as 'dev'.")
    if targets.by_class:
        _all_labels(selection, train)
    splits = {"train": train, **{("dev" if n in DEV_NAMES else n): by_split[n] for n in order}}
    return {k: _part(targets, v, groups) for k, v in splits.items()}


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
    spec: RunSpec, text: str, column: str | None, targets: Targets
) -> dict[str, Part]:
    """Read the table that is only evaluated on."""
    import pandas as pd

    frame = pd.DataFrame.from_records(list(iter_rows(spec.data.eval_path)))
    try:
        texts = cells(frame, text)
        found = targets.cells_of(frame, column) if column is not None else texts
    except DataError as error:
        raise DataError(f"The evaluation table: {error}") from None
    pairs = enumerate(zip(texts, found, strict=True))
    rows = [i for i, (t, c) in pairs if t and c not in (None, "")]
    kept = [(texts[i], found[i]) for i in rows]
    encoded = [targets.encode(cell) for _, cell in kept]
    unknown = sorted(str(c) for (_, c), value in zip(kept, encoded, strict=True) if value is None)
    if unknown or not kept:
        what = "label" if spec.kind == SINGLE else "value"
        lack = f"the {what} {unknown[0]!r}, which the training rows lack" if unknown else "no rows"
        raise DataError(f"The evaluation table has {lack}: give a table of the same labels.")
    said = tuple(t for t, _ in kept)
    marked = marks_of(spec, frame, text, rows, said)
    return {"dev": Part(said, tuple(encoded), groups_of(spec, frame, rows), marked)}
