"""The command bench distraction: irrelevant sentences, and what cures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import common
from .bench import bench_app, say, verdict_lines

if TYPE_CHECKING:
    from ..evidence.distraction.result import Distraction, Figure


@bench_app.command("distraction")
def distraction_command(
    quick: Annotated[
        bool, typer.Option("--quick", help="2 seeds and 90 steps: minutes, and no verdict.")
    ] = False,
    model: Annotated[
        str, typer.Option("--model", "-m", help="A decoder with a chat template.")
    ] = "mini-chat",
    seeds: Annotated[
        int | None, typer.Option("--seeds", help="At least 2; a verdict from 5 on.")
    ] = None,
    rows: Annotated[int | None, typer.Option("--rows", help="To train on.")] = None,
    tests: Annotated[int | None, typer.Option("--tests", help="Questions of a test.")] = None,
    steps: Annotated[int | None, typer.Option("--steps", help="Of 16 rows each.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak learning rate.")] = None,
    operator: Annotated[
        str, typer.Option("--operator", "-o", help="How masks hide: delete or attention.")
    ] = "delete",
    arms: Annotated[
        str,
        typer.Option(
            "--arms",
            help="Some of base,masked,plain,random,sentence,oracle,reasoned,"
            "thought,instruction,inoculation.",
        ),
    ] = "",
    processes: Annotated[
        int, typer.Option("--processes", min=0, help="Cells side by side; 0 is one per core.")
    ] = 0,
    as_json: common.Json = False,
) -> None:
    """Ask questions beside irrelevant sentences, and see which tuning lets a model ignore them.

    Cells that are finished are kept: an interrupted experiment goes on where it stopped.
    """
    from ..evidence.distraction.distraction import distraction
    from ..evidence.distraction.experiment import QUICK, Experiment, usual_arms

    given = {
        "seeds": seeds, "rows": rows, "tests": tests, "steps": steps,
        "learning_rate": learning_rate,
    }  # fmt: skip
    values: dict[str, Any] = {**QUICK} if quick else {}
    values |= {name: value for name, value in given.items() if value is not None}
    chosen = tuple(a.strip() for a in arms.split(",") if a.strip()) or usual_arms(model)
    experiment = Experiment(model=model, operator=operator, arms=chosen, **values)
    result = distraction(experiment, say, processes)
    common.show(result.to_dict(), as_json, "\n".join(_lines(result)))


def _lines(result: Distraction) -> list[str]:
    from ..evidence.distraction.experiment import COUNTS

    lines = [result.finding, ""]
    for name, digits, scale in (("accuracy", 0, 100), ("log_p", 2, 1)):
        said = "percent right" if name == "accuracy" else "ln p of the right answer"
        lines.append(f"{said:<26}" + "".join(f"{f'k = {k}':>18}" for k in COUNTS))
        for arm, figures in result.arms.items():
            for shown in ("irrelevant", "filler", "masked"):
                if f"{name}_{shown}_0" in figures:
                    points = [figures[f"{name}_{shown}_{k}"] for k in COUNTS]
                    cells = (f"{_shown(p, digits, scale):>18}" for p in points)
                    lines.append(f"{arm:<10}{_BESIDE[shown]:<16}" + "".join(cells))
        lines.append("")
    for arm, figures in result.arms.items():
        slope, control = (figures[f"slope_accuracy{more}"] for more in ("", "_filler"))
        lines.append(
            f"{arm:<10}slope {_shown(slope, 2, 100)} points a sentence, of filler "
            f"{_shown(control, 2, 100)}; cost {_shown(figures['cost'], 1, 100)}"
        )
    asked = result.experiment
    lines += [
        "",
        f"means over {asked.seeds} seeds with 95 % intervals; {len(result.arms) * asked.seeds} "
        f"cells, {result.seconds / 60:.1f} minutes now",
        "",
    ]
    return lines + verdict_lines(result.verdicts)


_BESIDE = {"irrelevant": "", "filler": "beside filler", "masked": "hidden at test"}


def _shown(figure: Figure, digits: int, scale: int) -> str:
    mean, low, high = (f"{scale * value:.{digits}f}" for value in figure)
    return f"{mean} [{low}, {high}]" if low != "nan" else mean
