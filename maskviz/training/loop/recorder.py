"""What a run says of itself while it trains: status.json and metrics.jsonl, never a pipe."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...errors import RunError
from ...paths import write_atomic
from ..data.targets import LARGE, SMALLER

_STATUS_SECONDS = 0.5


class Recorder:
    """Writes status and metrics of one run; `listener` hears of every new status.

    The clock counts seconds in training steps and evaluations, over all attempts.
    """

    def __init__(
        self, folder: Path, listener: Callable[[dict[str, Any]], None] | None = None
    ) -> None:
        self.folder = folder
        self.writes = is_main_process()
        self.listener = listener
        from ..folder import read_json

        before = read_json(folder / "status.json")  # of an attempt that this one goes on from
        self.status: dict[str, Any] = {k: before[k] for k in ("step", "steps") if k in before}
        self.status |= {"outcome": None, "pid": os.getpid(), "metrics": {}}
        self.metrics_path = folder / "metrics.jsonl"
        self.log_path = folder / "log.txt"
        self._written = 0.0
        self._seconds_before = 0.0
        self._clock: float | None = None

    # time -----------------------------------------------------------------------------------

    def start_clock(self) -> None:
        """Start counting, from what earlier attempts used."""
        self._clock = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds in training, those of earlier attempts included."""
        running = 0.0 if self._clock is None else time.monotonic() - self._clock
        return self._seconds_before + running

    # writing --------------------------------------------------------------------------------

    def update(self, force: bool = False, **values: Any) -> None:
        """Change the status and write it, at most twice a second unless forced."""
        self.status |= values
        now = time.monotonic()
        if self.writes and (force or now - self._written >= _STATUS_SECONDS):
            self._written = now
            self.status |= {"heartbeat": time.time(), "seconds": self.seconds}
            write_atomic(self.folder / "status.json", json.dumps(self.status))
            if self.listener:
                with suppress(BrokenPipeError):  # whoever watched has gone; the run goes on
                    self.listener(dict(self.status))

    def phase(self, name: str) -> None:
        """Say what is being done, in the log as well."""
        self.log(name)
        self.update(force=True, phase=name)

    def log(self, line: str) -> None:
        """Write one line with the time to log.txt."""
        if not self.writes:
            return
        with self.log_path.open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%H:%M:%S')} {line}\n")

    def metric(self, **values: Any) -> None:
        """Append one line to metrics.jsonl."""
        if not self.writes:
            return
        line = {**values, "seconds": round(self.seconds, 3), "time": time.time()}
        with self.metrics_path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def rewind(self, step: int) -> None:
        """Forget what was measured after `step`: the run is about to do it again."""
        from ..folder import read_metrics

        kept = [line for line in read_metrics(self.folder) if line.get("step", 0) <= step]
        text = "".join(json.dumps(line) + "\n" for line in kept)
        if self.writes:
            write_atomic(self.metrics_path, text)
        self._seconds_before = max((line.get("seconds", 0.0) for line in kept), default=0.0)


def is_main_process() -> bool:
    """Tell whether this is the process of a run that writes; of several only the first does."""
    return os.environ.get("RANK", "0") == "0"


def check_finite(
    logs: dict[str, Any], step: int, learning_rate: float, largest: float = 0.0
) -> None:
    """Raise RunError where the loss is no number any more, with its likeliest cause.

    largest: of a regression's values, without their sign.
    """
    advice = f"lower learning_rate (it is {learning_rate:g}) or set precision to float32"
    if largest > LARGE:
        advice = f"the values to learn reach {largest:,.4g}, {SMALLER}"
    for name in ("loss", "grad_norm"):
        value = logs.get(name)
        if value is not None and not math.isfinite(value):
            raise RunError(f"The {name.replace('_', ' ')} became {value} at step {step}: {advice}.")
