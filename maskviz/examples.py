"""The example gallery: texts and conversations, each with a mask that shows something."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .paths import assets


@dataclass(frozen=True)
class Example:
    """A text, the mask to begin with, what there is to see, and the page that shows it."""

    name: str
    title: str
    shows: str
    text: str
    strategy: str
    ratio: float | None = None
    seed: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)
    operator: str = "mask"
    page: str = "mask"


@dataclass(frozen=True)
class Spoken:
    """A conversation as OpenAI's messages, the mask to begin with, and what there is to see."""

    name: str
    title: str
    shows: str
    messages: tuple[Mapping[str, Any], ...]
    strategy: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


def _read() -> tuple[Example, ...]:
    with (assets() / "examples.toml").open("rb") as file:
        return tuple(Example(name, **values) for name, values in tomllib.load(file).items())


def _read_spoken() -> tuple[Spoken, ...]:
    with (assets() / "conversations.toml").open("rb") as file:
        found = tomllib.load(file).items()
    return tuple(Spoken(name, **{**v, "messages": tuple(v["messages"])}) for name, v in found)


EXAMPLES = _read()
CONVERSATIONS = _read_spoken()


def by_name(name: str) -> Example:
    """Return the example of that name, or the first one."""
    return next((example for example in EXAMPLES if example.name == name), EXAMPLES[0])
