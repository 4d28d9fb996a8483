"""What all tests share: a home of their own, no network, one browser."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.chromium import ARGUMENTS, find_chromium

# Before any library reads them: tests never ask a model hub, and two cores are shared.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ["HF_HOME"] = str(Path(tempfile.gettempdir()) / "maskviz-without-a-hub")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))


@pytest.fixture(autouse=True)
def maskviz_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test an empty MASKVIZ_HOME, so that none sees the user's runs."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("MASKVIZ_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Return a Chromium's path; without one skip, or fail where CI=true."""
    path = find_chromium()
    if path is None:
        reason = "No Chromium here: browser tests need one (`apt-get install chromium`)."
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[object]:
    """Yield one headless Chromium (a Playwright Browser) for a module's tests."""
    # Not for the session: Playwright keeps an event loop running in this thread, and a later
    # module's asyncio.run would refuse to start beside it.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        yield chromium
        chromium.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line that browser tests were skipped, and why."""
    skipped = terminalreporter.stats.get("skipped", ())
    if count := sum("No Chromium" in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(f"{count} browser tests skipped: no Chromium on this machine.")
