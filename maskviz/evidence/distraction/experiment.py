"""What a distraction experiment is asked for, and where its finished cells are kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypedDict

from ...errors import ParameterError, UnknownNameError
from ...paths import home
from ..cells import identity


class Size(TypedDict):
    """How large an experiment is: rows to train on, questions of a test, optimiser steps, seeds."""

    rows: int
    tests: int
    steps: int
    seeds: int


ARMS = ("base", "masked", "plain", "random", "sentence", "oracle")
UNTUNED = ("base", "masked")
COUNTS = (0, 1, 2, 4, 8)  # k, the irrelevant sentences of a test
TRAINED = (0, 1, 2)  # of training
BEYOND = tuple(k for k in COUNTS if k > max(TRAINED))
QUICK: Size = {"rows": 720, "tests": 120, "steps": 90, "seeds": 2}
FEWEST = 5  # seeds from which there is a verdict
OPERATORS = ("delete", "attention")
CACHE_VERSION = 1  # raise it when a cell's figures come to mean something else


@dataclass(frozen=True)
class Experiment:
    """What is asked for; the same values give the same figures.

    rows: questions to train on, with 0, 1 and 2 irrelevant sentences in equal parts; tests:
    questions of a test, the same ones at each k; steps: optimiser steps of `batch` rows; operator:
    how an input mask hides.
    """

    model: str = "mini-chat"
    seeds: int = 5
    rows: int = 3000
    tests: int = 360
    steps: int = 400
    batch: int = 16
    learning_rate: float = 5e-4
    operator: str = "delete"
    arms: tuple[str, ...] = ARMS

    def __post_init__(self) -> None:
        for arm in self.arms:
            if arm not in ARMS:
                raise UnknownNameError.of("arm", arm, ARMS)
        if self.operator not in OPERATORS:
            raise UnknownNameError.of("operator", self.operator, OPERATORS)
        for name, low, high in (
            ("seeds", 2, 100), ("rows", 108, 100_000), ("tests", 6, 10_000), ("steps", 1, 100_000),
            ("batch", 1, 4096),
        ):  # fmt: skip
            value = getattr(self, name)
            if not low <= value <= high:
                raise ParameterError(f"{name} is {value}: give {low} to {high:,}.")
        if "base" not in self.arms:
            raise ParameterError("The arm 'base' is what the others are measured by: keep it.")

    @property
    def id(self) -> str:
        """A short name that changes with everything that changes a cell, arms and seeds aside."""
        settings = {k: v for k, v in asdict(self).items() if k not in ("arms", "seeds")}
        return identity(CACHE_VERSION, settings, self.model)

    @property
    def folder(self) -> Path:
        """Where the finished cells are kept, so that none is run twice."""
        return home() / "distraction" / self.id
