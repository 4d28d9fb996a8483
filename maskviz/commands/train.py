"""The command `train`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ParameterError
from ..training.folder import Run
from . import common
from .common import app, show

if TYPE_CHECKING:
    from ..training.spec.mask_spec import MaskingSpec


@app.command("train")
def train_command(
    spec_file: Annotated[Path | None, typer.Argument(help="A spec in TOML.")] = None,
    data: Annotated[
        str | None, typer.Option("--data", help="A table, or 'example' for the example set.")
    ] = None,
    text_column: Annotated[str | None, typer.Option(help="Column of the texts.")] = None,
    label_column: Annotated[
        str | None, typer.Option(help="Column of the labels, or one of 0 and 1 a label: a,b.")
    ] = None,
    target_column: Annotated[
        str | None,
        typer.Option(help="Column of what a seq2seq model is to write, or of answers to prompts."),
    ] = None,
    spans_column: common.SpansColumn = None,
    task: Annotated[
        str | None, typer.Option(help="classification, mlm, seq2seq or causal.")
    ] = None,
    problem_type: Annotated[
        str | None,
        typer.Option(
            help="Of a classification: single_label_classification, multi_label_classification "
            "or regression."
        ),
    ] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="The model to tune.")] = None,
    strategy: Annotated[
        str | None, typer.Option("--strategy", "-s", help="What to hide, or 'none'.")
    ] = None,
    operator: Annotated[str | None, typer.Option("--operator", "-o", help="How.")] = None,
    ratio: common.Ratio = None,
    types: common.Types = "",
    pattern: common.Pattern = "",
    words: common.Words = "",
    indices: common.Indices = "",
    by: common.By = "",
    key_data: Annotated[
        str, typer.Option("--key-data", help="What --data is to 'mask': the table of 'key'.")
    ] = "",
    threshold: common.Threshold = None,
    surprisal: common.Surprisal = None,
    pipeline: common.Pipeline = "",
    language: common.Language = "",
    tagger: common.Tagger = "",
    second: common.Second = None,
    second_seed: common.SecondSeed = 0,
    join: Annotated[str | None, common.JOIN] = None,
    complement: common.Complement = False,
    static: Annotated[
        bool, typer.Option("--static", help="Draw each mask once, not anew each epoch.")
    ] = False,
    loss_strategy: Annotated[
        str | None,
        typer.Option(help="What a decoder learns (task causal): role:assistant, last-turn, any."),
    ] = None,
    prompt_weight: Annotated[
        float | None, typer.Option(help="Weight with which a decoder learns prompts too, 0 to 1.")
    ] = None,
    epochs: Annotated[float | None, typer.Option(help="num_train_epochs.")] = None,
    max_steps: Annotated[int | None, typer.Option(help="Stop after so many steps.")] = None,
    max_minutes: Annotated[float | None, typer.Option(help="Stop after so many minutes.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="per_device_train_batch_size.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak learning rate.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of every random choice.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.")] = None,
    precision: Annotated[str | None, typer.Option(help="auto, float32 or bf16.")] = None,
    name: Annotated[str | None, typer.Option(help="A name for the run.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other setting, such as --set weight_decay=0.1."),
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Leave it to the worker and answer at once.")
    ] = False,
    engine: Annotated[
        str, typer.Option(help="local, or ray: an existing Ray cluster (MASKVIZ_HOME shared).")
    ] = "local",
    address: Annotated[
        str | None, typer.Option(help="Of the Ray cluster, by default http://127.0.0.1:8265.")
    ] = None,
    num_cpus: Annotated[float | None, typer.Option(help="CPUs of a run on Ray.")] = None,
    num_gpus: Annotated[float | None, typer.Option(help="GPUs of a run on Ray.")] = None,
    processes: Annotated[
        int, typer.Option(min=1, max=64, help="Train in so many processes, one per GPU.")
    ] = 1,
    as_json: common.Json = False,
) -> None:
    """Fine-tune a model on masked inputs."""
    from ..masks import Choice
    from ..runs.foreground import train
    from ..training import RunSpec
    from ..training.defaults import by_size
    from ..training.spec.spec import for_task

    values: dict[str, Any] = {
        "path": data, "text_column": text_column, "label_column": label_column, "task": task,
        "target_column": target_column, "spans_column": spans_column, "problem_type": problem_type,
        "model": model, "strategy": strategy, "operator": operator, "ratio": ratio,
        "num_train_epochs": epochs, "max_steps": max_steps, "max_minutes": max_minutes,
        "per_device_train_batch_size": batch_size, "learning_rate": learning_rate, "seed": seed,
        "device": device, "precision": precision, "name": name, "join": join,
        "second": Choice(second, seed=second_seed) if second else None,
        "complement": complement or None, "dynamic": False if static else None,
        "loss_strategy": loss_strategy, "prompt_weight": prompt_weight,
        "language": language or None,
    }  # fmt: skip
    values |= dict(setting(pair) for pair in settings or ())
    spec = RunSpec.from_file(spec_file) if spec_file else RunSpec()
    values = values if spec_file else for_task(values)
    options = {
        "types": types, "pattern": pattern, "words": words, "indices": indices, "by": by,
        "data": str(Path(key_data).expanduser().resolve()) if key_data else "",
        "threshold": threshold, "surprisal": surprisal, "pipeline": pipeline, "tagger": tagger,
    }  # fmt: skip
    values["parameters"] = _parameters(spec.masking, strategy, options)
    spec = spec.changed(**values)
    if not spec_file:
        spec, said = by_size(spec, values)
        common.notify(said)
    elsewhere = _engine_options(engine, address, num_cpus, num_gpus, processes)
    if detach or engine != "local" or processes > 1:
        run = train(spec, detach=True, engine=engine, engine_options=elsewhere)
    if detach:
        show({"run": run.id, "state": run.state}, as_json, f"{run.id} is {run.state}.")
        return
    with _progress() as listener:
        if engine == "local" and processes == 1:
            run = train(spec, listener=listener)
        else:
            run = _follow(run.id, listener)
    _finish(run, as_json)


def _engine_options(
    engine: str, address: str | None, cpus: float | None, gpus: float | None, processes: int
) -> dict[str, Any]:
    if engine != "ray" and (address or cpus or gpus):
        raise ParameterError("--address, --num-cpus and --num-gpus are Ray's: add --engine ray.")
    if engine == "ray" and processes > 1:
        raise ParameterError("--processes is of --engine local: on Ray give --num-gpus.")
    ray = {"address": address, "num_cpus": cpus, "num_gpus": gpus}
    return ray if engine == "ray" else {"processes": processes if processes > 1 else None}


def _follow(run_id: str, listener: Callable[[dict[str, Any]], None] | None) -> Run:
    """Wait for a run that trains elsewhere, and tell the listener how far it is."""
    import time

    from ..runs.service import load_run

    while not (run := load_run(run_id)).is_over:
        if listener:
            shown = {"phase": run.phase or run.state, "step": run.step, "steps": run.steps}
            listener({**shown, "metrics": dict(run.metrics)})
        time.sleep(0.5)
    return run


def setting(pair: str) -> tuple[str, Any]:
    """Read `name=value` as TOML would, else as text."""
    import tomllib

    name, sign, value = pair.partition("=")
    if not sign or not name.strip():
        raise ParameterError(f"--set is {pair!r}: write it as name=value.")
    try:
        return name.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return name.strip(), value


def _parameters(
    masking: MaskingSpec, strategy: str | None, options: dict[str, Any]
) -> dict[str, Any] | None:
    """Return the strategy's parameters, read as `mask` reads them; None where none are given.

    Those of a spec file stay where its strategy does.
    """
    from ..masks.expression import needs
    from ..training.spec.mask_spec import NO_STRATEGY

    if not any(value not in (None, "") for value in options.values()):
        return None if strategy in (None, masking.strategy) else {}
    chosen = strategy or masking.strategy
    if chosen == NO_STRATEGY:
        raise ParameterError("Nothing is hidden: name a --strategy, or leave its options out.")
    needs(chosen)  # a name that is none is said with those there are
    kept = masking.parameters if chosen == masking.strategy else {}
    return {**kept, **common.mask_parameters(chosen, **options)}


def _finish(run: Run, as_json: bool) -> None:
    figures = {
        "run": run.id,
        "state": run.state,
        "metrics": dict(run.metrics),
        "seconds": round(run.seconds, 3),
        "tokens_per_second": run.tokens_per_second,
        "device": run.device,
        "reason": run.reason,
        "model": str(run.model_path) if run.model_path else None,
    }
    # JSON stands alone on standard output also where the run failed.
    if as_json or run.state == "done":
        show(figures, as_json, f"{run.reason}\nThe model is in {run.model_path}.")
    if run.state != "done":
        typer.echo(f"maskviz: {run.reason}", err=True)
        raise typer.Exit(1)


def _progress() -> AbstractContextManager[Callable[[dict[str, Any]], None] | None]:
    """Return a progress bar on standard error; without a terminal, a line each tenth."""
    return _Bar() if sys.stderr.isatty() else nullcontext(_Lines())


class _Lines:
    """A line on standard error each time a tenth of the run is done."""

    def __init__(self) -> None:
        self._said = ""

    def __call__(self, status: dict[str, Any]) -> None:
        step, steps = status.get("step", 0), status.get("steps", 0)
        line = status.get("phase", "")
        if line == "training" and steps:
            line = f"training, {step * 10 // steps * 10} %"
        if line and line != self._said:
            self._said = line
            typer.echo(line, err=True)


class _Bar:
    """A progress bar that shows the phase, the steps, the time left and the last accuracy."""

    def __enter__(self) -> Callable[[dict[str, Any]], None]:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as Remaining

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._bar = Progress(
            *columns, Remaining(), TextColumn("{task.fields[said]}"), console=Console(stderr=True)
        )
        self._bar.start()
        self._task = self._bar.add_task("starting", total=None, said="")
        return self._update

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _update(self, status: dict[str, Any]) -> None:
        accuracy = (status.get("metrics") or {}).get("accuracy_plain")
        self._bar.update(
            self._task,
            description=status.get("phase", ""),
            completed=status.get("step", 0),
            total=status.get("steps") or None,
            said="" if accuracy is None else f"accuracy {accuracy:.1%}",
        )
