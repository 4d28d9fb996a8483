"""Words and tables that several rooms share have one owner, and the owner has them right."""

from __future__ import annotations

import ast
import inspect
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from maskviz.evidence.counterfactual.fairness import FairnessWork, fairness
from maskviz.evidence.files.files import FileWork, compare_file

ROOT = Path(__file__).resolve().parents[2]
FILES = [*sorted((ROOT / "maskviz").rglob("*.py")), *sorted((ROOT / "pages").glob("*.py"))]


@cache
def parsed(file: Path) -> ast.Module:
    """Return a file's syntax tree, which several tests walk."""
    return ast.parse(file.read_text("utf-8"))


@cache
def tables_of(file: Path) -> tuple[tuple[str, ...], ...]:
    """Return the tables of words of a file, found once for all words that are looked for."""
    return tuple(tables(parsed(file)))


def tables(source: str | ast.Module) -> list[tuple[str, ...]]:
    """Return each literal of a module that is made of two strings or more, and of nothing else."""
    found = []
    tree = ast.parse(source) if isinstance(source, str) else source
    for node in ast.walk(tree):
        items = node.elts if isinstance(node, (ast.Tuple, ast.List, ast.Set)) else []
        values = [
            i.value for i in items if isinstance(i, ast.Constant) and isinstance(i.value, str)
        ]
        if len(values) > 1 and len(values) == len(items):
            found.append(tuple(sorted(values)))
    return found


def test_tables_are_found_in_any_order_and_form() -> None:
    source = "a = ('x', 'y'); b = ['y', 'x']; c = {'x', 'y'} & b; d = ('x', 1); e = ('x',)"
    assert tables(source) == [("x", "y")] * 3


@pytest.mark.parametrize(
    "words",
    [
        ("queued", "running"),
        ("done", "failed", "cancelled"),
        ("pattern", "manual"),
        ("select2d", "lasso2d"),
        ("solid", "dash", "dot", "dashdot"),
        ("comprehensiveness", "sufficiency", "deletion", "insertion"),
    ],
)
def test_a_table_of_words_stands_in_one_place_at_most(words: tuple[str, ...]) -> None:
    places = defaultdict(int)
    for file in FILES:
        count = tables_of(file).count(tuple(sorted(words)))
        if count:
            places[str(file.relative_to(ROOT))] = count
    assert sum(places.values()) <= 1, dict(places)


def test_states_of_a_run_are_active_or_ended() -> None:
    from maskviz.training.folder import ACTIVE, ENDED, STATES

    assert (*ACTIVE, *ENDED) == STATES
    assert ACTIVE == ("queued", "running")
    assert ENDED == ("done", "failed", "cancelled")


def test_what_tells_how_a_run_does_is_among_its_figures() -> None:
    from maskviz.training.loop.metrics import FIGURES, HEADLINES

    assert set(HEADLINES) <= set(FIGURES)


def test_strategies_that_wait_for_the_user_are_strategies() -> None:
    pytest.importorskip("streamlit")
    from maskviz.masks import STRATEGIES
    from maskviz.ui.shared.controls import NEED_INPUT

    assert set(NEED_INPUT) <= set(STRATEGIES)


def test_no_module_takes_a_private_name_of_another() -> None:
    taken = [
        f"{file.relative_to(ROOT)} takes {alias.name}"
        for file in FILES
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.ImportFrom) and (node.level or "maskviz" in (node.module or ""))
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__")
    ]
    assert taken == []


@pytest.mark.parametrize(
    ("call", "work", "of_the_call", "of_the_work"),
    [
        (compare_file, FileWork, {"each", "progress", "stop", "keep"}, {"patience"}),
        (fairness, FairnessWork, {"each", "progress", "stop"}, {"total"}),
    ],
)
def test_a_call_takes_what_the_work_behind_it_takes(
    call: Callable[..., object],
    work: type,
    of_the_call: set[str],
    of_the_work: set[str],
) -> None:
    """Two lists of parameters, for a signature that a person can read; they say the same."""
    asked, given = (inspect.signature(one, eval_str=True).parameters for one in (call, work))
    assert asked.keys() - given.keys() == of_the_call
    assert given.keys() - asked.keys() == of_the_work
    shared = [name for name in given if name in asked]
    assert shared == [name for name in asked if name in given]
    for name in shared:
        assert asked[name] == given[name], name
