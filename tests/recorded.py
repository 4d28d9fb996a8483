"""Every command's JSON as it was recorded: run the command lines, still what moves, compare.

    recording = run_topic("fill", files)      # command line → what it answered
    changes("fill", recorded("fill"), recording)   # [] where nothing changed

Floats are compared within `CLOSE`, all else exactly.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any
from unittest import mock

from tests.recorded_cases import CASES, FILES, MODELS, TEXTS

FOLDER = Path(__file__).with_name("unit") / "recorded_outputs"
# Other processors and builds of torch sum in another order: without AVX a tenth of this was seen.
CLOSE = {"rel_tol": 1e-4, "abs_tol": 5e-5}
LONGEST = 12  # numbers of an array that are kept one by one
STILL = "…"
# Clock, machine, process and versions: the values of these keys are never compared.
MOVING = {
    "seconds", "tokens_per_second", "seconds_left", "heartbeat", "created", "started", "ended",
    "pid", "device", "device_use", "devices", "peak_memory_bytes", "free_gib", "platform",
    "python", "maskviz", "packages", "version", "pipelines", "writable", "problems", "ok", "bytes",
    "id", "limit_gib", "held",
}  # fmt: skip
_NAMED = re.compile(r"\{([\w.-]+)\}")
_STAMP = re.compile(r"-(\d{4}-\d{6}-[0-9a-f]{4}|[0-9a-f]{8})\b")


def recorded(topic: str) -> dict[str, Any]:
    """Return what was recorded of a topic; empty where there is nothing yet."""
    file = FOLDER / f"{topic}.json"
    return json.loads(file.read_text("utf-8")) if file.exists() else {}


def make_files(folder: Path) -> dict[str, str]:
    """Write all that the command lines name; returns what stands for each name."""
    from tests.tiny_chat import chat_model
    from tests.tiny_models import build, tokenizer_of

    for name, (family, head, more) in MODELS.items():
        build(family, folder / name, head, _tokenizer(tokenizer_of(family)), **more)
    chat_model(folder / "chat", tok=_tokenizer("bytes"))
    for name, content in FILES.items():
        (folder / name).write_text(content, encoding="utf-8")
    (folder / "mask.json").write_text(
        _call(["mask", TEXTS["text"], "-s", "pattern", "--words", "dull,fox", "--json"])[1],
        encoding="utf-8",
    )
    paths = {name: str(folder / name) for name in (*MODELS, "chat", *FILES, "mask.json")}
    return {**TEXTS, **paths, "table": paths["rows.csv"], "folder": str(folder)}


def _tokenizer(kind: str) -> Any:
    """Return a tiny tokenizer with the vocabulary it was recorded with: training one varies."""
    from tokenizers import Tokenizer

    from tests.tiny_models import tokenizer, wrapped

    file = FOLDER / "tokenizers" / f"{kind}.json"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        tokenizer(kind).backend_tokenizer.save(str(file), pretty=False)
    return wrapped(Tokenizer.from_file(str(file)))


def run_topic(topic: str, files: Mapping[str, str]) -> dict[str, Any]:
    """Run the command lines of a topic in their order; returns command line → answer.

    A line that comes twice gets a number. MASKVIZ_HOME must be the caller's own and empty.
    """
    found: dict[str, Any] = {}
    known = {**files, "out": f"{files['folder']}/out"}
    for line in CASES[topic]:
        answer = _answer(line, known)
        name, count = line, 1
        while name in found:
            name = f"{line} ({(count := count + 1)})"
        found[name] = answer
    return found


def _answer(line: str, known: dict[str, str]) -> Any:
    """Run one command line; what it names as run or sweep is `known` to the next ones."""
    words = [_NAMED.sub(lambda name: known[name[1]], word) for word in shlex.split(line)]
    status, out, err = _call([*words, *(["--json"] if words else [])], TEXTS["text"])
    said = [json.loads(document) for document in out.splitlines()] if status < 2 else []
    if said and isinstance(said[0], dict):
        known |= {k: said[0][k] for k in ("run", "sweep") if k in said[0]}
    folder = known["folder"]
    places = {**_places(), folder: "{folder}", Path(folder).name: "{folder}"}
    answer: dict[str, Any] = {"exit": status} if status else {}
    if status:
        answer["says"] = still(err.strip().splitlines()[-1:] if status == 1 else err, places)
    if status < 2:
        answer["json"] = still(said[0] if len(said) == 1 else said, places)
    if kept := _kept(known["out"]):
        answer["file"] = still(kept, places)
    return answer


def _places() -> dict[str, str]:
    from maskviz.paths import assets, home

    return {str(home()): "{home}", str(assets()): "{assets}"}


_entry_points = metadata.entry_points


def _but_pipelines(**asked: Any) -> Any:
    """Return the entry points without installed pipelines: recorded is what stands without."""
    return [] if asked.get("group") == "spacy_models" else _entry_points(**asked)


def _call(arguments: Sequence[str], stdin: str = "") -> tuple[int, str, str]:
    """Run a command in this process; returns exit status, standard output and error."""
    from maskviz import cli

    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["maskviz", *arguments]),
        mock.patch.object(metadata, "entry_points", _but_pipelines),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()))),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            cli.main()
        except SystemExit as stopped:
            return int(stopped.code or 0), out.getvalue(), err.getvalue()
    raise AssertionError("The command line ends by SystemExit.")


def _kept(stem: str) -> Any:
    """Return what a command wrote to `{out}`, and take the file away."""
    for ending, read in (("npz", _arrays), ("json", _document), ("csv", _table)):
        file = Path(f"{stem}.{ending}")
        if file.exists():
            found = read(file)
            file.unlink()
            return found
    return None


def _arrays(file: Path) -> dict[str, Any]:
    import numpy as np

    with np.load(file) as saved:
        return {name: saved[name].tolist() for name in sorted(saved)}


def _document(file: Path) -> Any:
    return json.loads(file.read_text("utf-8"))


def _table(file: Path) -> list[list[Any]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return [[_cell(cell) for cell in row] for row in csv.reader(stream)]


def _cell(written: str) -> Any:
    return float(written) if re.fullmatch(r"-?\d+\.\d+(e-?\d+)?", written) else written


def still(value: Any, places: Mapping[str, str], key: str = "") -> Any:
    """Return the value with placeholders for what no two machines share, and arrays in short."""
    if isinstance(value, dict):
        # Below a moving key the names stay and only the values go.
        return {k: still(v, places, key if key in MOVING else k) for k, v in value.items()}
    if key in MOVING:
        return STILL
    if isinstance(value, list):
        return _in_short(value) or [still(item, places, key) for item in value]
    if isinstance(value, str):
        for place, name in places.items():
            value = value.replace(place, name)
        return _STAMP.sub("-{stamp}", value)
    return float(f"{value:.7g}") if isinstance(value, float) else value


def _in_short(value: list[Any]) -> dict[str, Any] | None:
    """Return shape, sum (a mean, of floats), the same weighted by place, and some of the numbers.

    None for what is no long array of numbers.
    """
    shape, flat = [len(value)], value
    while flat and all(isinstance(item, list) and len(item) == len(flat[0]) for item in flat):
        shape.append(len(flat[0]))
        flat = [number for item in flat for number in item]
    if len(flat) <= LONGEST or not all(type(item) in (int, float) for item in flat):
        return None
    whole = all(type(item) is int for item in flat)
    parts = 1 if whole else len(flat)
    total = sum(flat) / parts
    weighted = sum(i * item for i, item in enumerate(flat, 1)) / parts / (1 if whole else parts)
    short = {"shape": shape, "sum": total, "weighted": weighted, "some": flat[:: len(flat) // 6]}
    return {k: still(v, {}) for k, v in short.items()}


def surface() -> dict[str, Any]:
    """Return the names others may use: of the package, its registries and the command line."""
    import maskviz
    from maskviz import attention, evidence, masks, vision
    from maskviz.sweeps.results import MEASURES

    return {
        "maskviz": list(maskviz.__all__),
        "strategies": {name: _parameters(masks.STRATEGIES[name]) for name in masks.STRATEGIES},
        "operators": list(masks.OPERATORS),
        "matrices": list(masks.MATRICES),
        "joins": list(masks.JOINS),
        "methods": list(evidence.METHODS),
        "attention methods": list(attention.METHODS),
        "attention parts": list(attention.PARTS),
        "patch strategies": list(vision.STRATEGIES),
        "measures": list(MEASURES),
        "commands": {name: _options(command) for name, command in commands()},
    }


def _parameters(strategy: Any) -> list[list[Any]]:
    rows = ([p.name, p.kind, p.default, p.choices] for p in strategy.parameters)
    return json.loads(json.dumps(list(rows)))


def _options(command: Any) -> list[str]:
    return [f"{'/'.join(p.opts)}={p.default!r}" for p in command.params if p.name != "help"]


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command with its name as it is written, such as `runs list`."""
    import typer

    from maskviz.commands import app

    for name, command in typer.main.get_command(app).commands.items():
        if hasattr(command, "commands"):
            yield from ((f"{name} {inner}", c) for inner, c in command.commands.items())
        else:
            yield name, command


def changes(where: str, before: Any, now: Any) -> list[str]:
    """Return a line for each key that came, went or has another value.

    >>> changes("a", {"x": 1, "y": 2.0}, {"x": 2, "y": 2.0000001})
    ['a · x: 1 → 2']
    """
    if isinstance(before, dict) and isinstance(now, dict):
        lines = [f"{where} · {key}: is gone" for key in before if key not in now]
        lines += [f"{where} · {key}: is new" for key in now if key not in before]
        both = [key for key in before if key in now]
        return lines + [c for k in both for c in changes(f"{where} · {k}", before[k], now[k])]
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = enumerate(zip(before, now, strict=True))
        return [c for i, (a, b) in pairs for c in changes(f"{where} · {i}", a, b)]
    return [] if _same(before, now) else [f"{where}: {_cut(before)} → {_cut(now)}"]


def _same(before: Any, now: Any) -> bool:
    if type(before) is float and type(now) is float:
        return math.isclose(before, now, **CLOSE)
    return type(before) is type(now) and before == now


def _cut(value: Any) -> str:
    said = json.dumps(value, ensure_ascii=False)
    return said if len(said) <= 80 else f"{said[:79]}…"
