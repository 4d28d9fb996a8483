"""The commands bench: experiments that put a claim about masking to the test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ParameterError
from . import common

if TYPE_CHECKING:
    from ..evidence.cells import Progress
    from ..evidence.distractor.own import Own
    from ..evidence.distractor.result import Interference

bench_app = typer.Typer(no_args_is_help=True, help="Put claims about masking to the test.")
common.app.add_typer(bench_app, name="bench")


@bench_app.command("interference")
def interference_command(
    quick: Annotated[
        bool, typer.Option("--quick", help="600 rows and 60 steps: minutes on two cores.")
    ] = False,
    model: common.ModelName = "mini",
    kind: Annotated[
        str, typer.Option("--kind", help="What is planted: name, place, age or gender.")
    ] = "name",
    strength: Annotated[
        float, typer.Option("--strength", help="P(it goes with the label) in training.")
    ] = 0.95,
    noise: Annotated[
        float, typer.Option("--noise", help="Share of training labels that are turned.")
    ] = 0.25,
    seeds: Annotated[int, typer.Option("--seeds", help="How many, at least 2.")] = 5,
    rows: Annotated[int | None, typer.Option("--rows", help="To train on.")] = None,
    steps: Annotated[int | None, typer.Option("--steps", help="Of 32 rows each.")] = None,
    arms: Annotated[
        str, typer.Option("--arms", help="Some of plain,random,entity,attribute,key,oracle.")
    ] = "",
    keep_head: Annotated[
        bool, typer.Option("--keep-head", help="Start from the model's own classifier.")
    ] = False,
    processes: Annotated[
        int, typer.Option("--processes", min=0, help="Cells side by side; 0 is one per core.")
    ] = 0,
    data: Annotated[
        str, typer.Option("--data", help="A table of your own, in the place of the generated set.")
    ] = "",
    text_column: Annotated[str, typer.Option("--text-column", help="Of --data.")] = "",
    label_column: Annotated[
        str, typer.Option("--label-column", help="Of --data, with two labels.")
    ] = "",
    plant: Annotated[
        str,
        typer.Option(
            "--plant",
            help="In --data: name, place, age, gender, word:…, sentence:…, or a column that is "
            "tied to the label, where nothing is planted.",
        ),
    ] = "",
    place: Annotated[
        str, typer.Option("--place", help="Of --plant in a text: start, end or middle.")
    ] = "start",
    as_json: common.Json = False,
) -> None:
    """Plant a distractor, train with and without masks, and measure what hiding it wins back.

    Cells that are finished are kept: an interrupted experiment goes on where it stopped.
    """
    from ..evidence.distractor.experiment import QUICK, Experiment, arms_of
    from ..evidence.distractor.interference import interference

    small = QUICK if quick else {"rows": Experiment.rows, "steps": Experiment.steps}
    planted = _own(data, text_column, label_column, plant, place)
    chosen = tuple(a.strip() for a in arms.split(",") if a.strip()) or arms_of(planted)
    experiment = Experiment(
        model=model, kind=kind, strength=strength, noise=noise, seeds=seeds, fresh=not keep_head,
        rows=small["rows"] if rows is None else rows,
        steps=small["steps"] if steps is None else steps, arms=chosen, own=planted,
    )  # fmt: skip
    result = interference(experiment, say, processes)
    common.show(result.to_dict(), as_json, "\n".join(_lines(result)))


def say(progress: Progress) -> None:
    """Say on standard error which cell begins, and how long the rest may take."""
    left = progress.seconds_left
    more = "" if left is None else f", {left / 60:.0f} min left"
    said = f"{progress.cell} of {progress.cells}: {progress.arm}, seed {progress.seed}{more}"
    typer.echo(said, err=True)


def _own(data: str, text: str, label: str, plant: str, place: str) -> Own | None:
    """Return the distractor in a table of one's own, None where none is named."""
    if not data:
        if text or label or plant:
            raise ParameterError("--plant and its columns need --data: name the table.")
        return None
    if not (text and label and plant):
        raise ParameterError("--data needs --text-column, --label-column and --plant: name all.")
    from ..data.hub import resolve
    from ..evidence.distractor.own import own

    return own(str(resolve(data)), text, label, plant, place)


_COLUMNS = (
    ("aligned", ("accuracy_aligned",)),
    ("neutral", ("accuracy_neutral",)),
    ("reversed", ("accuracy_reversed",)),
    ("worst group", ("worst_group",)),
    ("reliance", ("reliance",)),
    ("recovery", ("recovery",)),
    ("leak, input", ("leakage_text", "leakage_text_chance")),
    ("leak, inside", ("leakage_representation", "leakage_representation_chance")),
)


def _lines(result: Interference) -> list[str]:
    from ..evidence.distractor.words import verdicts

    heads = [name for name, _ in _COLUMNS]
    rows = [
        [_shown([figures[key] for key in keys]) for _, keys in _COLUMNS]
        for figures in result.arms.values()
    ]
    widths = [max(map(len, column)) + 2 for column in zip(heads, *rows, strict=True)]
    lines = [result.finding, ""]
    for arm, row in zip(["arm", *result.arms], [heads, *rows], strict=True):
        cells = (f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
        lines.append(f"{arm:<10}" + "".join(cells))
    asked = result.experiment
    lines += [
        "",
        f"percent, means over {asked.seeds} seeds with 95 % intervals; leak: a probe's accuracy on "
        "what was planted, beside the same with shuffled labels",
        f"{len(result.arms) * asked.seeds} cells, {result.seconds / 60:.1f} minutes now",
        "",
    ]
    return lines + verdict_lines(verdicts(result))


def verdict_lines(verdicts: Sequence[tuple[str, bool | None, str]]) -> list[str]:
    """Return a line for each part of a claim: whether it holds, and its figures."""
    marks = {True: "holds", False: "does not", None: "untold"}
    return [f"{marks[held]:<8}  {claim}: {said}" for claim, held, said in verdicts]


def _shown(values: Sequence[tuple[float, float, float]]) -> str:
    """Return a figure with its interval, or a probe's accuracy beside that on shuffled labels."""
    mean, low, high = values[0]
    if mean != mean:
        return "–"
    if len(values) > 1:
        return f"{100 * mean:.0f} ({100 * values[1][0]:.0f})"
    return f"{100 * mean:.0f} [{100 * low:.0f}, {100 * high:.0f}]"


@bench_app.command("pretraining")
def pretraining_command(
    data: Annotated[str, typer.Option("--data", help="A table, or 'example'.")] = "example",
    model: common.ModelName = "mini",
    strategy: common.StrategyName = "random",
    ratio: Annotated[float, typer.Option("--ratio", "-r", help="Share hidden.")] = 0.25,
    steps: Annotated[int, typer.Option("--steps", help="Of the pre-training.")] = 200,
    tune_steps: Annotated[int, typer.Option("--tune-steps", help="Of each fine-tune.")] = 60,
    rows: Annotated[int, typer.Option("--rows", help="With labels, for the fine-tune.")] = 300,
    seeds: Annotated[int, typer.Option("--seeds", help="How many.")] = 3,
    as_json: common.Json = False,
) -> None:
    """Pre-train further on texts without labels, then fine-tune, with and without it.

    Every step is an ordinary run; one that is done is not run again.
    """
    from ..sweeps.pretraining import Pretraining, pretrain_and_tune
    from ..training import MaskingSpec, RunSpec

    base = RunSpec.build(
        path=data, model=model, strategy="none", max_steps=tune_steps, max_rows=rows
    )
    asked = Pretraining(base, MaskingSpec(strategy, ratio=ratio), steps=steps, seeds=seeds)
    found = pretrain_and_tune(asked, lambda said: typer.echo(said, err=True))
    common.show(found.to_dict(), as_json, found.finding)
