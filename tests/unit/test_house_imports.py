"""The order of the house: imports point one way, and `import maskviz` stays light."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("streamlit", "torch", "transformers", "spacy", "pandas", "plotly", "sqlalchemy")
# The floors, from the ground up. A room imports from floors below its own.
FLOORS = (
    (
        "errors",
        "doors",
        "paths",
        "registry",
        "shares",
        "byte_cache",
        "checksums",
        "display",
        "examples",
        "launch",
    ),
    ("text", "data"),
    ("models", "terminal"),
    ("masks",),
    ("readings",),
    ("vision", "inside", "training"),
    ("attention", "runs"),
    ("evidence",),
    ("sweeps",),
    ("figures",),
    ("report", "notebook", "warm"),
    ("ui", "commands", "doctor", "cli"),
)
# On one floor, only these: each room from the one behind it.
ARROWS = {
    "errors": (),
    "doors": (),
    "paths": ("errors",),
    "registry": ("errors",),
    "shares": (),
    "byte_cache": (),
    "checksums": ("errors",),
    "display": ("registry",),
    "examples": ("paths",),
    "launch": ("errors",),
    "data": ("text",),
    "training": ("inside",),  # a matrix is laid over attention in one way
    "commands": ("doctor",),
    "cli": ("commands",),
}
# Inside these rooms too, from the ground up; a file beside the rooms may use all of them.
INNER = {
    "training": (("spec",), ("machine",), ("data",), ("model",), ("loop",)),
    "evidence": (
        ("chance",),
        ("words", "text"),
        ("files",),
        ("counterfactual", "distractor", "distraction", "units", "shortcuts"),
        ("jobs",),
    ),
    "ui": (("components",), ("shared",)),
}
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def imports_of(path: Path, package: str) -> set[str]:
    """Return the absolute names of the modules that a file imports, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1]
            module = ".".join([*(base if node.level else []), node.module or ""]).strip(".")
            found.update([module, *(f"{module}.{alias.name}" for alias in node.names)])
    return found


def modules() -> list[tuple[Path, str]]:
    """Return each module of the package with the name of the package it lies in."""
    files = sorted((ROOT / "maskviz").rglob("*.py"))
    return [(file, ".".join(file.parent.relative_to(ROOT).parts)) for file in files]


def part_of(name: str) -> str | None:
    """Return the part of the house that a module name belongs to, None outside of it."""
    pieces = name.split(".")
    return pieces[1] if pieces[0] == "maskviz" and len(pieces) > 1 else None


def known(name: str) -> str | None:
    """Return the module that an imported name stands in, None outside of the package."""
    path = ROOT.joinpath(*name.split("."))
    if path.with_suffix(".py").is_file() or (path / "__init__.py").is_file():
        return name
    parent = name.rpartition(".")[0]
    return known(parent) if parent.startswith("maskviz") else None


def graph() -> dict[str, set[str]]:
    """Return what each module imports, inside functions and for types alone too."""
    found = {}
    for file, package in modules():
        own = package if file.stem == "__init__" else f"{package}.{file.stem}"
        names = {m for name in imports_of(file, package) if (m := known(name))}
        # `from ..room import module` names the room as well: the module is what is meant.
        rooms = {n for n in names if any(m.startswith(n + ".") for m in names)}
        found[own] = names - rooms - {own}
    return found


GRAPH = graph()
PAGES = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))]


def test_imports_of_resolves_relative_names(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text("from ..errors import TextError\nfrom . import mask\nimport torch\n")
    assert {"maskviz.errors", "maskviz.masks.mask", "torch"} <= imports_of(file, "maskviz.masks")


def test_only_the_ui_imports_streamlit() -> None:
    guilty = [
        str(file.relative_to(ROOT))
        for file, package in modules()
        if part_of(package + ".") not in {"ui"}
        and file.name != "launch.py"  # starts Streamlit, in its own process
        and any(name.split(".")[0] == "streamlit" for name in imports_of(file, package))
    ]
    assert guilty == []


def below(part: str, other: str) -> bool:
    """Tell whether a room may import from another."""
    if part == other or FLOOR[other] < FLOOR[part]:
        return True
    return FLOOR[other] == FLOOR[part] and (
        other in ARROWS.get(part, ()) or (FLOOR[part] == 0 and other == "errors")
    )


def test_every_room_stands_on_a_floor() -> None:
    there = {part_of(name) for name in GRAPH} - {None, "__main__"}
    assert there == set(FLOOR)


def test_imports_point_one_way() -> None:
    guilty = [
        f"{name} imports {other}"
        for name, others in GRAPH.items()
        for other in others
        if (part := part_of(name)) in FLOOR
        and (target := part_of(other)) in FLOOR
        and not below(part, target)
    ]
    assert guilty == []


@pytest.mark.parametrize("house", INNER)
def test_imports_inside_a_room_point_one_way(house: str) -> None:
    floor = {room: i for i, rooms in enumerate(INNER[house]) for room in rooms}
    guilty = []
    for name, others in GRAPH.items():
        for other in others:
            own, its = (inner_of(module, house) for module in (name, other))
            if own in floor and its in floor and own != its and floor[its] >= floor[own]:
                guilty.append(f"{name} imports {other}")
    assert guilty == []


def inner_of(module: str, house: str) -> str | None:
    """Return the room within a room that a module lies in, None outside of it."""
    pieces = module.split(".")
    return pieces[2] if pieces[1:2] == [house] and len(pieces) > 3 else None


def test_no_module_imports_in_a_circle() -> None:
    assert circles(GRAPH) == []


@pytest.mark.parametrize("length", [2, 3, 7])
def test_a_circle_of_any_length_is_found(length: int) -> None:
    ring = {f"m{i}": {f"m{(i + 1) % length}"} for i in range(length)}
    line = {f"n{i}": {f"n{i + 1}"} for i in range(length)}
    assert circles({**ring, **line, "a": {"m0"}, f"n{length}": set()}) == [sorted(ring)]


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return each group of modules that reach each other (Tarjan 1972)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    found = []

    def visit(node: str) -> None:
        number[node] = low[node] = len(number)
        path.append(node)
        for other in graph.get(node, ()):
            if other not in number:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in path:
                low[node] = min(low[node], number[other])
        if low[node] == number[node]:
            ring = path[path.index(node) :]
            del path[path.index(node) :]
            if len(ring) > 1 or node in graph.get(node, ()):
                found.append(sorted(ring))

    for node in graph:
        if node not in number:
            visit(node)
    return found


def test_rooms_use_what_another_room_hands_out() -> None:
    """A room's `__all__` names its doors, modules or names; the rest may change without asking."""
    guilty = []
    for file, package in [*modules(), *((page, "") for page in PAGES)]:
        for name in imports_of(file, package):
            room, door = room_and_door(name)
            if room is None or (package + ".").startswith(room + "."):
                continue
            if door not in doors(room):
                guilty.append(f"{file.relative_to(ROOT)} imports {name}")
    assert guilty == []


def room_and_door(name: str) -> tuple[str | None, str]:
    """Return the room of an imported module or name, and through which of its doors one comes."""
    pieces = name.split(".")
    for end in range(len(pieces) - 1, 1, -1):
        if (ROOT.joinpath(*pieces[:end]) / "__init__.py").is_file():
            inner = ROOT.joinpath(*pieces[: end + 1]) / "__init__.py"
            return (None, "") if inner.is_file() else (".".join(pieces[:end]), pieces[end])
    return None, ""


@cache
def doors(room: str) -> set[str]:
    """Return the `__all__` of a room, read and not run."""
    tree = ast.parse((ROOT.joinpath(*room.split(".")) / "__init__.py").read_text("utf-8"))
    lists = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    return {name for found in lists for name in ast.literal_eval(found)}


@pytest.mark.parametrize(
    "room", sorted({package for _, package in modules() if package != "maskviz"})
)
def test_a_rooms_doors_are_there(room: str) -> None:
    face = importlib.import_module(room)
    assert face.__doc__
    for door in doors(room):
        there = hasattr(face, door) or importlib.util.find_spec(f"{room}.{door}") is not None
        assert there, door


LAZY = [package for _, package in modules() if hasattr(importlib.import_module(package), "_HOME")]


@pytest.mark.parametrize("room", sorted(set(LAZY)))
def test_what_is_fetched_later_shares_its_name_with_no_module(room: str) -> None:
    """Importing a module of that name would put it in the place of what is fetched."""
    face = importlib.import_module(room)
    folder = Path(str(face.__file__)).parent
    there = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}
    names = {name for fetched in face._HOME.values() for name in fetched}
    assert names
    assert names & there == set()
    assert names <= set(face.__all__)
    for name in names:
        assert getattr(face, name) is not None


@pytest.mark.parametrize("room", sorted(set(LAZY)))
def test_a_name_that_no_room_has_is_refused_by_its_name(room: str) -> None:
    with pytest.raises(AttributeError, match=f"module '{room}' has no attribute 'nothing'"):
        importlib.import_module(room).nothing  # noqa: B018


def test_the_strategies_alone_fetch_no_other_evidence() -> None:
    code = "import sys; from maskviz.masks import STRATEGIES; list(STRATEGIES); print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    fetched = {n for n in answer.stdout.split() if n.startswith("maskviz.evidence")}
    assert fetched == {"maskviz.evidence", "maskviz.evidence.words", "maskviz.evidence.words.key"}


@pytest.mark.parametrize("module", ["maskviz", "maskviz.cli"])
def test_import_is_light(module: str) -> None:
    code = f"import sys, {module}; print([n for n in {HEAVY!r} if n in sys.modules])"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert answer.stdout.strip() == "[]"


def test_public_names_are_importable() -> None:
    import maskviz

    missing = [name for name in maskviz.__all__ if not hasattr(maskviz, name)]
    assert maskviz.__all__
    assert missing == []


def test_training_needs_no_dashboard_libraries() -> None:
    answer = subprocess.run(
        [sys.executable, "tests/bare.py"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert answer.returncode == 0, answer.stderr
    assert "done " in answer.stdout


def test_the_map_names_every_room_and_no_other() -> None:
    """Each room of the map is there, and each room there is on it, those within rooms too."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    table = text[text.index("## The map") : text.index("## To add")]
    rows = [row.split("|")[1:3] for row in table.splitlines() if row.startswith("| `")]
    named = {name for first, _ in rows for name in re.findall(r"`([\w./]+)`", first)}
    rooms = {path.parent.name + "/" for path in ROOT.glob("maskviz/*/__init__.py")}
    loose = {path.stem for path in ROOT.glob("maskviz/*.py")} - {"__init__", "__main__"}
    assert named == rooms | loose | {"pages/", "app.py"}
    for first, what in rows:
        for house in re.findall(r"`(\w+)/`", first):
            within = {path.parent.name for path in ROOT.glob(f"maskviz/{house}/*/__init__.py")}
            assert within <= set(re.findall(r"`(\w+)/`", what)), house
