"""The README names everything there is, and every example in it runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.cli_reference import PAGE, reference, walk

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TITLES = {"finetune": "Fine-tune"}


def blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[str]:
    """Return the shell commands of a page that call maskviz, continued lines joined.

    `maskviz app` serves until it is stopped and has a test of its own.
    """
    joined = "\n".join(blocks(text, "sh")).replace("\\\n", " ")
    lines = [line.split("  #")[0].strip() for line in joined.splitlines()]
    return [line for line in lines if "maskviz " in line and "maskviz app" not in line
            and not line.startswith(("pip ", "cd ", "git ", "export "))]  # fmt: skip


def commands_of_pages() -> list[tuple[str, str]]:
    """Return (file name, command) for the README and every page of docs/."""
    return [(f.name, c) for f in DOCS for c in commands(f.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which a page's examples run one after the other."""
    return tmp_path_factory.mktemp("readme")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return variables under which `maskviz` is this checkout's, with one home for all."""
    scripts = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "MASKVIZ_HOME": str(tmp_path_factory.mktemp("readme-home")),
    }


def test_every_page_is_named() -> None:
    pages = [file.stem for file in (ROOT / "pages").glob("*.py")]
    missing = [p for p in pages if f"**{TITLES.get(p, p.capitalize())}**" not in README]
    assert pages
    assert missing == []


def test_every_strategy_and_operator_is_named() -> None:
    from maskviz.masks import OPERATORS, STRATEGIES

    names = [*STRATEGIES, *OPERATORS]
    assert [name for name in names if f"`{name}`" not in README] == []


def test_every_command_is_named() -> None:
    import typer

    from maskviz.commands import app

    names = {name for name, _ in walk(typer.main.get_command(app), "maskviz")}
    assert [name for name in sorted(names) if name not in README] == []


def test_every_command_has_help() -> None:
    import typer

    from maskviz.commands import app

    found = dict(walk(typer.main.get_command(app), "maskviz"))
    assert [name for name, command in found.items() if not command.help] == []


def test_the_reference_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "run python scripts/cli_reference.py"


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.parametrize(("page", "command"), commands_of_pages())
def test_every_command_example_runs(
    page: str, command: str, folder: Path, environment: dict[str, str]
) -> None:
    answer = subprocess.run(
        command, shell=True, cwd=folder, env=environment, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_every_python_example_runs(page: Path, folder: Path, environment: dict[str, str]) -> None:
    code = "\n".join(blocks(page.read_text(encoding="utf-8"), "python"))
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
