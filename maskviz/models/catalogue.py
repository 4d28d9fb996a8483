"""The models that can be chosen: bundled, tuned here, allowed by the server."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..paths import assets
from .abilities import capabilities
from .locate import BUNDLED_IMAGES, bundled, listed_models
from .pulled import PULLED, Pulled, there

_Names = tuple[str, ...]


@dataclass(frozen=True)
class ModelInfo:
    """One model that can be chosen; what is not known before it is loaded is None."""

    name: str
    origin: str  # bundled, tuned, pulled, server, or to pull
    family: str | None = None
    labels: tuple[str, ...] | None = None
    heads: tuple[str, ...] | None = None
    bytes: int | None = None

    def may(self, capability: str) -> bool:
        """Return whether its heads' names allow a capability; True where they are not known."""
        if self.heads is None:
            return True
        return capability in capabilities(self.heads, self.family or "", composite=True)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values."""
        return asdict(self)


def list_models(capability: str | None = None) -> list[ModelInfo]:
    """Return the models for text: bundled, tuned (newest first), pulled, and those of the server.

    The server's are those that MASKVIZ_MODELS allows.

    capability: only those that may have it, such as `classify`; see `Model.capabilities`.
    """
    from .tuned import tuned_models

    found = [_of_folder(name, "bundled", assets() / name) for name in bundled()]
    found += [_of_folder(name, "tuned", path) for name, path in tuned_models()]
    found += [_of_folder(n, "pulled", f) for n, one in _allowed_pulls() if (f := there(one))]
    known = {BUNDLED_IMAGES, *(info.name for info in found)}
    found += [ModelInfo(n, "server") for n in listed_models() or () if n not in known]
    return [info for info in found if capability is None or info.may(capability)]


def to_pull() -> list[ModelInfo]:
    """Return the models that `maskviz models pull` fetches and that are not there yet.

    bytes: what is fetched.
    """
    return [
        ModelInfo(name, "to pull", one.family, heads=(one.architecture,), bytes=one.bytes)
        for name, one in _allowed_pulls()
        if there(one) is None
    ]


def _allowed_pulls() -> list[tuple[str, Pulled]]:
    listed = listed_models()
    return [(name, one) for name, one in PULLED.items() if listed is None or name in listed]


def _of_folder(name: str, origin: str, folder: Path) -> ModelInfo:
    try:
        family, labels, heads = _read(folder, (folder / "config.json").stat().st_mtime_ns)
    except (OSError, ValueError):
        return ModelInfo(name, origin)  # loading it says what is wrong
    size = sum(f.stat().st_size for f in folder.glob("*.safetensors"))
    return ModelInfo(name, origin, family, labels, heads, size)


@lru_cache(maxsize=256)  # every page lists them
def _read(
    folder: Path, _changed: int
) -> tuple[str | None, tuple[str, ...] | None, tuple[str, ...]]:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    labels = config.get("id2label") or {}
    return (
        config.get("model_type"),
        tuple(labels[k] for k in sorted(labels, key=int)) or None,
        tuple(config.get("architectures") or ()),
    )
