"""A command of maskviz in a process of its own that outlives the page: for experiments of minutes.

Output goes to files, never to a pipe, so that nobody has to read it for the command to go on.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..paths import home, write_atomic
from ..training.folder import read_json, tail
from . import process

_started: dict[str, subprocess.Popen[bytes]] = {}  # kept, so that ended ones are reaped


@dataclass(frozen=True)
class Background:
    """A command by its name; its folder holds process.json, log.txt and out.json.

    parent: the folder of MASKVIZ_HOME in which that one lies.
    """

    name: str
    parent: str = "background"

    @property
    def folder(self) -> Path:
        """Where the command's files are."""
        return home() / self.parent / self.name

    @property
    def alive(self) -> bool:
        """Whether the command still runs."""
        own = _started.get(str(self.folder))
        if own is not None and own.poll() is not None:
            return False
        record = read_json(self.folder / "process.json")
        return process.is_alive(record.get("pid"), record.get("process_started"))

    def log(self, lines: int = 5) -> str:
        """Return the last lines of its standard error."""
        return tail(self.folder / "log.txt", lines)

    def start(self, arguments: Sequence[str], module: str = "maskviz") -> None:
        """Start `maskviz ARGUMENTS`, or another module of it, unless it runs already."""
        if self.alive:
            return
        if (before := _started.get(str(self.folder))) is not None:
            before.wait()  # it has ended; a killed one may not be reaped yet
        self.folder.mkdir(parents=True, exist_ok=True)
        root = str(Path(__file__).resolve().parents[2])
        paths = filter(None, [root, os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        with (
            (self.folder / "log.txt").open("wb") as log,
            (self.folder / "out.json").open("wb") as out,
        ):
            child = subprocess.Popen(  # noqa: S603 - our own command, no shell
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.DEVNULL, stdout=out, stderr=log,
                env=environment, start_new_session=True,
            )  # fmt: skip
        _started[str(self.folder)] = child
        record = {"pid": child.pid, "process_started": process.start_time(child.pid)}
        write_atomic(self.folder / "process.json", _json(record))

    def stop(self) -> None:
        """Ask the command to end; what it has finished stays."""
        import signal

        if self.alive:
            os.killpg(read_json(self.folder / "process.json")["pid"], signal.SIGTERM)


def _json(record: Mapping[str, object]) -> str:
    import json

    return json.dumps(record)
