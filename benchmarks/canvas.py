"""Bytes and time of the attention mosaic, from the data in the browser to the painted canvas.

    python benchmarks/canvas.py [--rounds 7] [--json]

A bare page shows synthetic attention through the dashboard's own component in a headless
Chromium, each round in a fresh tab. Bytes are those of the largest message on the wire; the time
runs from the browser's handing over the data to the end of painting, and includes unpacking and
layout. Budgets: 12 × 12 heads of 128 tokens 2.4 MB and 300 ms, one layer of 12 heads of 512
tokens 3.3 MB and 500 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts.chromium import ARGUMENTS, find_chromium  # noqa: E402

# (layers, heads, tokens, megabytes allowed, milliseconds allowed)
CASES = ((4, 4, 32, 2.4, 300), (12, 12, 128, 2.4, 300), (1, 12, 512, 3.3, 500))
PAGE = """
import numpy as np
import streamlit as st
from maskviz.ui.components import attention_mosaic

st.set_page_config(layout="wide")
layers, heads, tokens = (int(st.query_params[name]) for name in ("layers", "heads", "tokens"))
draws = np.random.default_rng(0).gumbel(size=(layers, heads, tokens, tokens)).astype(np.float32)
weights = np.exp(draws)
attention_mosaic(weights / weights.sum(-1, keepdims=True), key="mosaic")
"""


@dataclass(frozen=True)
class Result:
    """One case: megabytes of the largest message, milliseconds of each round to the paint."""

    case: str
    megabytes: float
    milliseconds: tuple[float, ...]
    within: bool


def main() -> None:
    """Measure every case and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with served() as url, browser() as chromium:
        results = [measure(chromium, url, case, options.rounds) for case in CASES]
    if options.json:
        print(json.dumps([asdict(result) for result in results]))
        return
    print(f"{'case':32}{'MB':>8}{'median ms':>12}{'slowest ms':>12}  within budget")
    for r in results:
        middle, most = statistics.median(r.milliseconds), max(r.milliseconds)
        print(f"{r.case:32}{r.megabytes:8.2f}{middle:12.0f}{most:12.0f}  {r.within}")


@contextmanager
def served() -> Iterator[str]:
    """Serve the bare page on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "page.py"
        script.write_text(PAGE)
        command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}",
                   "--server.headless=true", "--server.address=127.0.0.1",
                   "--browser.gatherUsageStats=false"]  # fmt: skip
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        server = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=20)


def _wait(url: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):  # noqa: S310
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("The page did not start within a minute.")


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


def measure(
    chromium: Any, url: str, case: tuple[int, int, int, float, float], rounds: int
) -> Result:
    """Open one case `rounds` times."""
    layers, heads, tokens, megabytes, milliseconds = case
    address = f"{url}/?layers={layers}&heads={heads}&tokens={tokens}"
    visits = [_visit(chromium, address) for _ in range(rounds)]
    largest = max(size for size, _ in visits) / 1e6
    times = tuple(time for _, time in visits)
    return Result(
        f"{layers} × {heads} heads, {tokens} tokens",
        largest,
        times,
        largest <= megabytes and statistics.median(times) <= milliseconds,
    )


def _visit(chromium: Any, address: str) -> tuple[int, float]:
    """Return the bytes of the largest message and the milliseconds to the painted canvas."""
    page = chromium.new_page(viewport={"width": 1400, "height": 900})
    sizes: list[int] = []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda frame: sizes.append(len(frame))))
    page.goto(address)
    canvas = page.locator("canvas[data-painted]")
    canvas.wait_for(timeout=60_000)
    taken = float(canvas.get_attribute("data-milliseconds"))
    page.close()
    return max(sizes), taken


if __name__ == "__main__":
    main()
