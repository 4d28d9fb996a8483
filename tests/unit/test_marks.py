"""Marks of direction and controls in what people wrote turn nothing of ours, where it is shown."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from maskviz import terminal
from maskviz.figures.static_files import read_static
from maskviz.figures.strip import strip_page
from maskviz.figures.theme import as_text
from maskviz.masks import Mask, MaskSpan
from maskviz.report.document import Report, render, sentence
from maskviz.text.marks import MARKS, isolated, named, printable
from maskviz.ui.shared.page import escape

TURNED = "evil\u202etxt\u2066 \u200fend"
EVERY = "".join(MARKS)


def test_every_mark_stands_by_its_name() -> None:
    assert named(TURNED) == "evil‹RLO›txt‹LRI› ‹RLM›end"
    for shown in (named(EVERY), as_text(EVERY), printable(EVERY)):
        assert not set(shown) & set(MARKS)
        assert all(name in shown for name in MARKS.values())


def test_the_browser_knows_the_same_marks() -> None:
    written = dict(re.findall(r'"\\u([0-9a-f]{4})": "([A-Z]{3})"', read_static("marks.js")))
    assert {chr(int(code, 16)): name for code, name in written.items()} == MARKS


@pytest.mark.parametrize(
    ("text", "apart"),
    [
        ("“שלום” 12 %, “film” 8 %", ["שלום", "film"]),
        ("turns إيجابي 91 % into سلبي 64 %", ["إيجابي", "سلبي"]),
        ("a שלום, עולם טוב! z", ["שלום, עולם טוב"]),
        ("a film of 1999", []),
    ],
)
def test_words_of_another_direction_are_kept_to_themselves(text, apart) -> None:
    shown = isolated(text)
    assert re.findall("\u2068(.*?)\u2069", shown) == apart
    assert re.sub("[\u2068\u2069]", "", shown) == text


def test_nothing_is_turned_on_a_page_or_in_a_file() -> None:
    page = Report("A " + TURNED, f"“{TURNED}” and 12 %", [], "Sure.", {TURNED: TURNED})
    chosen = Mask(f"Ann {TURNED} left", (MaskSpan(0, 3, TURNED, label=TURNED),))
    for shown in (escape(TURNED), render(page), strip_page(chosen, TURNED)):
        assert not set(shown) & (set(MARKS) - {"\u2068", "\u2069"})
        assert "RLO" in shown
        assert shown.count("\u2068") == shown.count("\u2069")
    assert sentence("“שלום” 12 %") == "“\u2068שלום\u2069” 12 %"


@pytest.mark.parametrize("as_json", [True, False])
def test_a_terminal_is_not_obeyed_and_a_file_gets_the_text_as_it_is(
    as_json, monkeypatch, capsys
) -> None:
    text = "a\x1b[31mred\x9b2J \u202e film\n"
    terminal.show({"text": text}, as_json, text)
    written = capsys.readouterr().out
    assert "\u202e" in written
    assert as_json or written == text + "\n"
    monkeypatch.setattr(terminal, "sys", SimpleNamespace(stdout=_Screen()))
    terminal.show({"text": text}, as_json, text)
    written = capsys.readouterr().out
    assert not set("\x1b\x9b\u202e") & set(written)
    assert "film" in written


class _Screen:
    def isatty(self) -> bool:
        return True


def test_a_file_runs_its_own_script_and_no_other() -> None:
    page = render(Report("Title", "Found.", [], "Sure.", {}))
    assert "script-src 'sha256-" in page
    assert "'unsafe-inline'; base-uri 'none'" in page  # styles alone
    assert "script-src 'unsafe-inline'" not in page
