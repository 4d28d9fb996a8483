"""Find a Chromium for the browser tests, and install one where that is allowed.

    python scripts/chromium.py             print its path, or nothing
    python scripts/chromium.py --install   as above, after trying to install one

Order: $MASKVIZ_CHROMIUM, the system's, Playwright's own, and with --install Playwright's
download, then Debian's package where this user may install one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def find_chromium() -> str | None:
    """Return the path of a Chromium that is on this machine, or None."""
    named = os.environ.get("MASKVIZ_CHROMIUM")
    if named and Path(named).is_file():
        return named
    return next(filter(None, map(shutil.which, NAMES)), None) or _playwrights_own()


def install_chromium() -> str | None:
    """Install a Chromium and return its path, or None where nothing may be installed."""
    _say("No Chromium found: asking Playwright for one ...")
    _try([sys.executable, "-m", "playwright", "install", "chromium"], seconds=300)
    if not find_chromium() and (root := _root_prefix()) is not None and shutil.which("apt-get"):
        _say("Playwright's download is not reachable: installing Debian's chromium ...")
        _try([*root, "apt-get", "update", "-qq"], seconds=300)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
        _try([*root, *install], seconds=600)
    return find_chromium()


def _playwrights_own() -> str | None:
    code = (
        "from playwright.sync_api import sync_playwright as s\n"
        "with s() as p: print(p.chromium.executable_path)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    path = answer.stdout.strip()
    return path if path and Path(path).is_file() else None


def _root_prefix() -> list[str] | None:
    if os.geteuid() == 0:
        return []
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0
    ):
        return ["sudo", "-n"]
    return None


def _try(command: list[str], *, seconds: int) -> None:
    # What fails here is seen by the caller: there is no Chromium afterwards.
    try:
        subprocess.run(command, stdout=sys.stderr, timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        _say(f"{command[0]} did not finish: {error}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    path = find_chromium()
    if path is None and "--install" in sys.argv[1:]:
        path = install_chromium()
    if path is None:
        _say("No Chromium: the browser tests are skipped (under CI=true they fail).")
    print(path or "")
