"""The checks of a loaded model: what it can be trusted with, found by trying and kept.

An architecture's name does not say whether a matrix is heeded, padding ignored or a hidden word
out of sight; a pass over a dozen tokens does. A check is a small function over a loaded model,
registered where it is made (`maskviz.inside.checks`, reached by name as the operators are). It
runs when a feature first needs it, once a model: what it found is kept in memory and under
MASKVIZ_HOME, by the model's files, the versions of torch and transformers, and the code of the
checks themselves. What fails turns its feature off, with one sentence.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from ..errors import CapabilityError, MaskvizError
from ..paths import home, write_atomic
from ..registry import Registry
from .model import Model, device

_PIECE, _PIECES = 2**12, 64  # bytes read of a large file, and how often


@dataclass(frozen=True)
class Finding:
    """What a check found: whether it passed, what was seen in a few words, and a value of JSON."""

    passed: bool
    said: str = ""
    value: Any = None


@dataclass(frozen=True)
class Check:
    """A check, what it proves of a model, and the sentence where it fails.

    refusal: holds {family}, {name} and {said}, and names the next step.
    applies: whether the check has anything to say of a model.
    """

    name: str
    proves: str
    refusal: str
    function: Callable[[Model], Finding]
    applies: Callable[[Model], bool]


CHECKS: Registry[Check] = Registry("check", ("maskviz.inside.checks",))


def check(
    name: str, proves: str, refusal: str, applies: Callable[[Model], bool] = lambda model: True
) -> Callable[[Callable[[Model], Finding]], Callable[[Model], Finding]]:
    """Register the decorated function as the check `name`."""

    def register(function: Callable[[Model], Finding]) -> Callable[[Model], Finding]:
        CHECKS.add(Check(name, proves, refusal, function, applies))
        return function

    return register


def demand(model: Model, name: str) -> Finding:
    """Return what the check `name` found of a model; raise CapabilityError where it failed."""
    found = finding(model, name)
    if not found.passed:
        raise CapabilityError(refusal(model, name, found))
    return found


def refusal(model: Model, name: str, found: Finding) -> str:
    """Return the sentence of a failed check."""
    return CHECKS[name].refusal.format(family=model.family, name=model.name, said=found.said)


def finding(model: Model, name: str) -> Finding:
    """Return what the check `name` finds of a model: from memory, from disk, or by running it."""
    model = model.bare.original or model.bare
    kept = _kept(model)
    if name in kept.findings:  # also of threads that compute while another holds the model's lock
        return kept.findings[name]
    with model.lock:
        if name not in kept.findings:
            kept.findings[name] = _run(model, CHECKS[name])
            kept.write()
        return kept.findings[name]


def findings(model: Model) -> dict[str, Finding]:
    """Return what every check that applies to a model finds."""
    return {name: finding(model, name) for name, one in CHECKS.items() if one.applies(model)}


def _run(model: Model, one: Check) -> Finding:
    """Run a check; what an architecture raises on the way is what was found."""
    import torch

    try:
        with torch.inference_mode(False):  # a network loaded here has gradients later
            return one.function(model)
    except MaskvizError as error:
        return Finding(False, str(error))
    except MemoryError:
        raise
    except Exception as error:
        if "out of memory" in str(error):  # says nothing of the model
            raise
        first = str(error).strip().split("\n")[0][:100]
        return Finding(False, f"its own code ends in {type(error).__name__}: {first}")


class _Kept:
    """The findings of one model, and the file that keeps them (None: memory alone)."""

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self.findings: dict[str, Finding] = _read(file) if file else {}

    def write(self) -> None:
        if self.file is None:
            return
        shown = {name: asdict(found) for name, found in self.findings.items()}
        try:
            write_atomic(self.file, json.dumps(shown, indent=1))
        except OSError:  # a full or read-only disk: the next process checks anew
            self.file = None


_memory: WeakKeyDictionary[Model, _Kept] = WeakKeyDictionary()
_remembering = threading.Lock()


def _kept(model: Model) -> _Kept:
    with _remembering:
        if model not in _memory:
            digest = fingerprint(model)
            _memory[model] = _Kept(home() / "checks" / f"{digest}.json" if digest else None)
        return _memory[model]


def _read(file: Path) -> dict[str, Finding]:
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        return {name: Finding(**values) for name, values in kept.items()}
    except (OSError, ValueError, TypeError, AttributeError):  # none yet, or not one of ours
        return {}


def fingerprint(model: Model) -> str | None:
    """Return the digest of a model's files and of what the checks rest on; None without files.

    Of a large file its size, its date and 64 pieces count, so that 16 GB are not read for it.
    """
    folder = _folder(model)
    if folder is None:
        return None
    whole = hashlib.sha256(_ground().encode())
    for file in sorted(folder.iterdir()):
        if file.suffix in (".json", ".safetensors", ".model", ".txt", ".gguf") and file.is_file():
            whole.update(_digest(file))
    return whole.hexdigest()[:32]


def _folder(model: Model) -> Path | None:
    """Return the folder of a model's files, in the Hub's cache where it came from there."""
    folder = Path(model.path)
    if folder.is_dir():
        return folder
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(model.path, "config.json")
    return Path(config).parent if isinstance(config, str) else None


def _digest(file: Path) -> bytes:
    about = file.stat()
    whole = hashlib.sha256(f"{file.name} {about.st_size}".encode())
    with file.open("rb") as content:
        if about.st_size <= _PIECE * _PIECES:
            whole.update(content.read())
            return whole.digest()
        whole.update(str(about.st_mtime_ns).encode())
        for i in range(_PIECES):
            content.seek(i * (about.st_size - _PIECE) // (_PIECES - 1))
            whole.update(content.read(_PIECE))
    return whole.digest()


@lru_cache(maxsize=1)
def _ground() -> str:
    """Return what findings rest on beside the model: versions, the device, the checks' own code."""
    import torch
    import transformers

    own = hashlib.sha256()
    for file in sorted((Path(__file__).parents[1] / "inside").rglob("*.py")):
        own.update(file.read_bytes())
    return f"{torch.__version__} {transformers.__version__} {device()} {own.hexdigest()}"
