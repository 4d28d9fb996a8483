"""Attention in the browser, side by side with BertViz: bytes, click to paint, server memory.

    pip install --no-deps bertviz && pip install ipython    # the peer; else our figures alone
    python benchmarks/attention.py [--rounds 5] [--scripts FOLDER] [--json]

Take it on an idle machine: the load average is printed with the figures.

Ours: a page serves 12 × 12 heads through the dashboard's own component; a click swaps plain for
masked attention, and the clock runs in the browser from that click to the painted canvas: the
server's run, the message and the drawing are all in it. Bytes are those of the largest message.
BertViz: `model_view` of the same weights, its HTML in bytes (at 512 tokens of one layer, times
the layers), and the time from opening it until its heads are drawn, since each click needs the
whole page first. It fetches d3, jQuery and RequireJS from a CDN; FOLDER may hold d3.min.js,
jquery.min.js and require.js in their place (from `npm pack d3@5 jquery@2 requirejs`).

Memory: the real dashboard with a random BERT of 12 × 12 heads looks at a text of 512 tokens; its
peak resident memory is set against that after a short text with the same model.

Budgets: whole model at 128 tokens 2.4 MB and 300 ms; one layer of 12 heads at 512 tokens 3.3 MB
and 500 ms; 300 MB of memory over the loaded model.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.serving import browser, serve  # noqa: E402

LAYERS = HEADS = 12
# tokens, layers sent, megabytes allowed, milliseconds allowed
CASES = ((32, 12, 2.4, 300), (128, 12, 2.4, 300), (512, 1, 3.3, 500))
MEMORY = 300  # MB allowed over the loaded model
PATIENCE = 300_000  # milliseconds
PAGE = """
import numpy as np
import streamlit as st
from maskviz.figures.canvas import mosaic_message
from maskviz.ui.components.attention_mosaic import attention_mosaic

st.set_page_config(layout="wide")
layers, heads, tokens = (int(st.query_params[name]) for name in ("layers", "heads", "tokens"))

@st.cache_resource
def weights(seed, *shape):
    draws = np.random.default_rng(seed).gumbel(size=shape).astype(np.float32)
    drawn = np.exp(draws)
    return (drawn / drawn.sum(-1, keepdims=True)).astype(np.float16)

both = [weights(seed, layers, heads, tokens, tokens) for seed in (0, 1)]
masked = st.toggle("Masked")
attention_mosaic(mosaic_message(both[masked]), "mosaic")
"""
CLICK = """
([canvas, input]) => new Promise(done => {
  const start = performance.now()
  new MutationObserver((_, observer) => {
    observer.disconnect()
    requestAnimationFrame(() => done(performance.now() - start))
  }).observe(canvas, { attributes: true, attributeFilter: ["data-milliseconds"] })
  input.click()
})
"""


@dataclass(frozen=True)
class Row:
    """One case. MB on the wire and milliseconds to the paint; BertViz's where it is installed."""

    tokens: int
    layers: int
    megabytes: float
    milliseconds: tuple[float, ...]
    within: bool
    bertviz_megabytes: float | None
    bertviz_seconds: float | None


def main() -> None:
    """Measure every case and the memory, and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scripts", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        script = Path(folder) / "page.py"
        script.write_text(PAGE)
        with serve(["-m", "streamlit", "run", str(script)]) as (url, _):
            ours = [measure(chromium, url, case, options.rounds) for case in CASES]
        rows = [
            Row(*case[:2], *own, *bertviz(chromium, case, Path(folder), options.scripts))
            for case, own in zip(CASES, ours, strict=True)
        ]
        memory = server_memory(chromium, Path(folder))
    report(rows, memory, options.json)


def report(rows: list[Row], memory: float, as_json: bool) -> None:
    """Print what was measured, with the machine it was measured on."""
    machine = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {platform.platform()}"
    if as_json:
        print(json.dumps({"machine": machine, "rows": list(map(asdict, rows)), "memory": memory}))
        return
    print(machine)
    print(f"{'12 heads, tokens':18}{'layers':>7}{'MB':>8}{'click to paint, ms':>27}  within"
          f"{'BertViz MB':>13}{'BertViz s':>11}")  # fmt: skip
    for r in rows:
        middle = f"{statistics.median(r.milliseconds):.0f}"
        middle += f" ({min(r.milliseconds):.0f} to {max(r.milliseconds):.0f})"
        other = "–" if r.bertviz_megabytes is None else f"{r.bertviz_megabytes:.1f}"
        drawn = "–" if r.bertviz_seconds is None else f"{r.bertviz_seconds:.1f}"
        print(f"{r.tokens:<18}{r.layers:>7}{r.megabytes:8.2f}{middle:>27}  {r.within!s:6}"
              f"{other:>13}{drawn:>11}")  # fmt: skip
    print(f"memory over the loaded model at 512 tokens: {memory:.0f} MB, within {memory <= MEMORY}")


def measure(
    chromium: Any, url: str, case: tuple[int, int, float, float], rounds: int
) -> tuple[float, tuple[float, ...], bool]:
    """Return megabytes, milliseconds of each click, and whether both are within the budget."""
    tokens, layers, megabytes, milliseconds = case
    page = chromium.new_page(viewport={"width": 1400, "height": 900})
    page.set_default_timeout(PATIENCE)
    sizes: list[int] = []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda frame: sizes.append(len(frame))))
    page.goto(f"{url}/?layers={layers}&heads={HEADS}&tokens={tokens}")
    canvas = page.locator("canvas[data-painted]")
    canvas.wait_for()
    toggle = page.locator("input[type=checkbox]")
    handles = [canvas.element_handle(), toggle.element_handle()]
    times = []
    for _ in range(rounds):
        page.wait_for_timeout(500)
        times.append(float(page.evaluate(CLICK, handles)))
    page.close()
    largest = max(sizes) / 1e6
    within = largest <= megabytes and statistics.median(times) <= milliseconds
    return largest, tuple(times), within


def bertviz(
    chromium: Any, case: tuple[int, int, float, float], folder: Path, scripts: Path | None
) -> tuple[float | None, float | None]:
    """Return the megabytes of model_view's HTML and the seconds until its heads are drawn."""
    try:
        from bertviz import model_view
    except ImportError:
        return None, None
    import torch

    tokens, layers = case[:2]
    torch.manual_seed(0)
    drawn = [torch.rand(1, HEADS, tokens, tokens).softmax(-1) for _ in range(layers)]
    page = model_view(drawn, [f"token{i}" for i in range(tokens)], html_action="return").data
    path = folder / f"bertviz{tokens}.html"
    path.write_text(page, encoding="utf-8")
    whole = path.stat().st_size * LAYERS / layers / 1e6
    return whole, _opened(chromium, path, layers * HEADS, scripts)


def _opened(chromium: Any, path: Path, heads: int, scripts: Path | None) -> float | None:
    """Return the seconds until all heads are drawn, None where that takes too long."""
    from playwright.sync_api import Error

    tab = chromium.new_page(viewport={"width": 1400, "height": 900})
    files = {"d3": "d3.min.js", "jquery": "jquery.min.js", "require": "require.js"}

    def answer(route: Any) -> None:
        name = next((f for part, f in files.items() if part in route.request.url), None)
        if scripts is None or name is None:
            route.continue_()
        else:
            route.fulfill(path=scripts / name, content_type="text/javascript")

    tab.route(re.compile("^https?://"), answer)
    start = time.perf_counter()
    try:
        tab.goto(path.as_uri(), timeout=PATIENCE, wait_until="commit")
        drawn = f"document.querySelectorAll('svg path, svg line').length >= {heads}"
        tab.wait_for_function(drawn, timeout=120_000)
        return time.perf_counter() - start
    except Error:
        return None
    finally:
        tab.close()


def server_memory(chromium: Any, folder: Path) -> float:
    """Return the megabytes that looking at 512 tokens adds to the server with its model loaded."""
    model = _large_model(folder / "bert")
    words = " ".join(["the film was great and the story was slow"] * 80)
    home = {"MASKVIZ_HOME": str(folder / "home")}
    with serve(["-m", "maskviz", "app", "--no-browser"], "--port", **home) as (url, process):
        page = chromium.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(PATIENCE)
        for text in ("the film was great", words):
            values = {"text": text, "strategy": "random", "ratio": 0.2, "model": str(model)}
            page.goto(f"{url}/attention?{urlencode(values)}")
            page.locator("canvas[data-painted]").nth(1).wait_for()
            if text != words:
                _settle(process.pid)
                before = _resident(process.pid, reset=True)
        peak = _resident(process.pid)
        page.close()
    return peak - before


def _settle(pid: int) -> None:
    """Wait until the server's memory has stood still for three seconds: its warm-up is over."""
    sizes = [0.0] * 4
    for _ in range(90):
        time.sleep(1)
        sizes = [*sizes[1:], _resident(pid, reset=True)]
        if max(sizes) - min(sizes) < 1:
            return


def _resident(pid: int, reset: bool = False) -> float:
    """Return the peak resident megabytes since the last reset (Linux); reset it where asked."""
    if reset:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def _large_model(folder: Path) -> Path:
    """Write a random BERT classifier of 12 layers × 12 heads that reads 512 tokens."""
    from transformers import BertConfig, BertForSequenceClassification

    from tests.tiny_models import tokenizer

    tokens = tokenizer("wordpiece")
    tokens.model_max_length = 512
    BertForSequenceClassification(BertConfig(vocab_size=len(tokens))).save_pretrained(folder)
    tokens.save_pretrained(folder)
    return folder


if __name__ == "__main__":
    main()
