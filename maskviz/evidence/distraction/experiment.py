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


ARMS = ("base", "masked", "plain", "random", "sentence", "oracle", "reasoned", "thought")
SPOKEN = ("instruction", "inoculation")  # by words alone: only a large model heeds them
EVERY = (*ARMS, *SPOKEN)
UNTUNED = ("base", "masked", "instruction")
THINKING = ("reasoned", "thought")  # they write down first what matters
LARGE = 1_000_000_000  # weights from which the arms by words are among those asked for
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
            if arm not in EVERY:
                raise UnknownNameError.of("arm", arm, EVERY)
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


def usual_arms(model: str) -> tuple[str, ...]:
    """Return the arms of a model where none are named.

    From a billion weights on those by words are among them; one that is tuned by LoRA learns no
    mask token, which `thought` needs.

    >>> usual_arms("mini-chat") == ARMS
    True
    """
    from ...training.defaults import tuned_by_lora
    from ...training.machine.model_size import model_shape

    shape = model_shape(model)
    arms = EVERY if shape is not None and shape.weights >= LARGE else ARMS
    return tuple(arm for arm in arms if arm != "thought" or not tuned_by_lora(model))
