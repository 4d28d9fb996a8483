"""A file at a time: what each strategy changes over all its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..data.rows import iter_rows
from ..errors import DataError, MaskError, TextError
from ..masks.choose import mask as choose_mask
from ..masks.mask import Mask
from ..masks.operators import apply
from ..masks.registry import STRATEGIES
from ..models.model import Model, load_model
from ..models.predict import class_probabilities
from .statistics import bootstrap_interval, kl_divergence, mcnemar

_ROWS_AT_ONCE = 64


@dataclass(frozen=True)
class Effect:
    """What one strategy does to one row."""

    label: str
    delta: float  # p(masked) − p(plain) of the plain text's label
    flip: bool
    kl: float  # nats
    realised_ratio: float


@dataclass(frozen=True)
class RowResult:
    """One row: the plain answer, and the effect of each strategy. `row` counts from 1."""

    row: int
    text: str
    expected: str | None
    label: str
    probability: float
    effects: dict[str, Effect]

    def to_dict(self) -> dict[str, Any]:
        """Return one flat record, as a table shows it."""
        record: dict[str, Any] = {
            "row": self.row,
            "text": self.text,
            "expected": self.expected,
            "predicted": self.label,
            "probability": self.probability,
        }
        for name, effect in self.effects.items():
            record |= {f"{name}: {key}": value for key, value in asdict(effect).items()}
        return record


@dataclass(frozen=True)
class StrategyResult:
    """One strategy over all rows; accuracies, their test and interval are None without labels.

    delta_accuracy: masked − plain, with its 95 % paired bootstrap interval `ci95`.
    p_value: McNemar's exact test. flip_ci95: interval of the flip rate. mean_kl: nats.
    """

    rows: int
    flip_rate: float
    flip_ci95: tuple[float, float]
    accuracy_original: float | None
    accuracy_masked: float | None
    delta_accuracy: float | None
    ci95: tuple[float, float] | None
    p_value: float | None
    mean_kl: float
    realised_ratio: float


@dataclass(frozen=True)
class FileComparison:
    """What each strategy changes over a file; `notes` say what was left out."""

    rows: int
    model: str
    operator: str
    strategies: dict[str, StrategyResult]
    results: tuple[RowResult, ...] = field(repr=False)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values; the keys are the command line's."""
        return {
            "rows": self.rows,
            "model": self.model,
            "operator": self.operator,
            "strategies": {name: asdict(result) for name, result in self.strategies.items()},
            "notes": list(self.notes),
        }


def compare_file(
    source: str | Path | bytes,
    strategies: Iterable[str] | Mapping[str, Mapping[str, Any]],
    *,
    text_column: str,
    label_column: str | None = None,
    model: Model | str = "mini",
    operator: str = "mask",
    ratio: float | None = None,
    seed: int = 0,
    name: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> FileComparison:
    """Classify every row plain and masked by each strategy.

    `strategies` names them, or maps each to its parameters. `progress` is called with the rows
    done and may raise to stop. Rows without a word or a label, and rows a strategy hides whole,
    are left out and counted in `notes`. Raises DataError before anything runs where a column is
    missing or its labels are not the model's.
    """
    loaded = load_model(model)
    loaded.require("classify")
    asked = strategies if isinstance(strategies, Mapping) else {s: {} for s in strategies}
    if not asked:
        raise DataError("No strategy is chosen: name at least one, such as random,entity.")
    jobs = {key: _job(key, parameters, ratio, loaded) for key, parameters in asked.items()}
    skipped: dict[str, list[int]] = {}
    rows = _usable(iter_rows(source, name), text_column, label_column, loaded, skipped)
    results: list[RowResult] = []
    for chunk in _chunks(rows):
        results += _compare_chunk(chunk, jobs, loaded, operator, seed, skipped)
        if progress:
            progress(chunk[-1][0])
    if not results:
        raise DataError(
            f"No row of the file can be compared: {' '.join(_notes(skipped)) or 'it has no rows.'}"
        )
    labelled = label_column is not None
    return FileComparison(
        len(results),
        loaded.name,
        operator,
        {key: _summary(results, key, labelled) for key in jobs},
        tuple(results),
        tuple(_notes(skipped)),
    )


Job = Callable[[str, int], Mask]
Row = tuple[int, str, str | None]


def _job(strategy: str, parameters: Mapping[str, Any], ratio: float | None, model: Model) -> Job:
    """Return what masks one text; the strategy's own ratio counts for exhaustive ones."""
    entry = STRATEGIES[strategy]
    given = dict(parameters)
    if any(p.name == "model" for p in entry.parameters):
        given.setdefault("model", model.name)
    share = given.pop("ratio", None if entry.kind == "exhaustive" else ratio)
    return lambda text, seed: choose_mask(text, strategy, ratio=share, seed=seed, **given)


def _usable(
    rows: Iterable[dict[str, object]],
    text_column: str,
    label_column: str | None,
    model: Model,
    skipped: dict[str, list[int]],
) -> Iterator[Row]:
    match = label_matcher(model)
    for number, row in enumerate(rows, start=1):
        for column in filter(None, (text_column, label_column)):
            if column not in row:
                known = ", ".join(map(repr, row))
                raise DataError(f"There is no column {column!r}: choose one of {known}.")
        text, label = row[text_column], row[label_column] if label_column else None
        if not str(text or "").strip():
            skipped.setdefault("without text", []).append(number)
        elif label_column and not str("" if label is None else label).strip():
            skipped.setdefault("without a label", []).append(number)
        else:
            yield number, str(text), match(label, number) if label_column else None


def label_matcher(model: Model) -> Callable[[object, int], str]:
    """Return what turns a file's label into the model's: by name, or by its number.

    Raises DataError, with the labels the model knows, for any other value.
    """
    known = {name.casefold(): name for name in model.labels}
    known |= {str(i): name for i, name in enumerate(model.labels) if str(i) not in known}

    def match(value: object, row: int) -> str:
        text = str(int(value) if isinstance(value, float) and value.is_integer() else value)
        if text.strip().casefold() not in known:
            raise DataError(
                f"Row {row} has the label {text[:40]!r}, which the model {model.name!r} does not "
                f"know: its labels are {', '.join(model.labels)} (or 0 to "
                f"{len(model.labels) - 1}); choose another column or model."
            )
        return known[text.strip().casefold()]

    return match


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    from itertools import islice

    while chunk := list(islice(rows, _ROWS_AT_ONCE)):
        yield chunk


def _compare_chunk(
    chunk: list[Row],
    jobs: dict[str, Job],
    model: Model,
    operator: str,
    seed: int,
    skipped: dict[str, list[int]],
) -> list[RowResult]:
    kept, encodings, ratios = [], [], []
    for number, text, expected in chunk:
        try:
            masks = [job(text, seed) for job in jobs.values()]
            encodings_of_row = [
                apply(Mask(text), "mask", model),
                *(apply(m, operator, model) for m in masks),
            ]
        except TextError:
            skipped.setdefault("without a word", []).append(number)
        except MaskError:
            skipped.setdefault("of which nothing would be left", []).append(number)
        else:
            kept.append((number, text, expected))
            encodings += encodings_of_row
            ratios.append([m.realised_ratio for m in masks])
    if not kept:
        return []
    answers = class_probabilities(model, encodings).reshape(len(kept), 1 + len(jobs), -1)
    return [
        _row_result(row, answer, list(jobs), ratio, model)
        for row, answer, ratio in zip(kept, answers, ratios, strict=True)
    ]


def _row_result(
    row: Row, answers: Any, names: list[str], ratios: list[float], model: Model
) -> RowResult:
    plain, index = answers[0], int(answers[0].argmax())
    effects = {
        name: Effect(
            model.labels[int(masked.argmax())],
            float(masked[index] - plain[index]),
            bool(masked.argmax() != index),
            kl_divergence(plain, masked),
            ratio,
        )
        for name, masked, ratio in zip(names, answers[1:], ratios, strict=True)
    }
    return RowResult(*row, model.labels[index], float(plain[index]), effects)


def _summary(results: list[RowResult], name: str, labelled: bool) -> StrategyResult:
    import numpy as np

    effects = [r.effects[name] for r in results]
    flips = np.array([e.flip for e in effects], dtype=float)
    accuracy: tuple[Any, ...] = (None,) * 5
    if labelled:
        plain = np.array([r.label == r.expected for r in results], dtype=float)
        masked = np.array(
            [e.label == r.expected for e, r in zip(effects, results, strict=True)], float
        )
        lost, won = int((plain > masked).sum()), int((masked > plain).sum())
        accuracy = (
            float(plain.mean()),
            float(masked.mean()),
            float((masked - plain).mean()),
            bootstrap_interval(masked - plain),
            mcnemar(lost, won),
        )
    return StrategyResult(
        len(results),
        float(flips.mean()),
        bootstrap_interval(flips),
        *accuracy,
        float(np.mean([e.kl for e in effects])),
        float(np.mean([e.realised_ratio for e in effects])),
    )


def _notes(skipped: dict[str, list[int]]) -> list[str]:
    return [
        f"{len(rows)} row{'s' * (len(rows) > 1)} {why} left out: "
        f"{', '.join(map(str, rows[:8]))}{' …' if len(rows) > 8 else ''}."
        for why, rows in skipped.items()
    ]
