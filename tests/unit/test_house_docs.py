"""The docs as a site, and the image for a team: both are made of what is really here."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import typer

from maskviz.commands import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "pages").glob("*.py"))


def test_the_site_builds_without_a_warning(tmp_path) -> None:
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # an advertisement, no warning of ours
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr[-3000:]
    for name in ("tutorial", "pages", "experiments", "strategies", "cli", "python", "deploying"):
        assert (tmp_path / name / "index.html").is_file()
    reference = (tmp_path / "reference" / "index.html").read_text("utf-8")
    assert "maskviz.masks.choose.mask" in reference  # from the docstrings
    assert "https://fonts." not in reference


def test_every_page_has_its_part_in_the_docs() -> None:
    docstrings = [ast.get_docstring(ast.parse(f.read_text("utf-8"))) for f in PAGES]
    heads = re.findall(r"^## (.+)$", (ROOT / "docs" / "pages.md").read_text("utf-8"), re.M)
    assert {said.partition(":")[0] for said in docstrings if said} <= set(heads)
    assert all(docstrings)


def _instructions() -> list[list[str]]:
    """Return the Dockerfile's instructions as words, lines joined and comments left out."""
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#"))
    return [shlex.split(line) for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def test_the_image_copies_what_is_here_and_starts_what_there_is() -> None:
    copied = [word for words in _instructions() if words[0] == "COPY" for word in words[1:-1]]
    assert all((ROOT / name).exists() for name in copied)
    kept = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert {f"!{name}" for name in copied} == {line for line in kept if line.startswith("!")}
    start = next(words for words in _instructions() if words[0] == "ENTRYPOINT")
    words = re.findall(r"[^\[\],\s]+", " ".join(start[1:]))
    assert words[:2] == ["maskviz", "app"]
    options = {o for p in typer.main.get_command(app).commands["app"].params for o in p.opts}
    assert {word for word in words if word.startswith("--")} <= options
    assert ["USER", "maskviz"] in _instructions()
