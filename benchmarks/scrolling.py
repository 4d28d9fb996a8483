"""Frames while a conversation scrolls on the Chat page, beside an empty Streamlit page.

    python benchmarks/scrolling.py [TURNS]

A headless Chromium scrolls the cards of the page, and a page of Streamlit's own Markdown that is
about as long, by 20 and by 80 pixels a frame; both by turns, three times, since other work on the
machine hits both. `requestAnimationFrame` tells the time between two frames: 16.7 ms is all that a
screen of 60 Hz shows. Needs Playwright and a Chromium, as the browser tests do.
"""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.chromium import ARGUMENTS, find_chromium

WORDS = ("Anna", "lives", "in", "Rome", "and", "bakes", "bread.", "The", "door", "is", "green.")
PLAIN = "import streamlit as st\nfor i in range(160):\n    st.markdown('word ' * 60)\n"
SCROLL = """async ([cards, distance]) => {
  const within = (node, name) => {
    const hit = node.querySelector(name)
    if (hit) return hit
    for (const one of node.querySelectorAll("*")) {
      const found = one.shadowRoot && within(one.shadowRoot, name)
      if (found) return found
    }
  }
  const box = within(document, cards ? ".text.cards" : "[data-testid=stMain]")
  const end = box.scrollHeight - box.clientHeight, times = []
  box.scrollTop = 0
  await new Promise(done => setTimeout(done, 500))
  await new Promise(done => {
    let last
    const frame = now => {
      if (last !== undefined) times.push(now - last)
      last = now
      box.scrollTop = Math.min(end, (times.length + 1) * distance)
      box.scrollTop >= end - 1 || times.length > 400 ? done() : requestAnimationFrame(frame)
    }
    requestAnimationFrame(frame)
  })
  return times
}"""


def main() -> None:
    """Print median, 95th percentile and longest time of a frame of both pages."""
    from playwright.sync_api import sync_playwright

    turns = int(sys.argv[1]) if sys.argv[1:] else 60
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        plain = Path(folder) / "plain.py"
        plain.write_text(PLAIN, encoding="utf-8")
        app = ["-m", "maskviz", "app", "--no-browser", "--port"]
        bare = ["-m", "streamlit", "run", str(plain), "--server.headless", "true", "--server.port"]
        with served(app) as one, served(bare) as other:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
            chat, empty = browser.new_page(), browser.new_page()
            opened(chat, f"{one}/chat?model=mini-chat", turns)
            empty.goto(other)
            empty.wait_for_timeout(4000)
            compared(chat, empty, turns)
            browser.close()


def compared(chat: Any, empty: Any, turns: int) -> None:
    """Scroll both pages by turns and print what they took."""
    for distance in (20, 80):
        found: dict[str, list[float]] = {}
        for _ in range(3):
            for name, page in ((f"{turns} turns", chat), ("empty page", empty)):
                page.bring_to_front()
                found.setdefault(name, []).extend(page.evaluate(SCROLL, [page is chat, distance]))
        for name, times in found.items():
            late = statistics.quantiles(times, n=20)[-1]
            print(
                f"{name}, {distance} px a frame: median {statistics.median(times):.1f} ms, "
                f"95 % {late:.1f} ms, longest {max(times):.0f} ms, {len(times)} frames"
            )


def opened(page: Any, url: str, turns: int) -> None:
    """Open the Chat page and paste a conversation of so many turns."""
    said = [
        {"role": ("user", "assistant")[i % 2], "content": " ".join(WORDS[i % 9 :] + 4 * WORDS)}
        for i in range(turns)
    ]
    page.goto(url, wait_until="domcontentloaded")
    page.locator("article.card").first.wait_for(timeout=120_000)
    page.get_by_text("Another conversation").first.click()
    box = page.get_by_role("textbox", name="Paste one")
    box.fill(json.dumps(said))
    box.press("Control+Enter")
    page.locator("article.card").nth(turns - 1).wait_for(state="attached", timeout=120_000)
    page.wait_for_timeout(3000)


@contextmanager
def served(command: list[str]) -> Iterator[str]:
    """Serve an app on a free port and yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, *command, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(400):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2)
                break
            except OSError:
                time.sleep(0.3)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=20)


if __name__ == "__main__":
    main()
