"""The real dashboard for the browser tests: started once, on a free port, in its own home."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[2]
START_WITHIN = 90  # seconds
# A deep link makes Streamlit's page ask for these beside the page first; it then finds them.
HARMLESS = ("/_stcore/health", "/_stcore/host-config")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_up(url: str, server: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + START_WITHIN
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except URLError:
            time.sleep(0.2)
    pytest.fail(f"The dashboard did not start:\n{log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def app_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the MASKVIZ_HOME of the dashboard."""
    return tmp_path_factory.mktemp("served") / "home"


@pytest.fixture(scope="session")
def app_url(chromium_path: str, app_home: Path) -> Iterator[str]:
    """Serve the dashboard with `maskviz app` and return its address."""
    port, log = _free_port(), app_home.parent / "server.log"
    command = [sys.executable, "-m", "maskviz", "app", "--port", str(port), "--no-browser"]
    environment = {**os.environ, "MASKVIZ_HOME": str(app_home)}
    with log.open("w") as out:
        server = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_up(f"http://127.0.0.1:{port}", server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=20)


QUIET = """() => {
    const state = document.querySelector("[data-testid=stApp]")?.dataset.testScriptState
    if (state !== "notRunning") window.quietSince = undefined
    else window.quietSince ??= performance.now()
    return window.quietSince !== undefined && performance.now() - window.quietSince > 200
}"""


@dataclass
class Visit:
    """One browser tab on the dashboard, and what went wrong in it."""

    page: object
    url: str
    problems: list[str] = field(default_factory=list)

    def open(self, path: str = "", wait: str = "h3") -> Visit:
        """Open a page and wait until Streamlit has run it to its end."""
        self.page.goto(f"{self.url}/{path}", wait_until="domcontentloaded")
        for selector in ("h3", wait):
            self.page.locator(selector).first.wait_for(timeout=90_000)
        return self.settle()

    def settle(self) -> Visit:
        """Wait until no script run is under way, nor begins: one run may follow another."""
        self.page.evaluate("window.quietSince = undefined")
        self.page.wait_for_function(QUIET, timeout=180_000)
        return self

    def shown(self, text: str) -> None:
        """Wait until the page shows this text and its run is over: the rest comes later.

        On a phone Streamlit holds a second, hidden copy of a button that has a help.
        """
        self.page.get_by_text(text).filter(visible=True).first.wait_for(timeout=90_000)
        self.settle()

    @property
    def headline(self) -> str:
        """The sentence that the page opens with."""
        return self.page.locator("h3").first.inner_text().replace("\u00a0", " ")

    @property
    def overflow(self) -> int:
        """How many pixels the page is wider than the window."""
        return self.page.evaluate("document.documentElement.scrollWidth - innerWidth")

    def note(self, problem: str, url: str = "") -> None:
        """Keep a problem unless it is one of the two harmless ones."""
        if not urlsplit(url).path.endswith(HARMLESS):
            self.problems.append(f"{problem} {url}".strip())


@pytest.fixture
def visit(browser, app_url: str) -> Iterator[Visit]:
    """Yield a fresh tab; afterwards no script error and no request to another host is allowed."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    visit = Visit(context.new_page(), app_url)
    page = visit.page
    page.on("console", lambda m: m.type == "error" and visit.note(m.text, m.location["url"]))
    page.on("pageerror", lambda error: visit.note(f"script error: {error}"))
    page.on("dialog", lambda dialog: (visit.note(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: _check_host(visit, request.url))
    yield visit
    context.close()
    assert visit.problems == []


def _check_host(visit: Visit, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
        visit.note(f"request to another host: {parts.hostname}")
