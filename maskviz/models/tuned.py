"""The models that runs have left in the runs folder, found without opening the run store."""

from __future__ import annotations

import tomllib
from pathlib import Path

from ..paths import home


def tuned_models() -> list[tuple[str, Path]]:
    """Return (run, folder of its model) for each run that finished a model, newest first."""
    runs = home() / "runs"
    found = [p.parent for p in runs.glob("*/model/config.json")] if runs.is_dir() else []
    finished = [folder for folder in found if any(folder.glob("*.safetensors"))]
    finished.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
    return [(folder.parent.name, folder) for folder in finished]


def base_of(name: str) -> str | None:
    """Return the model that a tuned one came from, or None where it is not tuned here."""
    folder = dict(tuned_models()).get(name)
    if folder is None:
        return None
    try:
        spec = tomllib.loads((folder.parent / "spec.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # an imported model may come without its spec
    return str(spec["model"]) if "model" in spec else None
