"""From a run folder to a tuned model: the whole of a run, in the process that trains it."""

from __future__ import annotations

import gc
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ...errors import MaskvizError
from ...text.languages import saying
from ..data.rows import Rows
from .failures import explain, lost_company
from .recorder import Recorder
from .stages import evaluate, finish, prepare, train

Listener = Callable[[dict[str, Any]], None]


def execute(
    folder: Path,
    threads: int | None = None,
    listener: Listener | None = None,
    rows: Rows | None = None,
) -> str:
    """Train the run in `folder`, from its last complete checkpoint where there is one.

    `rows` spares reading the data where the caller has done so.

    Returns done, failed or cancelled; status.json holds the same and why; or killed, where another
    process of the run is gone. SIGTERM writes a checkpoint and stops. Nothing is raised but what
    no program can catch.
    """
    recorder = Recorder(folder, listener)
    stop = _StopSignal()
    try:
        with stop, _quiet(), saying(_language(folder)):
            return _run(folder, threads, recorder, stop, rows)
    except BaseException as error:  # noqa: BLE001 - every end of a run has its sentence
        return _end_badly(error, recorder, stop)
    finally:
        gc.unfreeze()  # what `assemble` froze


def _language(folder: Path) -> str:
    """Return the language that the run's rows are said to be in, "" where it is to be found."""
    from ..spec.spec import RunSpec

    return RunSpec.from_file(folder / "spec.toml").data.language


def _run(
    folder: Path, threads: int | None, recorder: Recorder, stop: _StopSignal, rows: Rows | None
) -> str:
    recorder.phase("starting")
    job = prepare(folder, threads, recorder, rows)
    stop.pacer = job.pacer
    train(job)
    if job.pacer.stop_asked:
        from .pacer import Cancelled

        raise Cancelled
    result = evaluate(job)
    finish(job, result)
    recorder.log(result["finding"])
    recorder.update(
        force=True, outcome="done", outcome_reason=result["finding"], metrics=result["metrics"]
    )
    if recorder.writes:  # only now: a run that is killed before goes on from them
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    return "done"


def _end_badly(error: BaseException, recorder: Recorder, stop: _StopSignal) -> str:
    from .pacer import Cancelled

    if lost_company(error):  # no end of its own: the worker goes on from the last checkpoint
        recorder.log("Another process of this run was killed.")
        return "killed"
    if isinstance(error, (Cancelled, KeyboardInterrupt)) or stop.asked:
        step = recorder.status.get("step") or 0
        outcome, reason = "cancelled", f"Cancelled at step {step}; resume goes on from there."
    else:
        outcome, reason = "failed", explain(error, recorder.folder)
    _clear(recorder)
    with suppress(OSError):  # where even this finds no room, the worker says so
        recorder.update(force=True, outcome=outcome, outcome_reason=reason)
        if outcome == "failed":
            _log_trace(error, recorder)
        recorder.log(reason)
    return outcome


def _clear(recorder: Recorder) -> None:
    """Take away what was half written: on a full disk that is the room for the last words."""
    if recorder.writes:
        for half in ("checkpoints/.staging", ".adapter", ".model"):
            shutil.rmtree(recorder.folder / half, ignore_errors=True)


def _log_trace(error: BaseException, recorder: Recorder) -> None:
    import traceback

    if not isinstance(error, MaskvizError):
        recorder.log("".join(traceback.format_exception(error)))


class _StopSignal:
    """Turns SIGTERM and Ctrl-C into a stop at the next step, or at once before training."""

    def __init__(self) -> None:
        self.pacer: Any = None
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _StopSignal:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, *_: object) -> None:
        from .pacer import Cancelled

        again, self.asked = self.asked, True
        if self.pacer is None or again:
            raise Cancelled
        self.pacer.stop()


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence transformers' progress bars and load reports; what matters is in log.txt."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
