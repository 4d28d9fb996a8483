"""Every command on a text of a million characters, and a table's worst: time, and peak memory.

    python benchmarks/long.py [FILTER …] [--json]

Each runs in a process of its own; peak memory is that of the process, as the system counted it.
FILTER keeps the runs whose name holds it, such as `mask` or `/cjk`. The texts: words with spaces,
short sentences, one word without an end, Chinese, emoji of several joined, one letter under a
million marks. What is refused ends with 2 and one sentence; budget: nothing else fails, under 3 GB.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

SIZE, MOST_MB = 1_000_000, 3000
PLAIN = "Anna Lee said in Paris that the film was a dull and slow one but the acting great"
STRATEGIES = (
    "random", "span", "sentence", "entity", "attribute", "key", "pii", "redundant", "noise",
    "collocation",
)  # fmt: skip
COMMANDS = ("fill", "explain", "compare", "audit", "attend", "report", "summarise", "translate")


@dataclass(frozen=True)
class Trial:
    """One command on one input: how it ended (0, or 2 for a refusal) and what it took."""

    name: str
    status: int
    seconds: float
    peak_mb: float
    said: str


def texts() -> dict[str, str]:
    """Return name → text, a million characters each."""
    rng = random.Random(0)  # noqa: S311 - a seeded stream, no secret
    plain = " ".join(rng.choice(PLAIN.split()) for _ in range(SIZE // 4))[:SIZE]
    return {
        "words": plain,
        "sentences": f"{plain[:80]}. " * (SIZE // 82),
        "one word": "a" * SIZE,
        "cjk": "我们喜欢这部电影它很好看" * (SIZE // 12),
        "emoji": "👩\u200d👩\u200d👧\u200d👦 " * (SIZE // 8),
        "marks": "a" + "\u0301" * (SIZE - 1),
    }


def tables(long: str) -> dict[str, bytes]:
    """Return name → CSV."""
    rows = "text,label\n" + "a good film,positive\na dull film,negative\n" * 3
    wide = "text,label," + ",".join(f"c{i}" for i in range(198)) + "\n"
    return {
        "a long cell": f'{rows}"{long}",negative\n'.encode(),
        "200 columns": (wide + f"a good film,positive{',x' * 198}\n" * 200).encode(),
        "100,000 rows": (rows + "a good film,positive\n" * 100_000).encode(),
        "latin-1": f"{rows}café naïve,positive\n".encode("latin-1"),
        "utf-16": rows.encode("utf-16"),
        "old line ends": rows.replace("\n", "\r").encode(),
        "nul": rows.encode() + b"a\x00b,positive\n",
        "open quote": (rows + '"a dull film,negative\n' + rows).encode(),
    }


def runs(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each run's name and arguments; its input is written to `folder`."""
    written = texts()
    for name, text in written.items():
        path = folder / f"{name}.txt"
        path.write_text(text, encoding="utf-8")
        for strategy in STRATEGIES:
            yield f"mask {strategy}/{name}", ["mask", "--file", str(path), "-s", strategy]
        for command in COMMANDS:
            more = {"attend": ["--out", str(folder / "a.npz")]}.get(command, [])
            more = ["--out", str(folder / "a.html")] if command == "report" else more
            yield f"{command}/{name}", [command, *more, f"<{path}"]
    for name, content in tables(written["words"]).items():
        path = folder / f"{name}.csv"
        path.write_bytes(content)
        asked = ["--text-column", "text", "-s", "random,entity", "--rows", "1000"]
        yield f"table/{name}", ["compare", "--file", str(path), *asked]


def measure(name: str, arguments: list[str], home: Path) -> Trial:
    """Run one command in a process of its own."""
    last = arguments[-1]
    piped = last.startswith("<")
    given = Path(last[1:]).open("rb") if piped else subprocess.DEVNULL  # noqa: SIM115
    command = [sys.executable, "-m", "maskviz", *(arguments[:-1] if piped else arguments)]
    begin = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, stdin=given, stdout=subprocess.DEVNULL, stderr=errors,
            env={**os.environ, "MASKVIZ_HOME": str(home)},
        )  # fmt: skip
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip()
    seconds = time.monotonic() - begin
    return Trial(name, process.returncode, seconds, used.ru_maxrss / 1024, said[-160:])


def main() -> int:
    """Print a line for each run; the status tells whether the budget is kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("filters", nargs="*")
    parser.add_argument("--json", action="store_true", help="print one JSON document a line")
    asked = parser.parse_args()
    kept = True
    with tempfile.TemporaryDirectory() as place:
        for name, arguments in runs(Path(place)):
            if asked.filters and not any(part in name for part in asked.filters):
                continue
            trial = measure(name, arguments, Path(place) / "home")
            kept &= trial.status in (0, 2) and trial.peak_mb < MOST_MB
            line = f"{name:28} {trial.seconds:6.1f} s {trial.peak_mb:6.0f} MB  {trial.status}"
            said = f"  {trial.said}" if trial.status else ""
            print(json.dumps(asdict(trial)) if asked.json else line + said, flush=True)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
