"""Take the README's pictures: every page in light, the first one also in dark, one on a phone.

    python scripts/screenshots.py [--out docs/images] [--pages mask attention]

Starts the dashboard on a port of its own with an empty home in which one short run has been
made, so that Fine-tune and Experiments have something to show. Pictures are palette PNGs.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts.chromium import ARGUMENTS, find_chromium  # noqa: E402

PAGES = ("mask", "attention", "compare", "chat", "finetune", "experiments", "guide")
ADDRESS = {"mask": "?example=key"}  # the first page is at the root; this example shows most
PRESSED = {"chat": "Ask"}  # the button that shows what a page is for
WIDE = {"width": 1400, "height": 900}
PHONE = {"width": 390, "height": 844}
TRAIN = ("train", "--data", "example", "--strategy", "attribute", "--max-steps", "60")


@dataclass(frozen=True)
class Picture:
    """One picture: a page, in a scheme (light or dark), at a size in CSS pixels."""

    page: str
    scheme: str
    size: dict[str, int]
    file: str


def pictures(pages: list[str]) -> list[Picture]:
    """Return what is to be taken."""
    wide = [Picture(page, "light", WIDE, f"{page}.png") for page in pages]
    if "mask" not in pages:
        return wide
    dark = Picture("mask", "dark", WIDE, "mask-dark.png")
    return [*wide, dark, Picture("mask", "light", PHONE, "mask-phone.png")]


@contextmanager
def dashboard(home: Path) -> Iterator[str]:
    """Serve the dashboard with its runs in `home`; yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "maskviz", "app", "--port", str(port), "--no-browser"]
    server = subprocess.Popen(command, cwd=ROOT, env=_environment(home), stdout=subprocess.DEVNULL)
    try:
        _wait(f"http://127.0.0.1:{port}/_stcore/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=60)
        end_worker(home)


def end_worker(home: Path) -> None:
    """End the worker of the runs in `home`: it outlives the dashboard, and still writes there."""
    from maskviz.runs import process
    from maskviz.training.folder import read_json

    worker = read_json(home / "runs" / "worker.json")
    pid, started = worker.get("pid"), worker.get("process_started")
    while process.is_alive(pid, started):
        os.kill(pid, signal.SIGTERM)
        time.sleep(0.2)


def take(browser: object, url: str, picture: Picture) -> bytes:
    """Open a page, let it settle, return the picture as a PNG of at most 256 colours."""
    context = browser.new_context(  # type: ignore[attr-defined]
        viewport=picture.size, color_scheme=picture.scheme, device_scale_factor=1
    )
    page = context.new_page()
    page.goto(f"{url}/{ADDRESS.get(picture.page, picture.page)}")
    settle(page)
    if button := PRESSED.get(picture.page):
        page.get_by_role("button", name=button, exact=True).click()
        settle(page)
    shot = page.screenshot()
    context.close()
    return compress(shot)


def settle(page: object) -> None:
    """Wait until the app has run and nothing on the page moves any more."""
    page.locator('[data-testid="stMain"] :is(h1, h2, h3)').first.wait_for(  # type: ignore[attr-defined]
        timeout=90_000
    )
    before = b""
    for _ in range(40):
        page.wait_for_timeout(750)  # type: ignore[attr-defined]
        now = page.screenshot()  # type: ignore[attr-defined]
        done = page.locator('[data-test-script-state="notRunning"]').count()  # type: ignore[attr-defined]
        if now == before and done:
            return
        before = now


def compress(png: bytes) -> bytes:
    """Return a PNG with an adaptive palette: a third of the size, no difference to the eye."""
    from PIL import Image

    image = Image.open(io.BytesIO(png)).convert("RGB")
    reduced = image.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    stream = io.BytesIO()
    reduced.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "MASKVIZ_HOME": str(home), "HF_HUB_OFFLINE": "1"}


def _wait(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310 - this machine's own
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"The dashboard did not answer at {url} within 60 seconds.")


def main() -> None:
    """Take the pictures and print their sizes."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--pages", nargs="+", choices=PAGES, default=list(PAGES))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    # A worker that had only just been started may still write while the folder goes.
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        sync_playwright() as playwright,
    ):
        home = Path(folder)
        if {"finetune", "experiments"} & set(options.pages):
            train = [sys.executable, "-m", "maskviz", *TRAIN]
            subprocess.run(train, cwd=ROOT, env=_environment(home), check=True)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        with dashboard(home) as url:
            for picture in pictures(options.pages):
                image = take(browser, url, picture)
                (options.out / picture.file).write_bytes(image)
                print(f"{picture.file}: {len(image) / 1024:.0f} KiB")
        browser.close()


if __name__ == "__main__":
    main()
