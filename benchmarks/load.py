"""Twenty sessions on one server, each clicking through Mask, Attention and Compare.

    python benchmarks/load.py                 # starts a server of its own on a free port
    python benchmarks/load.py --sessions 5 --rounds 2 --think 1

Every session speaks the browser's own wire protocol (a WebSocket with protobuf messages), with its
own text, thinks for a while between clicks as a person does, and waits until the server has run the
page to its end. Printed: answers, errors, the median and 95th percentile of a click in seconds, and
the server's memory and processor time. Exit status 1 where there was an error, p95 is over 2 s or
memory has grown by more than 600 MB.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode

import psutil

ROOT = Path(__file__).resolve().parents[1]
LIMIT_SECONDS, LIMIT_MEMORY = 2.0, 600e6
PAGES = ("", "attention", "compare")
HOSTILE = ("</script><script>alert(1)</script>", "\u202ereversed", "<img src=x onerror=alert(1)>")
OPENINGS = ("Anna loved", "Marco disliked", "A nurse from Vienna praised", "Nobody finished")
THINGS = ("the long film", "a warm and funny book", "that dull concert", "the new museum in Paris")


@dataclass
class Session:
    """One visitor: what was measured of it."""

    number: int
    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    seed_widget: str = ""
    clicks: int = 0

    @property
    def text(self) -> str:
        """A text of this visitor's own; every fifth one brings something hostile."""
        rng = random.Random(self.number)  # noqa: S311 - repeatable
        said = f"{rng.choice(OPENINGS)} {rng.choice(THINGS)}, visit {self.number}, and slept well."
        return said + (" " + rng.choice(HOSTILE) if self.number % 5 == 0 else "")


async def visit(session: Session, port: int, rounds: int, think: float) -> None:
    """Open the dashboard and click through its pages."""
    import websockets

    rng = random.Random(1000 + session.number)  # noqa: S311 - repeatable
    await asyncio.sleep(think * rng.random() * 2)  # people do not come all at once
    url = f"ws://127.0.0.1:{port}/_stcore/stream"
    options = {"subprotocols": ["streamlit"], "max_size": None, "open_timeout": 60}
    try:
        async with websockets.connect(url, origin=f"http://127.0.0.1:{port}", **options) as stream:
            for turn in range(rounds):
                for page in PAGES:
                    await click(session, stream, page, "open" if turn == 0 else page or "mask")
                    await asyncio.sleep(think * (0.5 + rng.random()))
                    if page == "" and session.seed_widget:
                        session.clicks += 1
                        await click(session, stream, page, "new seed", seed=session.clicks)
                        await asyncio.sleep(think * (0.5 + rng.random()))
    except (OSError, TimeoutError, websockets.WebSocketException) as error:
        session.errors.append(f"{type(error).__name__}: {error}")


async def click(session: Session, stream, page: str, kind: str, seed: int | None = None) -> None:
    """Send one rerun and read until the script has finished; note its time and its errors."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    message = BackMsg()
    query = {"text": session.text, "strategy": "random", "ratio": "0.3", "seed": session.number}
    message.rerun_script.query_string = urlencode(query)
    message.rerun_script.page_name = page
    if seed is not None:
        widget = message.rerun_script.widget_states.widgets.add()
        widget.id, widget.int_value = session.seed_widget, seed
    began = time.perf_counter()
    await stream.send(message.SerializeToString())
    while True:
        answer = ForwardMsg()
        answer.ParseFromString(await asyncio.wait_for(stream.recv(), 120))
        _note(session, answer, page or "mask")
        ended = answer.WhichOneof("type") == "script_finished"
        if ended and answer.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            break
    session.seconds.setdefault(kind, []).append(time.perf_counter() - began)


def _note(session: Session, answer, page: str) -> None:
    """Keep what went wrong on which page, and the place of the seed."""
    if answer.WhichOneof("type") != "delta":
        return
    element = answer.delta.new_element
    kind = element.WhichOneof("type")
    if kind == "exception":
        session.errors.append(f"{page}: {element.exception.message}"[:120])
    elif kind == "alert" and element.alert.format == element.alert.ERROR:
        session.errors.append(f"{page} shows the error {element.alert.body}"[:200])
    elif kind == "number_input" and element.number_input.label == "Seed":
        session.seed_widget = element.number_input.id
    elif kind == "html" and not element.html.body.lstrip().startswith("<style>"):
        session.errors.append("raw HTML was sent that is not the dashboard's own stylesheet")
    elif kind == "markdown" and element.markdown.allow_html:
        session.errors.append("Markdown was sent with HTML allowed")


def serve(home: Path) -> tuple[subprocess.Popen, int]:
    """Start the dashboard on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "maskviz", "app", "--port", str(port), "--no-browser"]
    environment = {**os.environ, "MASKVIZ_HOME": str(home), "PYTHONPATH": str(ROOT)}
    with (home / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    end = time.monotonic() + 180
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                return server, port
        except (URLError, OSError):
            time.sleep(0.2)
    raise SystemExit(f"the dashboard did not start: {(home / 'server.log').read_text()[-500:]}")


@dataclass(frozen=True)
class Use:
    """What the server and its children hold in bytes, and have computed in seconds so far."""

    memory: int
    seconds: float


def use(server: subprocess.Popen) -> Use:
    """Measure the server now."""
    process = psutil.Process(server.pid)
    found = [p for p in (process, *process.children(recursive=True)) if p.is_running()]
    times = [p.cpu_times() for p in found]
    return Use(sum(p.memory_info().rss for p in found), sum(t.user + t.system for t in times))


async def storm(port: int, sessions: int, rounds: int, think: float) -> list[Session]:
    """Let all sessions click side by side."""
    found = [Session(number) for number in range(1, sessions + 1)]
    await asyncio.gather(*(visit(session, port, rounds, think) for session in found))
    return found


def report(found: list[Session], before: Use, after: Use) -> int:
    """Print the figures; return the exit status."""
    grown, busy = after.memory - before.memory, after.seconds - before.seconds
    kinds = sorted({kind for session in found for kind in session.seconds})
    every: list[float] = []
    for kind in kinds:
        values = [value for session in found for value in session.seconds.get(kind, [])]
        every += values
        print(f"{kind:<12}{len(values):>6} clicks  median {statistics.median(values):6.2f} s  "
              f"p95 {_p95(values):6.2f} s  longest {max(values):6.2f} s")  # fmt: skip
    errors = [error for session in found for error in session.errors]
    p95 = _p95(every)
    print(f"{'all':<12}{len(every):>6} clicks  median {statistics.median(every):6.2f} s  "
          f"p95 {p95:6.2f} s")  # fmt: skip
    print(f"errors: {len(errors)}; memory grew by {grown / 1e6:.0f} MB to "
          f"{after.memory / 1e6:.0f} MB; the server computed {busy:.1f} s, "
          f"{busy / max(1, len(every)):.2f} s a click")  # fmt: skip
    for error in sorted(set(errors))[:5]:
        print(f"  {error}")
    return int(bool(errors) or p95 > LIMIT_SECONDS or grown > LIMIT_MEMORY)


def _p95(values: list[float]) -> float:
    return sorted(values)[max(0, round(0.95 * len(values)) - 1)]


def main() -> None:
    """Serve, warm up with one visitor, then measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--think", type=float, default=5.0, help="mean seconds between clicks")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server, port = serve(Path(folder))
        try:
            asyncio.run(storm(port, 1, 1, 0.1))  # libraries and models are loaded once
            before = use(server)
            found = asyncio.run(storm(port, options.sessions, options.rounds, options.think))
            status = report(found, before, use(server))
            if any(session.errors for session in found):
                print((Path(folder) / "server.log").read_text()[-3000:])
        finally:
            server.kill()
            server.wait(timeout=60)
    sys.exit(status)


if __name__ == "__main__":
    main()
