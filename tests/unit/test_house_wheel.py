"""A built wheel holds the whole house and works outside the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = ("--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--quiet")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, offline, with the build backend of the test extra."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", *BUILD, "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(pip, check=True, capture_output=True)
    return next(folder.glob("maskviz-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the wheel into an empty folder: what pip leaves in site-packages."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(installed: Path, code: str, *, cwd: Path) -> str:
    """Run Python code that sees the wheel before the checkout, from another directory."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def test_the_wheel_holds_pages_and_assets(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    pages = {f"maskviz/_app/pages/{page.name}" for page in (ROOT / "pages").glob("*.py")}
    assets = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "maskviz").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert len(pages) >= 5
    assert {"maskviz/_app/app.py", "maskviz/_app/.streamlit/config.toml", *pages} <= names
    assert assets <= names
    assert "maskviz/py.typed" in names  # without it a type checker takes all of maskviz as Any
    assert [name for name in names if "__pycache__" in name or "tests/" in name] == []


def test_the_installed_command_line_works(installed: Path, tmp_path: Path) -> None:
    code = (
        "import sys, maskviz.cli as c; sys.argv = ['maskviz', 'mask', 'Anna loved the film.',"
        "'--strategy', 'random', '--json']; c.main()"
    )
    mask = json.loads(run(installed, code, cwd=tmp_path))
    assert mask["text"] == "Anna loved the film."
    assert len(mask["spans"]) == 1


def test_the_installed_dashboard_renders(installed: Path, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from maskviz.launch import app_script\n"
        f"assert app_script().is_relative_to(Path({str(installed)!r}).resolve()), app_script()\n"
        "from streamlit.testing.v1 import AppTest\n"
        "at = AppTest.from_file(str(app_script()), default_timeout=120).run()\n"
        "print([e.value for e in at.exception], len(at.main))\n"
    )
    assert run(installed, code, cwd=tmp_path).startswith("[] ")
