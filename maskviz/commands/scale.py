"""Options of commands that read long files: on a cluster, and going on where one was stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import ParameterError

Engine = Annotated[
    str,
    typer.Option(
        "--engine", help="Of a file: local, or ray: blocks of rows side by side on a Ray cluster."
    ),
]
Address = Annotated[
    str | None,
    typer.Option(
        "--address",
        help="Of the Ray cluster, HOST:6379 or ray://HOST:10001. Without: the one that runs here, "
        "else one that is begun.",
    ),
]
Gpus = Annotated[
    float, typer.Option("--num-gpus", help="GPUs of each block on Ray, 0.5 for two on one.")
]
Keep = Annotated[
    Path | None,
    typer.Option(
        "--keep",
        help="Of a file: a folder for what each step found. The same command goes on there where "
        "it was stopped.",
    ),
]


def scaled(engine: str, address: str | None, num_gpus: float, keep: Path | None) -> dict[str, Any]:
    """Return `engine` and `keep` as a call over a file takes them."""
    from ..evidence.on_ray import engine_of

    return {"engine": engine_of(engine, address, num_gpus), "keep": keep}


def refuse_scale(what: str, engine: str, address: str | None, keep: Path | None) -> None:
    """Raise ParameterError where something is read in this process alone."""
    if engine != "local" or address or keep:
        raise ParameterError(
            f"{what} are read in this process, in one go: leave --engine, --address and --keep out."
        )
