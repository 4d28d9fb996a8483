"""Runs written into MLflow as well, where MLFLOW_TRACKING_URI says so (extra `mlflow`).

The run's folder stays what counts. A thread reads what the run has written there and sends it on,
so training never waits for a server, and a server that is down never ends a run: log.txt says what
happened. A run that is killed and goes on is the same run in MLflow too.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from ..paths import write_atomic
from ..training.folder import ENDED, read_json, read_metrics, read_run, runs_home
from .compare import flat_settings
from .lock import holding

_SECONDS = 2.0  # between two looks at the folder
_LAST_SECONDS = 20.0  # for the rest, when the run is over
_FAILURES = 3  # in a row, after which it gives up
_AT_ONCE = 1000  # MLflow's own limit of figures in one request
_STATES = {"done": "FINISHED", "failed": "FAILED", "cancelled": "KILLED"}
_OWN = ("step", "epoch", "time", "seconds")


def wanted() -> bool:
    """Tell whether runs are to be mirrored: MLFLOW_TRACKING_URI is set."""
    return bool(os.environ.get("MLFLOW_TRACKING_URI"))


@contextmanager
def mirrored(folder: Path) -> Iterator[None]:
    """Mirror the run in `folder` while the block trains it, and how it ended."""
    if not wanted() or os.environ.get("RANK", "0") != "0":
        yield
        return
    mirror = Mirror(folder)
    mirror.start()
    try:
        yield
    finally:
        mirror.end()


def settle(folder: Path) -> None:
    """Tell MLflow how a run ended where its own process could not: killed, or not answered.

    In a process of its own: the worker, which forks, may hold no lock of another thread.
    """
    if not wanted() or read_json(folder / "mlflow.json").get("ended"):
        return
    child = subprocess.Popen(  # noqa: S603 - our own module, no shell
        [sys.executable, "-m", __name__, str(folder)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,
    )  # fmt: skip
    _settling[:] = [*(other for other in _settling if other.poll() is None), child]


_settling: list[subprocess.Popen[bytes]] = []  # kept, so that ended ones are reaped


class Mirror:
    """One run's thread; `mlflow.json` in its folder holds MLflow's id and what was sent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="maskviz-mlflow", daemon=True)
        self._failures = 0
        self._reason = ""  # of the last failure
        self._client: Any = None

    def start(self) -> None:
        """Begin to look at the folder."""
        self._thread.start()

    def end(self) -> None:
        """Send the rest; wait for it, though not for ever."""
        self._over.set()
        self._thread.join(_LAST_SECONDS)
        if self._thread.is_alive():
            self._say("MLflow does not answer: what it lacks is in this folder.")

    def send_last(self) -> None:
        """Send what is there, and how the run ended."""
        self._failures = 0
        while not self._try(self._send, last=True) and self._failures < _FAILURES:
            time.sleep(_SECONDS)

    def _work(self) -> None:
        while not self._over.wait(_SECONDS) and self._failures < _FAILURES:
            self._try(self._send)
        self.send_last()

    def _try(self, action: Any, **options: Any) -> bool:
        try:
            action(**options)
            self._failures = 0
            return True
        except Exception as error:  # noqa: BLE001 - whatever a tracking server does, the run goes on
            self._failures += 1
            reason = _reason(error)
            if reason != self._reason:  # each once, however often it is tried
                self._say(f"not mirrored in MLflow ({reason}); the run goes on.")
            self._reason = reason
            return False

    def _say(self, line: str) -> None:
        log = self.folder / "log.txt"
        with suppress(OSError), log.open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%H:%M:%S')} {line}\n")

    # sending --------------------------------------------------------------------------------

    def _send(self, last: bool = False) -> None:
        known = read_json(self.folder / "mlflow.json")
        with _opening():
            self._client = self._client or _client()
            if "run" not in known:
                known = {"run": self._opened(), "sent": 0}
                self._remember(known)
        if known.pop("ended", False) and not last:  # it was resumed
            self._client.update_run(known["run"], status="RUNNING")
        lines = list(read_metrics(self.folder))
        # A run that was killed goes back to its last checkpoint and says the same again.
        figures = [f for line in lines[min(known["sent"], len(lines)) :] for f in _figures(line)]
        for start in range(0, len(figures), _AT_ONCE):
            self._client.log_batch(known["run"], metrics=figures[start : start + _AT_ONCE])
        known["sent"] = len(lines)
        if last:
            known["ended"] = self._finish(known["run"])
        self._remember(known)

    def _remember(self, known: Mapping[str, Any]) -> None:
        write_atomic(self.folder / "mlflow.json", json.dumps(known))

    def _opened(self) -> str:
        """Return MLflow's id of the run: made, or found where the answer to that was too late."""
        from mlflow.entities import Param

        run = read_run(self.folder)
        tags = {"maskviz.run": run.id, "maskviz.parent": run.parent or ""}
        experiment = _experiment(self._client)
        same = self._client.search_runs([experiment], f"tags.`maskviz.run` = '{run.id}'")
        there = same[0] if same else self._client.create_run(experiment, run_name=run.id, tags=tags)
        made = there.info.run_id
        settings = flat_settings(run.spec.to_dict())
        params = [Param(key, str(value)[:500]) for key, value in settings.items()]
        for start in range(0, len(params), 100):  # MLflow's limit
            self._client.log_batch(made, params=params[start : start + 100])
        return made

    def _finish(self, mlflow_run: str) -> bool:
        """Send the figures of the end; tell whether the run has ended."""
        status = {**read_json(self.folder / "status.json"), **_state(self.folder)}
        step, now = int(status.get("step") or 0), time.time()
        final = {"step": step, "time": now, **(status.get("metrics") or {})}
        self._client.log_batch(mlflow_run, metrics=_figures(final))
        self._client.set_tag(mlflow_run, "mlflow.note.content", status.get("outcome_reason") or "")
        outcome = status.get("outcome")
        if outcome in ENDED:
            self._client.set_terminated(mlflow_run, _STATES[outcome])
        return outcome in ENDED


def _reason(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):  # the small client reaches servers alone
        return f"{error}: a database needs the whole MLflow, pip install mlflow"
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]


def _state(folder: Path) -> dict[str, Any]:
    """Return what the worker says of the run's end, where it says anything."""
    state = read_json(folder / "state.json")
    if state.get("state") not in ENDED:
        return {}
    return {"outcome": state["state"], "outcome_reason": state.get("reason", "")}


def _figures(line: Mapping[str, Any]) -> list[Any]:
    from mlflow.entities import Metric

    when, step = int(line.get("time", time.time()) * 1000), int(line.get("step", 0))
    return [
        Metric(_name(key), float(value), when, step)
        for key, value in line.items()
        if key not in _OWN and isinstance(value, (int, float)) and math.isfinite(value)
    ]


def _name(key: str) -> str:
    """Name a figure as results do: `plain_accuracy` of a line is `accuracy_plain`.

    >>> _name("plain_accuracy"), _name("grad_norm")
    ('accuracy_plain', 'grad_norm')
    """
    mask, _, figure = key.partition("_")
    return f"{figure}_{mask}" if mask in ("plain", "masked") else key


def _client() -> Any:
    for name, value in (("MAX_RETRIES", "0"), ("TIMEOUT", "10")):  # a second `create` makes two
        os.environ.setdefault(f"MLFLOW_HTTP_REQUEST_{name}", value)
    try:
        from mlflow import MlflowClient
    except ImportError:
        raise RuntimeError("pip install maskviz[mlflow], or unset MLFLOW_TRACKING_URI") from None
    return MlflowClient()


def _experiment(client: Any) -> str:
    """Return the id of the experiment, made where it is missing; another run may be as quick."""
    from mlflow.exceptions import MlflowException

    name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "maskviz")
    try:
        found = client.get_experiment_by_name(name)
        return found.experiment_id if found else client.create_experiment(name)
    except MlflowException:
        found = client.get_experiment_by_name(name)
        if found is None:
            raise
        return found.experiment_id


def _opening() -> Any:
    """One at a time opens a database: several that make its tables at once break it."""
    local = os.environ.get("MLFLOW_TRACKING_URI", "").startswith(("sqlite", "file", "/", "."))
    return holding(runs_home() / "mlflow.lock") if local else nullcontext()


if __name__ == "__main__":
    Mirror(Path(sys.argv[1])).send_last()
