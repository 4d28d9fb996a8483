"""Write docs/cli.md from the commands' own help.

python scripts/cli_reference.py          write it
python scripts/cli_reference.py --check  exit 1 where it is out of date
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import typer

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "cli.md"
HEAD = """# Command line

Written by `scripts/cli_reference.py` from the commands' own help.

Every command takes `--json` (one JSON document on standard output and nothing else there). A \
command exits with 0 on success and with 2 on bad input, with one line on standard error that \
names the value, the limit and the next step.
"""


def reference() -> str:
    """Return the whole page as Markdown."""
    sys.path.insert(0, str(ROOT))
    from maskviz.commands import app

    root = typer.main.get_command(app)
    return HEAD + "".join(_section(name, command) for name, command in walk(root, "maskviz"))


def walk(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Yield each command that does something, with its whole name.

    Groups are told by their attribute, because typer may bring a click of its own.
    """
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for child in children.values():
        yield from walk(child, f"{name} {child.name}")


def _section(name: str, command: click.Command) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    usage = " ".join([name, *(_usage(a) for a in arguments), "[options]"])
    lines = [f"\n## {name}\n", f"    {usage}\n", f"{(command.help or '').strip()}\n"]
    options = [p for p in command.params if p.param_type_name == "option"]
    if options:
        lines.append("| option | meaning | default |\n|---|---|---|")
        lines += [_row(option) for option in options if option.name != "help"]
    return "\n".join(lines) + "\n"


def _usage(argument: click.Parameter) -> str:
    name = (argument.name or "").upper()
    return name if argument.required else f"[{name}]"


def _row(option: click.Parameter) -> str:
    names = ", ".join(f"`{name}`" for name in sorted(option.opts, key=len, reverse=True))
    default = option.default
    shown = (
        ""
        if default is None or default == "" or default is False or callable(default)
        else f"`{default}`"
    )
    meaning = (getattr(option, "help", None) or "").replace("|", "\\|")
    return f"| {names} | {meaning} | {shown} |"


if __name__ == "__main__":
    page = reference()
    if "--check" in sys.argv[1:]:
        sys.exit(PAGE.read_text(encoding="utf-8") != page)
    PAGE.write_text(page, encoding="utf-8")
