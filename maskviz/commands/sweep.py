"""The command sweep: a grid of fine-tunes as one object."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ParameterError
from . import common

if TYPE_CHECKING:
    from ..sweeps import Results, Sweep, SweepSpec


@common.app.command("sweep")
def sweep_command(
    source: Annotated[
        str | None, typer.Argument(help="A sweep in TOML, or the name of one that was started.")
    ] = None,
    strategies: Annotated[
        str, typer.Option("--strategies", "-s", help="With commas, such as random,attribute.")
    ] = "",
    operators: Annotated[str, typer.Option("--operators", "-o", help="With commas.")] = "",
    ratios: Annotated[
        str, typer.Option("--ratios", "-r", help="With commas; 0 leaves a strategy its own.")
    ] = "",
    seeds: Annotated[int | None, typer.Option("--seeds", help="How many, 0 to N − 1.")] = None,
    data: Annotated[str | None, typer.Option("--data", help="A table, or 'example'.")] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="The model to tune.")] = None,
    max_steps: Annotated[int | None, typer.Option(help="Steps of each run.")] = None,
    name: Annotated[str | None, typer.Option(help="A name for the sweep.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other setting of a run, such as --set max_rows=500."),
    ] = None,
    measure: Annotated[
        str, typer.Option("--measure", help="accuracy, macro-F1, reliance, loss, …")
    ] = "accuracy",
    engine: Annotated[str, typer.Option("--engine", help="local or ray.")] = "local",
    plan_only: Annotated[
        bool, typer.Option("--plan", help="Show the cells and start nothing.")
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Queue the runs and answer at once.")
    ] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel what is not finished.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="List the sweeps there are.")] = False,
    as_json: common.Json = False,
) -> None:
    """Train strategy × operator × ratio × seed, the plain baseline and a random control with them.

    The same command again goes on where it stopped; a finished cell is never run twice.
    """
    from .. import sweeps
    from ..runs import engines

    if listed:
        _show_list(sweeps.list_sweeps(), as_json)
        return
    _known_measure(measure)
    engines.engine(engine)
    flat = {"path": data, "model": model, "max_steps": max_steps, "name": name}
    grid = {"strategies": strategies, "operators": operators, "ratios": ratios, "seeds": seeds}
    sweep = _sweep(source, grid, flat, settings or [])
    if cancel:
        count = sweeps.cancel_sweep(sweep)
        said = {"sweep": sweep.id, "cancelled": count}
        common.show(said, as_json, f"{count} runs of {sweep.id} are cancelled.")
        return
    if plan_only:
        _show_plan(sweep, as_json)
        return
    sweeps.advance(sweep, engine)
    if not detach:
        _wait(sweep)
    _show(sweep, sweeps.results(sweep, measure), as_json)


def _known_measure(measure: str) -> None:
    from ..errors import UnknownNameError
    from ..sweeps.results import MEASURES

    if measure not in MEASURES:
        raise UnknownNameError.of("measure", measure, MEASURES)


def _sweep(
    source: str | None, grid: dict[str, Any], flat: dict[str, Any], settings: list[str]
) -> Sweep:
    """Return the sweep that is named, written in a file, or described by the options."""
    from ..sweeps import SweepSpec, load_sweep
    from ..sweeps.service import plan
    from .train import setting

    given = [k for k, v in {**grid, **flat}.items() if v not in (None, "")]
    is_file = source is not None and (source.endswith(".toml") or Path(source).is_file())
    if source is not None and not is_file:
        if given or settings:
            raise ParameterError(
                f"The sweep {source[:60]!r} has its settings: leave the options out, or start "
                "another."
            )
        return load_sweep(source)
    if source is None and not grid["strategies"]:
        raise ParameterError(
            "Nothing to sweep: give a TOML file, or --strategies such as random,attribute."
        )
    spec = SweepSpec.from_file(source) if source else SweepSpec()
    return plan(_changed(spec, grid, {**flat, **dict(setting(pair) for pair in settings)}))


def _changed(spec: SweepSpec, grid: dict[str, Any], flat: dict[str, Any]) -> SweepSpec:
    from dataclasses import replace

    from ..sweeps import SweepSpec
    from ..training.spec.spec import CAUSAL

    changes: dict[str, Any] = {"base": spec.base.changed(**flat)}
    if changes["base"].task == CAUSAL and spec == SweepSpec():
        changes["operators"] = ("delete",)  # a decoder has no mask token to put in a word's place
    for key in ("strategies", "operators"):
        if grid[key]:
            changes[key] = tuple(item.strip() for item in grid[key].split(",") if item.strip())
    if grid["ratios"]:
        changes["ratios"] = tuple(map(_ratio, grid["ratios"].split(",")))
    if grid["seeds"] is not None:
        changes["seeds"] = grid["seeds"]
    return replace(spec, **changes)


def _ratio(written: str) -> float | None:
    try:
        ratio = float(written)
    except ValueError:
        raise ParameterError(
            f"--ratios has {written.strip()[:40]!r}: give numbers from 0 to 1 with commas."
        ) from None
    return ratio or None


def _wait(sweep: Sweep) -> None:
    from ..sweeps import wait_for

    def say(states: dict[Any, str]) -> None:
        counts = Counter(states.values())
        order = ("done", "running", "queued", "failed", "cancelled")
        said = ", ".join(f"{counts[s]} {s}" for s in order if counts[s])
        typer.echo(f"{sweep.id}: {said} of {len(states)}", err=True)

    try:
        wait_for(sweep, say)
    except KeyboardInterrupt:
        typer.echo(
            f"\nThe runs go on without this window: 'maskviz sweep {sweep.id}' watches them again, "
            "with --cancel it stops them.",
            err=True,
        )


def _show(sweep: Sweep, found: Results, as_json: bool) -> None:
    from ..sweeps.written import number_said

    counts = Counter(sweep.states().values())
    document = {
        "sweep": sweep.id,
        "state": "done" if counts["done"] == len(sweep.cells) else _state(counts),
        "cells": len(sweep.cells),
        "states": dict(counts),
        "measure": found.measure,
        "results": [g.to_dict() for g in found.groups],
        "finding": found.finding,
    }
    lines = [found.finding, "", f"{'setting':<34}{'hidden':>8}{found.measure:>12}   95 % interval"]
    for g in found.groups:
        mean, low, high = (number_said(found.measure, value) for value in g.interval)
        figure = f"{mean}   {low} to {high}" if g.values else "–"
        lines.append(f"{g.name:<34}{g.realised:>8.1%}{'':>8}{figure}")
    lines += ["", f"{sweep.id}: {counts['done']} of {len(sweep.cells)} cells done"]
    common.show(document, as_json, "\n".join(lines))
    if counts["failed"]:
        failed = [run.reason for run in sweep.runs().values() if run and run.state == "failed"]
        typer.echo(f"maskviz: {counts['failed']} runs failed; the first: {failed[0]}", err=True)
        raise typer.Exit(1)


def _state(counts: Counter[str]) -> str:
    order = ("running", "queued", "waiting", "failed", "cancelled")
    return next(state for state in order if counts[state])


def _show_plan(sweep: Sweep, as_json: bool) -> None:
    states = sweep.states()
    cells = [
        {**vars(cell), "state": states[cell], "control": _control(sweep, cell)}
        for cell in sweep.cells
    ]
    lines = [
        f"{c.strategy:<14}{c.operator:<12}{'own' if c.ratio is None else c.ratio!s:<8}"
        f"seed {c.seed:<4}{c.role:<9}{states[c]}"
        for c in sweep.cells
    ]
    common.show({"sweep": sweep.id, "cells": cells}, as_json, "\n".join([*lines, "", sweep.id]))


def _control(sweep: Sweep, cell: Any) -> float | None:
    found = sweep.control_of(cell)
    return found[2] if found else None


def _show_list(found: list[Sweep], as_json: bool) -> None:
    rows = []
    for sweep in found:
        done = sum(state == "done" for state in sweep.states().values())
        rows.append({"sweep": sweep.id, "done": done, "cells": len(sweep.cells)})
    lines = [f"{r['sweep']:<48}{r['done']:>5} of {r['cells']}" for r in rows]
    common.show(rows, as_json, "\n".join(lines) or "There are no sweeps yet.")
