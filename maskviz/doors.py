"""A package whose names are fetched from their modules when they are first used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any


def lazily(package: str, home: Mapping[str, Iterable[str]]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package: its names by the module each stands in.

    No name may be that of a room or module of the package: importing that would take its place.

    >>> lazily("maskviz", {"text": ("Document",)})("Document").__name__
    'Document'
    """
    module = {name: f"{package}.{place}" for place, names in home.items() for name in names}

    def fetch(name: str) -> Any:
        if name not in module:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(module[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return fetch
