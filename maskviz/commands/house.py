"""Commands on the installation: app, models, doctor."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import common
from .progress import Progress

if TYPE_CHECKING:
    from ..models import Model
    from ..models.checks import Finding

models_app = typer.Typer(no_args_is_help=True, help="List, describe and fetch models.")
common.app.add_typer(models_app, name="models")


@common.app.command("app")
def app_command(
    port: Annotated[int, typer.Option("--port", help="Port on this machine.")] = 8501,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
    address: Annotated[
        str, typer.Option("--address", help="Where to listen; 0.0.0.0 is every interface.")
    ] = "127.0.0.1",
    host: Annotated[
        list[str] | None,
        typer.Option("--host", help="A name people reach it under; may be given again."),
    ] = None,
) -> None:
    """Serve the dashboard, on 127.0.0.1 unless told otherwise."""
    from ..launch import serve
    from ..warm import begin

    serve(port, browser=not no_browser, address=address, hosts=host or (), beside=begin)


@common.app.command("doctor")
def doctor_command(as_json: common.Json = False) -> None:
    """Show versions, devices, folders, what is missing and how to get it."""
    from .. import doctor

    found = doctor.report()
    lines = [f"{' ' if fine else '!'} {name:22}{value}" for name, value, fine in doctor.rows(found)]
    common.show(found, as_json, "\n".join(lines))


@models_app.command("list")
def list_command(as_json: common.Json = False) -> None:
    """List the bundled, tuned, pulled and allowed models, and those that can be pulled."""
    from ..models import list_models, to_pull

    found = [*list_models(), *to_pull()]
    width = max(len(m.name) for m in found) + 2
    lines = [
        f"{m.name:{width}}{m.origin:10}{m.family or '':14}{', '.join(m.labels or ())}"
        for m in found
    ]
    common.show([m.to_dict() for m in found], as_json, "\n".join(lines))


@models_app.command("info")
def info_command(name: str, as_json: common.Json = False) -> None:
    """Show what a model is and what it can do, every check of it run."""
    from ..models import load_model
    from ..models.checks import findings

    model = load_model(name)
    network = model.main_network()
    result = {
        "name": model.name,
        "family": model.family,
        "architecture": (model.config.architectures or [type(network).__name__])[0],
        "capabilities": sorted(model.capabilities),
        "labels": model.labels if "classify" in model.capabilities else None,
        "max_length": model.max_length,
        "vocabulary": len(model.tokenizer),
        "parameters": sum(p.numel() for p in network.parameters()),
        "dtype": model.dtype,
        "quantised_to": model.quantised_to,
        "chat_template": model.tokenizer.chat_template is not None,
    }
    lines = [f"{k:14}{_plainly(v)}" for k, v in result.items()]
    lines += [model.notice] if model.notice else []
    result["notice"] = model.notice or None
    found = findings(model)
    lines += [
        f"{'' if one.passed else '! '}{check + '  ':14}{one.said or 'passed'}"
        for check, one in found.items()
    ]
    result["checks"] = [_of_check(model, check, one) for check, one in found.items()]
    common.show(result, as_json, "\n".join(lines))


def _plainly(value: object) -> object:
    """Return what a person reads for a value."""
    words = {None: "none", True: "yes", False: "no"}
    return words[value] if value is None or isinstance(value, bool) else value


def _of_check(model: Model, name: str, found: Finding) -> dict[str, Any]:
    from ..models.checks import CHECKS, refusal

    return {
        "name": name,
        "proves": CHECKS[name].proves,
        "passed": found.passed,
        "said": found.said,
        "value": found.value,
        "refusal": None if found.passed else refusal(model, name, found),
    }


@models_app.command("pull")
def pull_command(name: str, as_json: common.Json = False) -> None:
    """Fetch smollm2, a small chat model, or a model of the Hub; afterwards it needs no network."""
    from ..models import load_model
    from ..models.pull import pull
    from ..models.pulled import PULLED

    if name in PULLED:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what is half done is taken away
        show = Progress("%")
        pull(name, show.share)
        show.end()
    model = load_model(name)
    if name not in PULLED:
        model.main_network()
    found = {"name": name, "family": model.family, "quantised_to": model.quantised_to}
    common.show(found, as_json, f"{name} is on this machine.")
