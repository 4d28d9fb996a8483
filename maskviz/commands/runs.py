"""The commands `runs …`: list, show and steer fine-tunes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..training.folder import Run
from .common import Json, app, show

RunId = Annotated[str, typer.Argument(help="The run's name or the beginning of it.")]
Adapter = Annotated[
    bool, typer.Option("--adapter", help="LoRA's small matrices alone, which PEFT loads.")
]

runs_app = typer.Typer(help="List, show and steer fine-tunes.", no_args_is_help=True)
app.add_typer(runs_app, name="runs")


@runs_app.command("list")
def list_command(as_json: Json = False) -> None:
    """List all runs, newest first."""
    from ..runs.service import list_runs

    found = list_runs()
    lines = [_line(run) for run in found] or ["There are no runs yet: 'maskviz train' makes one."]
    show([run.to_dict() for run in found], as_json, "\n".join(lines))


@runs_app.command("show")
def show_command(run_id: RunId, as_json: Json = False) -> None:
    """Show one run: its state, progress, figures and settings."""
    from ..runs.service import load_run

    run = load_run(run_id)
    spec = run.spec
    lines = [_line(run), run.reason, f"{spec.model}, {spec.masking}, seed {spec.seed}"]
    show(run.to_dict(), as_json, "\n".join(line for line in lines if line))


@runs_app.command("logs")
def logs_command(
    run_id: RunId,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many, from the end.")] = 40,
    as_json: Json = False,
) -> None:
    """Show the end of what a run printed."""
    from ..runs.service import load_run

    run = load_run(run_id)
    show({"run": run.id, "log": run.log(lines).splitlines()}, as_json, run.log(lines))


@runs_app.command("cancel")
def cancel_command(run_id: RunId, as_json: Json = False) -> None:
    """Cancel a run; it writes a checkpoint first."""
    from ..runs.service import cancel

    run = cancel(run_id)
    said = "is cancelled" if run.state == "cancelled" else "stops at its next step"
    show({"run": run.id, "state": run.state}, as_json, f"{run.id} {said}.")


@runs_app.command("resume")
def resume_command(run_id: RunId, as_json: Json = False) -> None:
    """Go on with a failed or cancelled run from its last checkpoint."""
    from ..runs.service import resume

    run = resume(run_id)
    show({"run": run.id, "state": run.state}, as_json, f"{run.id} is {run.state}.")


@runs_app.command("delete")
def delete_command(run_id: RunId, as_json: Json = False) -> None:
    """Delete a run that has ended, with its tuned model."""
    from ..runs.service import delete, load_run

    run = load_run(run_id)
    delete(run.id)
    show({"run": run.id, "state": "deleted"}, as_json, f"{run.id} is deleted.")


@runs_app.command("export")
def export_command(
    run_id: RunId,
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    adapter: Adapter = False,
    as_json: Json = False,
) -> None:
    """Copy a tuned model, with its card, to a folder that transformers loads."""
    from ..runs.export import export

    path = export(run_id, folder, adapter=adapter)
    what = "adapter" if adapter else "model"
    show({"run": run_id, "folder": str(path)}, as_json, f"The {what} is in {path}.")


@runs_app.command("script")
def script_command(
    run_id: RunId,
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    as_json: Json = False,
) -> None:
    """Write a run as a script with transformers' Trainer that does the same without maskviz.

    The folder holds train.py and the batches that it reads, with words hidden as the run hid them.
    """
    from ..runs.service import load_run
    from ..training.loop.script import write_script

    run = load_run(run_id)
    path = write_script(run.spec, folder, run.id)
    said = f"The script is {path / 'train.py'}."
    show({"run": run.id, "folder": str(path), "script": str(path / "train.py")}, as_json, said)


@runs_app.command("push")
def push_command(
    run_id: RunId,
    repository: Annotated[str, typer.Argument(help="On the Hugging Face Hub, as user/name.")],
    public: Annotated[bool, typer.Option("--public", help="Let everybody see it.")] = False,
    adapter: Adapter = False,
    as_json: Json = False,
) -> None:
    """Push a tuned model, with its card, to the Hugging Face Hub."""
    from ..runs.export import push

    url = push(run_id, repository, private=not public, adapter=adapter)
    what = "adapter" if adapter else "model"
    show({"run": run_id, "url": url}, as_json, f"The {what} is at {url}.")


@runs_app.command("worker")
def worker_command(
    slots: Annotated[int, typer.Option(min=1, max=64, help="Runs at a time.")] = 1,
    idle_minutes: Annotated[float, typer.Option(help="Ends after so long without a run.")] = 10.0,
) -> None:
    """Train what is queued in this terminal, several runs at a time; Ctrl-C leaves them running."""
    from ..runs.worker import main

    raise typer.Exit(main(["--slots", str(slots), "--idle-minutes", str(idle_minutes)]))


def _line(run: Run) -> str:
    accuracy = run.metrics.get("accuracy_plain")
    shown = "" if accuracy is None else f"  accuracy {accuracy:.1%}"
    return f"{run.id:<48} {run.state:<9} {run.step:>6}/{run.steps:<6}{shown}"
