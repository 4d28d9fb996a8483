"""The order of the house: imports point one way, and `import maskviz` stays light."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("streamlit", "torch", "transformers", "spacy", "pandas", "plotly", "sqlalchemy")
# A part imports from its own line or from lines above it.
ORDER = (
    ("errors", "paths", "checksums", "registry"),
    ("text", "data"),
    ("masks", "models"),
    ("attention", "training", "vision"),
    ("evidence", "runs", "sweeps", "figures", "report"),
    ("ui",),
)
RANK = {part: rank for rank, parts in enumerate(ORDER) for part in parts}
# What a run's folder holds: the one that trains writes there, the one that queues reads it.
FOLDER = "maskviz.training.folder"


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


def test_imports_point_one_way() -> None:
    guilty = []
    for file, package in modules():
        rank = RANK.get(part_of(package) or file.stem)
        for name in imports_of(file, package) if rank is not None else ():
            if name.startswith(FOLDER) and part_of(package) == "training":
                continue
            if RANK.get(part_of(name) or "", -1) > rank:
                guilty.append(f"{file.relative_to(ROOT)} imports {name}")
    assert guilty == []


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


@pytest.mark.slow
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
