"""The checks of an architecture, by name: each belongs to a column of the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from .marks import NONE, RIGHT, Report, guarded, limited
from .roster import HEADS
from .subject import Subject, fresh, subject
from .tiny import build


@dataclass(frozen=True)
class Check:
    """A check, its column, the heads it is of, and the check without which it has nothing to do."""

    name: str
    column: str
    heads: tuple[str, ...]
    needs: str
    function: Callable[[Subject], Any]


CHECKS: dict[str, Check] = {}
ORDER = (
    "Loads", "Fill", "Compare", "Write", "Attention", "One head's numbers", "Operator attention",
    "Matrix", "Matrix in training", "Occlusion", "Gradient × input", "Rollout", "Norm", "Relevance",
)  # fmt: skip


def check(
    column: str, heads: tuple[str, ...] = tuple(HEADS), needs: str = ""
) -> Callable[[Callable[[Subject], Any]], Callable[[Subject], Any]]:
    """Register the decorated function as a check; it raises Wrong, or what maskviz raises."""

    def register(function: Callable[[Subject], Any]) -> Callable[[Subject], Any]:
        name = function.__name__
        CHECKS[name] = Check(name, column, heads, needs, function)
        return function

    return register


def columns() -> list[str]:
    """Return the columns of the table, in their order."""
    found = {one.column for one in CHECKS.values()}
    return [*(column for column in ORDER if column in found), *sorted(found - set(ORDER))]


def checked(name: str, head: str, folder: Path, given: dict[str, Any]) -> Report:
    """Build a model of an architecture with a head and run every check of it."""
    report = Report()
    try:
        with limited():
            cls, tokenizer = build(name, head, folder, **given)
            network = fresh(cls, folder)
    except Exception as error:  # noqa: BLE001 - what cannot be built is named as it is
        report.note("built", NONE, f"{type(error).__name__}: {str(error)[:160]}")
        return report
    reference = cls, tokenizer, network
    found = guarded(report, "loads", lambda: subject(name, head, folder, reference, given))
    for one in CHECKS.values() if found else ():
        if head in one.heads and report.marks.get(one.needs, RIGHT) == RIGHT:
            guarded(report, one.name, partial(one.function, found))
    return report
