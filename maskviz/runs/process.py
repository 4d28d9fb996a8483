"""Processes: which one is meant (id and start time), and how to end it for good."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

_SAME = 0.05  # seconds between two that are one: the system counts in hundredths


def start_time(pid: int) -> float | None:
    """Return when the process started, or None where there is none.

    A process id is used anew after a while; id and start time together name one process. On Linux
    the seconds since the machine started, which no setting of its clock changes (psutil's are
    off by a second after a while), elsewhere since 1970.
    """
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return _since_boot(pid) if psutil.LINUX else process.create_time()
    except (psutil.Error, OSError):
        return None


def _since_boot(pid: int) -> float:
    """Read the 22nd field of /proc/PID/stat (proc(5)): the name before may hold spaces."""
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


def is_alive(pid: int | None, started: float | None) -> bool:
    """Tell whether the process with this id and start time still runs."""
    if not pid:
        return False
    now = start_time(pid)
    return now is not None and (started is None or abs(now - started) < _SAME)


def signal_group(pid: int, number: int = signal.SIGTERM) -> None:
    """Send a signal to the process and all that belong to its group."""
    try:
        if hasattr(os, "killpg") and os.getpgid(pid) == pid:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def wait_gone(pid: int, started: float | None, seconds: float) -> bool:
    """Wait until the process is gone; tell whether it is."""
    end = time.monotonic() + seconds
    while is_alive(pid, started):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
