"""Serve a page on a free port and open it in a headless Chromium, for benchmarks."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts.chromium import ARGUMENTS, find_chromium  # noqa: E402

_STREAMLIT = ("--server.headless=true", "--server.address=127.0.0.1",
              "--browser.gatherUsageStats=false")  # fmt: skip


@contextmanager
def serve(
    command: Sequence[str], port_option: str = "--server.port", **environment: str
) -> Iterator[tuple[str, subprocess.Popen]]:
    """Run `python command` on a free port; yield its address and process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    more = _STREAMLIT if port_option == "--server.port" else ()
    server = subprocess.Popen(
        [sys.executable, *command, port_option, str(port), *more],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}", server
    finally:
        server.terminate()
        server.wait(timeout=60)


def _wait(url: str, seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):  # noqa: S310
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("The page did not start within four minutes.")


@contextmanager
def browser() -> Iterator[Any]:
    """Yield a headless Chromium."""
    from playwright.sync_api import sync_playwright

    path = find_chromium()
    if path is None:
        raise SystemExit("No Chromium found: install one, or set MASKVIZ_CHROMIUM.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()
