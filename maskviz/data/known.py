"""The labels of a model or a training table, and which of them a text means."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def as_number(text: str) -> float | None:
    """Return a finite number, None where the text is none.

    >>> as_number("3.5"), as_number("nan"), as_number("good")
    (3.5, None, None)
    """
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


@dataclass(frozen=True)
class Known:
    """The labels of a model or a training table, in order, and how a text finds one of them.

    First the exact name, then the one that differs in case alone, then a number: the one in the
    labels' names where each has its own ("1 star" … "5 stars"), else the place, from 0 on.

    >>> stars = Known(("1 star", "2 stars", "3 stars"))
    >>> stars.find("1"), stars.find("2 STARS"), stars.find("0"), Known(("bad", "good")).find("1.0")
    ('1 star', '2 stars', None, 'good')
    """

    names: tuple[str, ...]

    def find(self, text: str) -> str | None:
        """Return the label that a text means, None where none or more than one may be meant."""
        text = text.strip()
        return self.named(text) or self._numbered(text)

    def named(self, text: str) -> str | None:
        """Return the label of that name, exact before folded."""
        if text in self._exact:
            return text
        same = self._folded.get(_fold(text), ())
        return same[0] if len(same) == 1 else None

    def _numbered(self, text: str) -> str | None:
        number = as_number(text)
        if number is None and len(self.names) == 2 and _fold(text) in ("true", "false"):
            number = float(_fold(text) == "true")
        if _fold(text) in self._folded or number is None or not number.is_integer():
            return None
        if self._numbers:
            return self._numbers.get(number)
        at = int(number)
        if not 0 <= at < len(self.names):
            return None
        # a number in a name that says another place: neither can be trusted
        told = {n for name in self.names for n in _numbers_in(name)}
        return None if told and _numbers_in(self.names[at]) != [number] else self.names[at]

    @property
    def numbers(self) -> str:
        """The numbers that stand for labels, in words."""
        if self._numbers:
            return ", ".join(f"{number:g}" for number in self._numbers)
        return f"0 to {len(self.names) - 1}"

    @cached_property
    def _exact(self) -> frozenset[str]:
        return frozenset(self.names)

    @cached_property
    def _folded(self) -> dict[str, tuple[str, ...]]:
        table: dict[str, tuple[str, ...]] = {}
        for name in self.names:
            table[_fold(name)] = (*table.get(_fold(name), ()), name)
        return table

    @cached_property
    def _numbers(self) -> dict[float, str]:
        """Number → label, where each name holds one number and no two the same."""
        each = [_numbers_in(name) for name in self.names]
        table = {found[0]: name for found, name in zip(each, self.names, strict=True) if found}
        return table if len(table) == len(each) and all(len(n) == 1 for n in each) else {}


def _numbers_in(name: str) -> list[float]:
    return [float(number) for number in _NUMBER.findall(name)]


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def told_apart(names: Iterable[str]) -> str:
    """Return a sentence on labels that differ in case or spaces alone; empty where none do.

    >>> told_apart(["Pos", "pos", "neg"])
    "The labels 'Pos', 'pos' differ in case alone and are taken as different ones."
    """
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(_fold(name), []).append(name)
    found = [repr(name[:40]) for same in alike.values() if len(same) > 1 for name in sorted(same)]
    if not found:
        return ""
    return (
        f"The labels {', '.join(found[:12])} differ in case alone and are taken as different ones."
    )
