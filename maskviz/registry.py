"""A registry of named entries whose modules are imported when it is first read."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator, Mapping
from typing import Protocol, TypeVar

from .errors import UnknownNameError


class Named(Protocol):
    """An entry that knows its name."""

    @property
    def name(self) -> str: ...


Entry = TypeVar("Entry", bound=Named)


class Registry(Mapping[str, Entry]):
    """Entries by name, in the order of `modules`, then of the entry points of `group`.

    Each module registers its entries by `add` when it is imported, whoever imports it first.
    Raises UnknownNameError, with `kind` in its sentence, for a name that is not there.
    """

    def __init__(self, kind: str, modules: tuple[str, ...], group: str = "") -> None:
        self._kind, self._modules, self._group = kind, modules, group
        self._known: dict[str, Entry] = {}
        self._from: dict[str, str] = {}
        self._begun = self._loaded = False
        # A second thread waits for the whole; the loading one may read what there is.
        self._loading = threading.RLock()

    def add(self, entry: Entry, module: str = "") -> None:
        """Register an entry of a module under its name; a later one of that name replaces it."""
        self._known[entry.name] = entry
        self._from[entry.name] = module

    def _all(self) -> dict[str, Entry]:
        if not self._loaded:
            with self._loading:
                if not self._begun:
                    self._begun = True
                    self._load()
                    self._loaded = True
        return self._known

    def _load(self) -> None:
        for name in self._modules:
            importlib.import_module(name)
        if self._group:
            from importlib.metadata import entry_points

            for point in entry_points(group=self._group):
                point.load()
        place = {name: i for i, name in enumerate(self._modules)}
        order = sorted(self._known, key=lambda n: place.get(self._from[n], len(place)))
        self._known = {name: self._known[name] for name in order}

    def __getitem__(self, name: str) -> Entry:
        try:
            return self._all()[name]
        except KeyError:
            raise UnknownNameError.of(self._kind, name, self) from None

    def __contains__(self, name: object) -> bool:
        return name in self._all()

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())
