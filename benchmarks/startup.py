"""Launch to first paint, and memory, of the dashboard beside an empty Streamlit app.

    python benchmarks/startup.py [--rounds 7] [--json]

Both are started as processes of their own with the same configuration, in turn, and opened in
the same headless browser with an empty cache. Time runs from the start of the process to the
first element that the script has drawn ("paint"), and to the page's headline ("answer": the
finding of the first example). Memory is the resident set of the process: after launch with no
visitor ("idle"), and ten seconds after the first visit. Budgets: time at most 1.15 times the empty
app's, idle memory at most 120 MB. Take it on an idle machine: the load average is printed too.
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
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from maskviz.launch import streamlit_arguments  # noqa: E402
from scripts.chromium import ARGUMENTS, find_chromium  # noqa: E402

EMPTY = "import streamlit as st\n\nst.write('empty')\n"
ELEMENT = '[data-testid="stElementContainer"]'
ANSWERS = {"empty": ELEMENT, "maskviz": '[data-testid="stMain"] h3'}
MEGABYTE = 1e6
TIME_BUDGET, MEMORY_BUDGET = 1.15, 120


@dataclass(frozen=True)
class Launch:
    """One launch: seconds to the paint and the answer, megabytes with no visitor and after one."""

    paint: float
    answer: float
    idle: float
    visited: float


def our_command(port: int) -> list[str]:
    """Return the command that a person gives."""
    return [sys.executable, "-m", "maskviz", "app", "--no-browser", f"--port={port}"]


def empty_command(script: Path, port: int) -> list[str]:
    """Return the command for the empty app, under the same configuration."""
    first, _, *rest = streamlit_arguments(port, browser=False)
    return [sys.executable, "-m", "streamlit", first, str(script), *rest]


def measure(browser: object, command: Callable[[int], list[str]], answered: str) -> Launch:
    """Start an app by its command on a free port, open it once, stop it."""
    port = _free_port()
    server, _ = _start(command(port), port)
    idle = _megabytes(server)
    _stop(server)

    started = time.perf_counter()
    server, url = _start(command(port), port)
    context = browser.new_context()  # type: ignore[attr-defined]
    page = context.new_page()
    page.goto(url, wait_until="commit")
    page.locator(ELEMENT).first.wait_for(state="visible", timeout=60_000)
    paint = time.perf_counter() - started
    page.locator(answered).first.wait_for(state="visible", timeout=60_000)
    answer = time.perf_counter() - started
    time.sleep(10)
    visited = _megabytes(server)
    context.close()
    _stop(server)
    return Launch(paint, answer, idle, visited)


def compare(rounds: int) -> dict[str, object]:
    """Return the medians of both apps over `rounds` alternating launches, after one to warm up."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        script = Path(folder) / "app.py"
        script.write_text(EMPTY, encoding="utf-8")
        apps = {"empty": partial(empty_command, script), "maskviz": our_command}
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        launches: dict[str, list[Launch]] = {name: [] for name in apps}
        for turn in range(rounds + 1):
            for name, command in apps.items():
                launch = measure(browser, command, ANSWERS[name])
                if turn:  # the first round reads the disk
                    launches[name].append(launch)
        browser.close()
    return _summary(launches)


def _summary(launches: dict[str, list[Launch]]) -> dict[str, object]:
    result: dict[str, object] = {"rounds": len(launches["empty"]), "load": os.getloadavg()[0]}
    for name, found in launches.items():
        columns = {key: [asdict(x)[key] for x in found] for key in asdict(found[0])}
        result[name] = {key: round(statistics.median(v), 2) for key, v in columns.items()}
    result["ratio"] = round(result["maskviz"]["paint"] / result["empty"]["paint"], 3)  # type: ignore[index]
    result["within_time"] = result["ratio"] <= TIME_BUDGET  # type: ignore[operator]
    result["within_memory"] = result["maskviz"]["idle"] <= MEMORY_BUDGET  # type: ignore[index]
    return result


def _start(command: list[str], port: int) -> tuple[subprocess.Popen, str]:
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT, env=os.environ
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):  # noqa: S310
                return server, url
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"The app did not answer at {url} within 60 seconds.")


def _stop(server: subprocess.Popen) -> None:
    server.kill()
    server.wait()


def _megabytes(server: subprocess.Popen) -> float:
    return psutil.Process(server.pid).memory_info().rss / MEGABYTE


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = compare(options.rounds)
    if options.json:
        print(json.dumps(found))
        return
    for name in ("empty", "maskviz"):
        row = found[name]
        print(
            f"{name:8} {row['paint']:5.2f} s to the first paint, {row['answer']:5.2f} s to the "
            f"answer, {row['idle']:4.0f} MB idle, "
            f"{row['visited']:4.0f} MB after a visit"
        )
    print(f"load average {found['load']:.1f}; {found['rounds']} rounds, medians")
    print(f"ratio {found['ratio']} (budget {TIME_BUDGET}); idle budget {MEMORY_BUDGET} MB")


if __name__ == "__main__":
    main()
