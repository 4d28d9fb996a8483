"""No command, link or file that the docs and the messages show has gone out of date."""

from __future__ import annotations

import re
import shlex
import tomllib
from contextlib import suppress
from pathlib import Path

import pytest
import typer

from maskviz.commands import app
from maskviz.sweeps import SweepSpec

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md", ROOT / "README.zh.md", ROOT / "CONTRIBUTING.md", ROOT / "Dockerfile",
    *sorted((ROOT / "benchmarks").glob("*.md")), *sorted((ROOT / "recipes").glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]  # fmt: skip
UsageError = typer.BadParameter.__base__  # of the click that typer brings
MissingParameter = next(c for c in typer.BadParameter.__subclasses__() if "Missing" in c.__name__)
WRONG = (UsageError, KeyError, ValueError)  # an option, a command, a quotation mark
COMMAND = typer.main.get_command(app)


def blocks(text: str, language: str = r"\w*") -> list[str]:
    """Return the fenced blocks of a language, by default of any."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[str]:
    """Return every command of maskviz that a page shows, in a block or in a sentence."""
    lines = "\n".join(blocks(text)).replace("\\\n", " ").splitlines()
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return [
        line.strip().removeprefix("$ ").replace("…", "")
        for line in [*lines, *re.findall(r"`(maskviz [^`]*)`", prose)]
        if line.strip().startswith(("maskviz ", "$ maskviz "))
    ]


def check(line: str) -> None:
    """Read a command as the command line does, without running it; raises what it would say."""
    words = shlex.split(line, comments=True)[1:]
    end = next((i for i, word in enumerate(words) if word in (">", "|", "&&", "2>")), len(words))
    words, command, name = words[:end], COMMAND, "maskviz"
    while hasattr(command, "commands") and words:
        name, words = words[0], words[1:]
        command = command.commands[name]
    if words:  # a name alone is spoken of, not given
        with suppress(MissingParameter):
            command.make_context(name, words)


@pytest.mark.parametrize(
    "line", ["maskviz mark it", "maskviz mask it --rato 1", "maskviz runs fly"]
)
def test_a_command_that_is_not_there_is_found(line) -> None:
    with pytest.raises(WRONG):
        check(line)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_shown_is_one_that_there_is(page: Path) -> None:
    wrong = []
    for line in commands(page.read_text(encoding="utf-8")):
        try:
            check(line)
        except WRONG as error:
            wrong.append(f"{line}: {error!r}")
    assert wrong == []


def test_every_command_in_a_message_is_one_that_there_is() -> None:
    wrong, seen = [], 0
    for file in [*(ROOT / "maskviz").rglob("*.py"), *(ROOT / "pages").glob("*.py")]:
        joined = re.sub(r'"\s*f?"', "", file.read_text(encoding="utf-8"))
        for line in re.findall(r"'(maskviz [a-z][^'\n\"]*)'", joined):
            seen += 1
            try:
                check(re.sub(r"\{[^{}]*\}", "x", line))
            except WRONG as error:
                wrong.append(f"{file.name}: {line}: {error!r}")
    assert wrong == []
    assert seen > 5


def slug(heading: str) -> str:
    """Return a heading's anchor."""
    kept = re.sub(r"[^\w\s-]", "", heading.strip().lower())
    return re.sub(r"[-\s]+", "-", kept)


@pytest.mark.parametrize("page", [p for p in PAGES if p.suffix], ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        target = page.parent / path if path else page
        heads = []
        if target.suffix == ".md" and target.is_file():
            heads = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
        if not target.exists() or (anchor and anchor not in map(slug, heads)):
            lost.append(link)
    assert lost == []


def test_every_settings_file_shown_can_be_read() -> None:
    found = [t for page in PAGES for t in blocks(page.read_text(encoding="utf-8"), "toml")]
    tables = [tomllib.loads(text) for text in found]
    sweeps = [SweepSpec.from_dict(table) for table in tables if "sweep" in table]
    assert sweeps
    assert all(sweep.size > 1 for sweep in sweeps)
