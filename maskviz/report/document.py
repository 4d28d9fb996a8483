"""A report as sections, and the sections as one HTML file."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from ..errors import ParameterError
from ..figures.static_files import policy
from ..paths import write_atomic
from ..text.marks import MARKS, isolated
from .settings import in_a_cell

LARGEST = 5_000_000  # bytes
_STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True)
class Section:
    """A heading as a question, and its answer as HTML made by this package."""

    title: str
    body: str


@dataclass(frozen=True)
class Report:
    """What a reader is told.

    finding: the answer in one sentence. sure: how sure we are, in plain words. settings: what is
    needed to make it again; commands: how. data: what the charts show to a pointer, JSON-ready.
    """

    title: str
    finding: str
    sections: Sequence[Section]
    sure: str
    settings: Mapping[str, Any]
    commands: Sequence[str] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


def escape(text: object) -> str:
    """Return text that HTML shows as it is; marks of direction by name.

    >>> escape("</script>\\u202e")
    '&lt;/script&gt;<span class="mark" title="U+202E">RLO</span>'
    """
    escaped = html.escape(str(text), quote=True)
    if not any(mark in escaped for mark in MARKS):
        return escaped
    return "".join(
        f'<span class="mark" title="U+{ord(c):04X}">{MARKS[c]}</span>' if c in MARKS else c
        for c in escaped
    )


def sentence(text: object) -> str:
    """Return a sentence of the report's own: its words of another direction turn nothing."""
    return isolated(escape(text))


def attribute(text: object) -> str:
    """Return text for an attribute in double quotes; marks of direction are left out."""
    kept = "".join(c for c in str(text) if c not in MARKS)
    return html.escape(kept, quote=True)


def render(report: Report) -> str:
    """Return the report as one HTML document. Raises ParameterError beyond 5 MB."""
    sections = "\n".join(
        f"<section><h2>{escape(section.title)}</h2>{section.body}</section>"
        for section in report.sections
    )
    settings = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(in_a_cell(value))}</td></tr>"
        for name, value in report.settings.items()
    )
    data = json.dumps(report.data, ensure_ascii=True).encode()
    script = _static("report.js")
    page = Template(_static("report.html")).substitute(
        title=attribute(report.title),
        heading=escape(report.title),
        finding=sentence(report.finding),
        sections=sections,
        sure=sentence(report.sure),
        settings=settings,
        commands="\n".join(escape(command) for command in report.commands),
        style=_static("report.css"),
        script=script,
        policy=policy(script),
        data=base64.b64encode(data).decode(),
    )
    size = len(page.encode("utf-8", errors="replace"))
    if size > LARGEST:
        raise ParameterError(
            f"The report would hold {size / 1e6:.1f} MB, more than {LARGEST / 1e6:.0f} MB: "
            "shorten the text."
        )
    return page


def save(report: Report, path: str | Path) -> Path:
    """Write the report; the name must end in .html. Raises ParameterError."""
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ParameterError(f"A report is HTML and {path.name!r} is not: end it in .html.")
    write_atomic(path, render(report).encode("utf-8", errors="replace"))
    return path


@cache
def _static(name: str) -> str:
    return (_STATIC / name).read_text(encoding="utf-8")
