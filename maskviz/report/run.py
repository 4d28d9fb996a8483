"""The report on a fine-tune: what was hidden in training, and what the model learnt."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import RunError
from ..models.locate import public_name
from ..text.percent import percent
from ..training.folder import Run
from ..training.loop.grouped import group_rows
from .charts import intervals, lines, table
from .document import Report, Section, escape


def run_report(run: Run) -> Report:
    """Return the report on a run that is done. Raises RunError for one that is not."""
    if run.state != "done":
        raise RunError(
            f"The run {run.id!r} is {run.state}: a report needs one that is done; 'maskviz runs "
            "list' shows which are."
        )
    result, spec = run.result, run.spec
    return Report(
        title=f"Fine-tune {run.id}",
        finding=result["finding"],
        sections=[
            Section("What was done?", _done(run, result)),
            Section("What was hidden in training?", _hidden(run, result)),
            Section("What came out?", _out(result)),
            *_groups(result),
            Section("How did it go?", _curves(run.history)),
        ],
        sure=_sure(result),
        settings={
            "model": public_name(spec.model), "data": Path(spec.data.path).name,
            "masking": str(spec.masking), "seed": spec.seed, "steps": result["steps"],
            "learning rate": spec.training.learning_rate,
            "batch": spec.training.per_device_train_batch_size,
            "device": f"{result['device']}, {result['precision']}", "maskviz": __version__,
        },
        commands=["# spec.toml", *_shareable(spec).splitlines(), "", "maskviz train spec.toml"],
    )  # fmt: skip


def _shareable(spec: Any) -> str:
    from ..training.model.card import shareable

    return shareable(spec).to_toml()


def _done(run: Run, result: Mapping[str, Any]) -> str:
    spec = run.spec
    minutes = result["seconds"] / 60
    texts, steps = result["train_rows"], result["steps"]
    chance = ""
    if spec.kind == "single_label_classification":
        right = percent(result["majority"], 1)
        chance = f" Always giving the most frequent answer would be right in {right} of those."
    return (
        f"<p>The model “{escape(public_name(spec.model))}” was shown {texts:,} "
        f"text{'s' * (texts != 1)}, each with what is to be learned of it, in {steps:,} small "
        f"step{'s' * (steps != 1)} ({minutes:.1f} minutes), and then asked about texts it had not "
        f"seen.{chance}</p>"
    )


def _hidden(run: Run, result: Mapping[str, Any]) -> str:
    masking = run.spec.masking
    if not masking.active:
        return "<p>Nothing: the model read every word. It is the baseline for others.</p>"
    if masking.dynamic:
        how = (
            "anew each time a text was shown: a word that was hidden once may have been in sight "
            "at other times"
        )
    else:
        how = "once for each text: in training the model did not see them"
    return (
        f"<p>{percent(result['realised_ratio'], 1)} of the words, chosen by the strategy "
        f"“{escape(masking.named)}”, {how}.</p>"
    )


_READ = {"plain": "texts as they are", "masked": "with words hidden"}


def _out(result: Mapping[str, Any]) -> str:
    rows = [r for r in result["evaluations"] if "accuracy" in r]
    if not rows:
        return f"<p>{escape(result['finding'])}</p>"
    marks = {"plain": "plain", "masked": "masked"}
    shown = [
        (
            f"{row['split']}: {_READ.get(row['mask'], row['mask'])}", row["accuracy"],
            *_within(row),
            marks.get(row["mask"], "chance"),
        )
        for row in rows
    ]  # fmt: skip
    chart = intervals(shown, "Share of right answers")
    listed = table(
        ("texts", "input", "rows", "right answers", "95 %"),
        [
            (
                r["split"],
                _READ.get(r["mask"], r["mask"]),
                f"{r['rows']:,}",
                percent(r["accuracy"], 1),
                _between_shares(_within(r)),
            )
            for r in rows
        ],
    )
    return f"<p>Share of right answers on texts the model had not seen.</p>{chart}{listed}"


def _groups(result: Mapping[str, Any]) -> list[Section]:
    """Return a section on the groups of the rows, where columns name them."""
    rows = group_rows(result)
    if not rows:
        return []
    listed = table(
        ("texts", "input", "group", "rows", "right answers", "95 %"),
        [
            (
                row.split, _READ.get(row.mask, row.mask), row.group, row.rows or "",
                percent(row.accuracy, 1), _between_shares(row.ci95 or (math.nan, math.nan)),
            )
            for row in rows
        ],
    )  # fmt: skip
    notes = "".join(f"<li>{escape(note)}</li>" for note in result.get("notes", ()))
    picked = "<p>The worst is picked by its figure, so it looks worse than it is.</p>"
    return [Section("Whom does it fail?", f"{listed}{picked}<ul>{notes}</ul>")]


def _within(row: Mapping[str, Any]) -> tuple[float, float]:
    """Return the interval of an accuracy; Wilson's also of runs that kept half a width alone."""
    from ..shares import wilson

    if "ci95_low" in row:
        return row["ci95_low"], row["ci95_high"]
    if row["rows"] < 2:
        return math.nan, math.nan
    return wilson(round(row["accuracy"] * row["rows"]), row["rows"])


def _between_shares(interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{percent(low, 1)} to {percent(high, 1)}" if low == low else "none: one row"


def _curves(history: Sequence[Mapping[str, Any]]) -> str:
    series = []
    for name in ("plain", "masked"):
        points = [
            (float(line["step"]), float(line[f"{name}_accuracy"]))
            for line in history
            if line.get(f"{name}_accuracy") is not None
        ]
        if points:
            series.append((name, name, points))
    return lines(series, "Right answers while training", "step")


def _between(fewest: int, most: int) -> str:
    return f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"


def _sure(result: Mapping[str, Any]) -> str:
    rows = [r["rows"] for r in result["evaluations"]]
    texts = f"{_between(min(rows), max(rows))} text{'s' * (max(rows) != 1)}"
    bars = (
        "; the bar around it (Wilson's) holds the true value in about 95 of 100 such measurements, "
        "as far as the choice of texts goes"
        if any("accuracy" in r for r in result["evaluations"]) and max(rows) > 1
        else ""
    )
    return (
        f"Each figure comes from {texts}{bars}. It is one run with one seed: another seed gives "
        "other figures. A sweep over five seeds says how much."
    )
