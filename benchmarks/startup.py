"""Launch to first paint and first finding, and memory, of the dashboard.

    python benchmarks/startup.py [--rounds 7] [--json]          beside an empty Streamlit app
    python benchmarks/startup.py --beside FOLDER [--after 3]    beside another checkout

Both are started as processes of their own with the same configuration, in turn, and opened in
the same headless browser with an empty cache. Time runs from the start of the process to the
first element that the script has drawn ("paint"), and to the page's headline ("answer": the
finding of the first example). Memory is the resident set of the process: after launch with no
visitor under `MASKVIZ_LAZY=1` ("idle"), and ten seconds after the first visit. Budgets: time at
most 1.15 times the empty app's, idle memory at most 120 MB.

Beside another checkout each is opened at once and, in a launch of its own, `--after` seconds after
the start of the process; time runs from the opening of the address to the paint, to the whole
finding of the first example with the model's guesses in its strip, and to the end of the page.
Memory is what the server holds when it has been left alone for `--settle` seconds, and after that
visit. Budget: the finding in 0.4 times the other's, a warm server of at most 800 MB.

Take it on an idle machine: the load average is printed too.
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
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from maskviz.launch import streamlit_arguments  # noqa: E402
from scripts.chromium import ARGUMENTS, find_chromium  # noqa: E402

EMPTY = "import streamlit as st\n\nst.write('empty')\n"
ELEMENT = '[data-testid="stElementContainer"]:visible'
ANSWERS = {"empty": ELEMENT, "maskviz": '[data-testid="stMain"] h3'}
MEGABYTE = 1e6
TIME_BUDGET, MEMORY_BUDGET = 1.15, 120
FINDING = ".unit.off .guess"  # the model's guess under a hidden word: the last of the finding
DONE = """() => document.querySelector("[data-testid=stApp]")?.dataset.testScriptState
  === "notRunning\""""
FINDING_BUDGET, WARM_BUDGET = 0.4, 800
PATIENCE = 300_000  # milliseconds to wait on a loaded machine


@dataclass(frozen=True)
class Launch:
    """One launch: seconds to the paint and the answer, megabytes with no visitor and after one."""

    paint: float
    answer: float
    idle: float
    visited: float


@dataclass(frozen=True)
class Visit:
    """The first visit: seconds from opening the address, and what the server took.

    listens: from the start of the process until it answers; processor: seconds of its processor
        time from the opening to the finding, which on a loaded machine is the fairer figure;
    alone, visited: megabytes before and after.
    """

    listens: float
    paint: float
    finding: float
    page: float
    processor: float
    alone: float
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
    server, _ = _start(command(port), port, MASKVIZ_LAZY="1")
    time.sleep(1)
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
        result[name] = _medians(found)
    result["ratio"] = round(result["maskviz"]["paint"] / result["empty"]["paint"], 3)  # type: ignore[index]
    result["within_time"] = result["ratio"] <= TIME_BUDGET  # type: ignore[operator]
    result["within_memory"] = result["maskviz"]["idle"] <= MEMORY_BUDGET  # type: ignore[index]
    return result


def first_visit(browser: object, root: Path, after: float) -> Visit:
    """Serve the checkout in `root`, open it `after` seconds after the start, stop it."""
    port = _free_port()
    with tempfile.TemporaryDirectory() as home:
        began = time.perf_counter()
        server, url = _start(our_command(port), port, root, MASKVIZ_HOME=home)
        listens = time.perf_counter() - began
        time.sleep(max(0.0, after - listens))
        alone, before = _megabytes(server), _processor(server)
        page = browser.new_context().new_page()  # type: ignore[attr-defined]
        page.set_default_timeout(PATIENCE)
        opened = time.perf_counter()
        page.goto(url, wait_until="commit")
        page.locator(ELEMENT).first.wait_for(state="visible")
        paint = time.perf_counter() - opened
        page.locator(FINDING).first.wait_for(state="visible")
        finding, took = time.perf_counter() - opened, _processor(server) - before
        page.wait_for_function(DONE)
        whole = time.perf_counter() - opened
        visited = _megabytes(server)
        page.context.close()
        _stop(server)
    return Visit(listens, paint, finding, whole, took, alone, visited)


def beside(other: Path, after: float, settle: float, rounds: int) -> dict[str, object]:
    """Return the medians of both checkouts, opened at once, after `after` and when settled."""
    from playwright.sync_api import sync_playwright

    roots = {"before": other.resolve(), "now": ROOT}
    moments = {"at once": 0.0, f"after {after:g} s": after, "settled": settle}
    found: dict[str, dict[str, list[Visit]]] = {m: {n: [] for n in roots} for m in moments}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        for turn in range(rounds + 1):
            for moment, seconds in moments.items():
                for name, root in roots.items():
                    visit = first_visit(browser, root, seconds)
                    if turn:  # the first round reads the disk
                        found[moment][name].append(visit)
        browser.close()
    result: dict[str, object] = {"rounds": rounds, "load": os.getloadavg()[0]}
    for moment, visits in found.items():
        result[moment] = {name: _medians(each) for name, each in visits.items()}
    return result


def _medians(found: Sequence[Launch | Visit]) -> dict[str, float]:
    rows = [asdict(each) for each in found]
    return {key: round(statistics.median(row[key] for row in rows), 2) for key in rows[0]}


def _start(
    command: list[str], port: int, root: Path = ROOT, **environment: str
) -> tuple[subprocess.Popen, str]:
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), **environment},
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


def _processor(server: subprocess.Popen) -> float:
    times = psutil.Process(server.pid).cpu_times()
    return times.user + times.system


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _say_beside(found: dict[str, Any]) -> None:
    for moment, both in found.items():
        if not isinstance(both, dict):
            continue
        for name, row in both.items():
            print(
                f"{moment:12} {name:7} {row['paint']:5.2f} s to the first paint, "
                f"{row['finding']:5.2f} s to the finding, {row['page']:5.2f} s to the whole page; "
                f"{row['processor']:5.2f} s of processor time to the finding; "
                f"{row['alone']:4.0f} MB before, {row['visited']:4.0f} MB after"
            )
        shares = (both["now"][key] / both["before"][key] for key in ("finding", "processor"))
        print("{:12} ratio {:.2f} to the finding, {:.2f} in processor time".format(moment, *shares))
    print(f"load average {found['load']:.1f}; {found['rounds']} rounds, medians")
    print(f"budgets: ratio {FINDING_BUDGET} to the finding; a warm server {WARM_BUDGET} MB")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--beside", type=Path, help="the folder of another checkout")
    parser.add_argument("--after", type=float, default=3.0, help="seconds after the start")
    parser.add_argument("--settle", type=float, default=30.0, help="seconds left alone")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.beside is not None:
        found = beside(options.beside, options.after, options.settle, options.rounds)
    else:
        found = compare(options.rounds)
    if options.json:
        print(json.dumps(found))
    elif options.beside is not None:
        _say_beside(found)
    else:
        _say(found)


def _say(found: dict[str, Any]) -> None:
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
