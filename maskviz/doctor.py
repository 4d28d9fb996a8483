"""Look at this installation: versions, devices, folders, models, and what is missing.

Nothing here loads a model or asks the network. Torch is imported, because only it knows the
devices; everything else is read from metadata.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .errors import MaskvizError
from .models.locate import BUNDLED_IMAGES, bundled
from .paths import assets, home

CORE = (
    "torch", "transformers", "tokenizers", "safetensors", "accelerate", "spacy", "streamlit",
    "plotly", "pandas", "pyarrow", "numpy", "scipy", "sqlalchemy", "psutil", "wordfreq", "typer",
    "py3langid", "regex",
)  # fmt: skip

# Extra -> (the package it brings, what it is for).
EXTRAS = {
    "figures": ("matplotlib", "figures as PNG, SVG and PDF"),
    "gguf": ("gguf", "models in GGUF files"),
    "ja": ("sudachipy", "words of Japanese"),
    "lora": ("peft", "LoRA in training"),
    "mlflow": ("mlflow-skinny", "runs mirrored in MLflow"),
    "presidio": ("presidio-analyzer", "the strategy pii"),
    "ray": ("ray", "runs on a Ray cluster"),
    "th": ("pythainlp", "words of Thai"),
    "zh": ("jieba", "words of Chinese"),
}
LEAST_FREE = 2 * 1024**3  # bytes: a few runs with their checkpoints


def report() -> dict[str, Any]:
    """Return what is installed, what it can use, what is missing and how to get it.

    JSON-ready; sizes are in GiB. `problems` holds one sentence for each thing that stops
    maskviz from working, `ok` is True where there is none.

    >>> sorted(report())[:4]
    ['devices', 'extras', 'folders', 'maskviz']
    """
    found = {
        "maskviz": _version("maskviz"),
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "packages": {name: _version(name) for name in CORE},
        "devices": devices(),
        "model_cache": _model_cache(),
        "folders": {"home": _folder(_home_path())},
        "models": [_bundled(name) for name in (*bundled(), BUNDLED_IMAGES, "en_mini")],
        "pipelines": _pipelines(),
        "languages": _languages(),
        "extras": [_extra(name) for name in EXTRAS],
    }
    problems = _problems(found)
    return {**found, "problems": problems, "ok": not problems}


def devices() -> dict[str, Any]:
    """Return the processors that torch can use; `gpus` is empty without one.

    `bf16` says whether bfloat16 arithmetic is done by the hardware, None where torch does
    not tell.
    """
    cpu: dict[str, Any] = {"cores": os.cpu_count(), "usable": _usable_cores()}
    if _version("torch") is None:
        return {"cpu": cpu, "gpus": [], "mps": False}
    import torch

    cpu |= {"threads": torch.get_num_threads(), "bf16": _cpu_bf16(torch)}
    gpus = []
    if torch.cuda.is_available():
        gpus = [_gpu(torch, index) for index in range(torch.cuda.device_count())]
    return {"cpu": cpu, "gpus": gpus, "mps": torch.backends.mps.is_available()}


def rows(found: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Return a report as lines of a table: what, what was found, whether it is fine."""
    folder = found["folders"]["home"]
    return [
        ("maskviz", f"{found['maskviz']} (Python {found['python']}, {found['platform']})", True),
        *((name, value or "not installed", bool(value)) for name, value in
          found["packages"].items()),
        ("cpu", _cpu_line(found["devices"]["cpu"]), True),
        *((f"gpu {i}", f"{gpu['name']}, {gpu['memory_gib']} GiB", True)
          for i, gpu in enumerate(found["devices"]["gpus"])),
        _model_cache_row(found["model_cache"]),
        ("home", f"{folder['path']} ({folder['free_gib']} GiB free)", folder["writable"]),
        *((f"model {model['name']}", model["state"], model["state"] == "complete")
          for model in found["models"]),
        ("pipelines", ", ".join(found["pipelines"]), True),
        *((f"language {one['code']}", _language_line(one), True) for one in found["languages"]),
        *((f"extra {extra['name']}", extra["version"] or f"for {extra['for']}: {extra['get']}",
           True) for extra in found["extras"]),
    ]  # fmt: skip


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _usable_cores() -> int:
    """Return the cores this process may run on: fewer than the machine's in a container."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cpu_bf16(torch: Any) -> bool | None:
    capabilities = getattr(torch.cpu, "get_capabilities", None)  # newer than torch 2.11
    if capabilities is None:
        return None
    found = capabilities()
    return any(bool(found.get(name)) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def _gpu(torch: Any, index: int) -> dict[str, Any]:
    properties = torch.cuda.get_device_properties(index)
    return {
        "name": properties.name,
        "memory_gib": round(properties.total_memory / 1024**3, 1),
        "bf16": properties.major >= 8,  # since Ampere
    }


def _model_cache() -> dict[str, Any]:
    """Return how many GiB of loaded models a process keeps, and what says so."""
    from .models.memory import VARIABLE, limit

    said = os.environ.get(VARIABLE)
    kept, problem = None, ""
    try:
        if said or _version("torch"):
            kept = round(limit() / 1024**3, 2)
    except MaskvizError as error:
        problem = str(error)
    by = VARIABLE if said else "half of the free memory"
    return {"limit_gib": kept, "set_by": by, "problem": problem}


def _model_cache_row(cache: dict[str, Any]) -> tuple[str, str, bool]:
    size = "" if cache["limit_gib"] is None else f"{cache['limit_gib']} GiB, "
    return "model cache", cache["problem"] or f"{size}{cache['set_by']}", not cache["problem"]


def _home_path() -> Path:
    try:
        return home()
    except OSError as error:
        return Path(error.filename or "")


def _folder(path: Path) -> dict[str, Any]:
    """Try a write, because permission bits say nothing of read-only file systems."""
    try:
        with tempfile.NamedTemporaryFile(dir=path, prefix=".doctor-"):
            writable = True
    except OSError:
        writable = False
    existing = next((p for p in (path, *path.parents) if p.exists()), Path("/"))
    free = shutil.disk_usage(existing).free
    return {"path": str(path), "writable": writable, "free_gib": round(free / 1024**3, 1)}


def _bundled(name: str) -> dict[str, Any]:
    from .checksums import verify

    folder = assets() / name
    try:
        verify(folder)
    except MaskvizError as error:
        return {"name": name, "path": str(folder), "state": str(error)}
    return {"name": name, "path": str(folder), "state": "complete"}


def _pipelines() -> list[str]:
    from .text.pipelines import pipeline_names

    return pipeline_names()


def _languages() -> list[dict[str, Any]]:
    """Return code, name, installed pipelines and how to get one, of each that spaCy publishes for.

    Those with an installed pipeline come first.
    """
    from .text.languages import language_name
    from .text.pipelines import PUBLISHED, how_to_get, pipeline_names, pipelines_of

    codes = {*PUBLISHED, *(name.partition("_")[0] for name in pipeline_names())}
    found = [
        {"code": code, "name": language_name(code), "pipelines": pipelines_of(code),
         "get": how_to_get(code)}
        for code in sorted(codes)
    ]  # fmt: skip
    return sorted(found, key=lambda one: not one["pipelines"])


def _language_line(language: dict[str, Any]) -> str:
    installed = ", ".join(language["pipelines"])
    return f"{language['name']}: {installed or 'no pipeline; ' + language['get']}"


def _extra(name: str) -> dict[str, str | None]:
    package, purpose = EXTRAS[name]
    get = f"pip install 'maskviz[{name}]'"
    return {"name": name, "for": purpose, "version": _version(package), "get": get}


def _problems(found: dict[str, Any]) -> list[str]:
    absent = [name for name, installed in found["packages"].items() if installed is None]
    folder = found["folders"]["home"]
    problems = [m["state"] for m in found["models"] if m["state"] != "complete"]
    if found["model_cache"]["problem"]:
        problems.append(found["model_cache"]["problem"])
    if absent:
        problems.append(f"Not installed: {', '.join(absent)}. Run pip install {' '.join(absent)}")
    if not folder["writable"]:
        problems.append(
            f"The folder {folder['path']} cannot be written: set MASKVIZ_HOME to one that can."
        )
    if folder["free_gib"] * 1024**3 < LEAST_FREE:
        problems.append(
            f"Only {folder['free_gib']} GiB are free for runs at {folder['path']}: "
            "set MASKVIZ_HOME to a folder with at least 2 GiB."
        )
    return problems


def _cpu_line(cpu: dict[str, Any]) -> str:
    line = f"{cpu['usable']} of {cpu['cores']} cores"
    if "threads" in cpu:
        line += f", {cpu['threads']} threads in torch"
    if cpu.get("bf16") is not None:
        line += ", bfloat16 in hardware" if cpu["bf16"] else ", no bfloat16 in hardware"
    return line
