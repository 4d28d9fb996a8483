"""`maskviz.train`: one call from settings to a tuned model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..training.folder import Run
from ..training.spec.spec import RunSpec


def train(
    spec: RunSpec | str | Path | None = None,
    *,
    detach: bool = False,
    engine: str = "local",
    engine_options: Mapping[str, Any] | None = None,
    listener: Callable[[dict[str, Any]], None] | None = None,
    **values: Any,
) -> Run:
    """Fine-tune a model on masked inputs and return the run.

    `spec` is a RunSpec or a TOML file; `values` are settings by their flat names. With `detach`
    an engine trains it (`local`, the worker, or `ray`) and the call returns at once, otherwise
    this process does; look at `run.state` and `run.reason`. Raises InputError or ModelError for
    what cannot start.

    >>> train(strategy="attribute", max_steps=100).metrics      # doctest: +SKIP
    {'accuracy_plain': 0.83, 'accuracy_masked': 0.82, ...}
    """
    from ..training.check import preflight
    from ..training.data.rows import load_rows
    from ..training.estimate import require_memory
    from ..training.loop.execute import execute
    from ..training.machine.device import resolve_device
    from .mirror import mirrored
    from .service import begin_foreground, end_foreground, submit

    if not isinstance(spec, RunSpec):
        spec = RunSpec.from_file(spec) if spec is not None else RunSpec()
    if values:
        spec = spec.changed(**values)
    if detach:
        return submit(spec, engine, **(engine_options or {}))
    preflight(spec)
    resolve_device(spec.device)
    rows = load_rows(spec)
    require_memory(spec)
    folder = begin_foreground(spec)
    with mirrored(folder):
        state = execute(folder, listener=listener, rows=rows)
    reason = _reason(folder)
    return end_foreground(folder, state, reason)


def _reason(folder: Path) -> str:
    from ..training.folder import read_json

    return read_json(folder / "status.json").get("outcome_reason", "")
