"""What a planted-distractor experiment is asked for, and where its finished cells are kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypedDict

from ...errors import ParameterError, UnknownNameError
from ...paths import home
from ..cells import identity
from .own import Own


class Size(TypedDict):
    """How large an experiment is: rows to train on, optimiser steps."""

    rows: int
    steps: int


ARMS = ("plain", "random", "entity", "attribute", "key", "oracle")
TESTS = ("aligned", "neutral", "reversed")
QUICK: Size = {"rows": 600, "steps": 60}
CACHE_VERSION = 1  # raise it when a cell's figures come to mean something else
OF_KIND = {"place": 1}  # the same for the cells of one kind


def arms_of(own: Own | None) -> tuple[str, ...]:
    """Return all arms there can be: of a column nobody knows the words that give it away."""
    known = own is None or own.kind != "column"
    return tuple(arm for arm in ARMS if known or arm != "oracle")


@dataclass(frozen=True)
class Experiment:
    """What is asked for; the same values give the same figures.

    strength: ρ in [0.5, 1]; noise: η in [0, 0.5]; kind: name, place, age or gender; rows: to train
    on, each test set has a fifth of them; steps: optimiser steps of 32 rows. fresh: start from the
    pretrained encoder with a new head; otherwise from the classifier, which may know the task.
    own: rows of one's own and what is planted in them, in the place of the generated set's `kind`.
    """

    model: str = "mini"
    kind: str = "name"
    strength: float = 0.95
    noise: float = 0.25
    seeds: int = 5
    rows: int = 2000
    steps: int = 250
    learning_rate: float = 3e-4
    fresh: bool = True
    arms: tuple[str, ...] = ARMS
    own: Own | None = None

    def __post_init__(self) -> None:
        from ...data.distractor import KINDS

        for arm in self.arms:
            if arm not in ARMS:
                raise UnknownNameError.of("arm", arm, ARMS)
        if self.kind not in KINDS:
            raise UnknownNameError.of("kind of distractor", self.kind, KINDS)
        for name, low, high in (
            ("strength", 0.5, 1), ("noise", 0, 0.5), ("seeds", 2, 100), ("rows", 200, 100_000),
            ("steps", 1, 100_000),
        ):  # fmt: skip
            value = getattr(self, name)
            if not low <= value <= high:
                raise ParameterError(f"{name} is {value}: give {low} to {high:,}.")
        if self.own is not None:
            self._check_own(self.own)
        if "plain" not in self.arms:
            raise ParameterError("The arm 'plain' is what the others are measured by: keep it.")

    def _check_own(self, own: Own) -> None:
        if not self.fresh:
            raise ParameterError("Rows of your own need a new head: leave --keep-head out.")
        if own.kind == "column" and "oracle" in self.arms:
            raise ParameterError(
                "Of a column nobody knows the words that give it away: leave the arm 'oracle' out."
            )

    @property
    def planted(self) -> str:
        """What is planted, as a sentence says it."""
        return self.kind if self.own is None else self.own.said

    def settings(self) -> dict[str, Any]:
        """Return what is asked for, JSON-ready; rows of one's own only where there are any."""
        values = asdict(self)
        if self.own is None:
            del values["own"]
        return values

    @property
    def id(self) -> str:
        """A short name that changes with everything that changes a cell, arms and seeds aside."""
        settings = {k: v for k, v in self.settings().items() if k not in ("arms", "seeds")}
        return identity(CACHE_VERSION + OF_KIND.get(self.kind, 0), settings, self.model)

    @property
    def folder(self) -> Path:
        """Where the finished cells are kept, so that none is run twice."""
        return home() / "interference" / self.id
