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
# What a reader tries first runs with every test; the other pages with those marked slow.
FIRST = ("README.md",)
EXAMPLES = [
    pytest.param(page, marks=() if page.name in FIRST else pytest.mark.slow) for page in DOCS
]
# One process for a page's commands: torch is imported once, not for each.
RUN_COMMANDS = """
import contextlib, shlex, subprocess, sys
from maskviz.cli import main
for line in {lines!r}:
    print("\\n$ " + line, flush=True)
    if not line.startswith("maskviz "):
        subprocess.run(line, shell=True, check=True)
        continue
    sys.argv = words = shlex.split(line)
    target = None
    if ">" in words:
        sys.argv, target = words[: words.index(">")], words[-1]
    with contextlib.ExitStack() as stack:
        if target:
            stack.enter_context(contextlib.redirect_stdout(stack.enter_context(open(target, "w"))))
        try:
            main()
        except SystemExit as end:
            if end.code:
                raise
"""
TITLES = {"finetune": "Fine-tune"}


def blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[str]:
    """Return the shell commands of a page that make files or call maskviz, lines joined.

    `maskviz app` serves until it is stopped and has a test of its own.
    """
    joined = "\n".join(blocks(text, "sh")).replace("\\\n", " ")
    lines = [line.split("  #")[0].strip() for line in joined.splitlines()]
    return [c for c in lines if c.startswith(("printf ", "maskviz ")) and "maskviz app" not in c]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder in which a page's examples run one after the other."""
    return tmp_path


def run_code(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own, with this checkout's maskviz and a new home."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MASKVIZ_HOME": str(folder / "home")}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True
    )


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


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_every_python_example_is_python(page: Path) -> None:
    for code in blocks(page.read_text(encoding="utf-8"), "python"):
        compile(code, page.name, "exec")


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.name)
def test_every_command_example_runs(page: Path, folder: Path) -> None:
    # A run on a tenth of the example set, so that the test takes seconds.
    lines = [
        line + " --set max_rows=200" if line.startswith("maskviz train") else line
        for line in commands(page.read_text(encoding="utf-8"))
    ]
    answer = run_code(RUN_COMMANDS.format(lines=lines), folder)
    assert answer.returncode == 0, f"{answer.stdout[-500:]}\n{answer.stderr}"
    assert answer.stdout.count("\n$ ") == len(lines)


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.name)
def test_every_python_example_runs(page: Path, folder: Path) -> None:
    answer = run_code("\n".join(blocks(page.read_text(encoding="utf-8"), "python")), folder)
    assert answer.returncode == 0, answer.stderr
