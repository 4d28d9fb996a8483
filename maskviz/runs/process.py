"""Processes: which one is meant (id and start time), and how to end it for good."""

from __future__ import annotations

import os
import signal
import time


def start_time(pid: int) -> float | None:
    """Return when the process started (seconds since 1970), or None where there is none.

    A process id is used anew after a while; id and start time together name one process.
    """
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def is_alive(pid: int | None, started: float | None) -> bool:
    """Tell whether the process with this id and start time still runs."""
    if not pid:
        return False
    now = start_time(pid)
    return now is not None and (started is None or abs(now - started) < 1.0)


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
