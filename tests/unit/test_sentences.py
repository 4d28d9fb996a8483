"""Every sentence on a result, case by case, as a careful statistician would sign it.

`sentences/*.toml` is the table: a function that makes sentences, a case, what it is given, and the
exact sentence. No phrase that such a function can write is without a case. What reports and pages
write themselves is held to it wherever a figure stands in a sentence.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

import maskviz
from tests.sentences import caller

TABLES = Path(__file__).parent / "sentences"
PACKAGE = Path(maskviz.__file__).parent
ROOMS = ("attention", "evidence", "report", "runs", "sweeps", "training/loop", "ui")
ROOT = re.compile(r"finding|[a-z]\w*_finding|[a-z]\w*_sentence|verdicts?|believed|_sure")
PHRASE = re.compile(r"[^\W\d]+ [^\W\d]+")  # two words
# What stands between words: a figure, an element of HTML, or the half of one that has a figure.
SPLIT = re.compile(r"\{\w*\}|<[^<>]*>|^[^<>]*(?<!-)>|<[^<>]*$")
# What is read of a result that has its sentence, and the sentences of a page on what it is doing.
KEPT = {
    "maskviz.ui.chat.answers:finding",  # keeps that of evidence.text.spoken
    "maskviz.evidence.words.staged:sentence",  # what it costs, not what it found
}
WRITERS = ("maskviz/report", "maskviz/ui", "pages")  # of sentences that are not a result's own
MEASURES = {"percent", "points", "number", "times", "len"}  # what makes a figure of a value
# Functions there whose sentences have a figure and are no findings, by what they say.
OUTSIDE = {
    "how much of a text, a table or a conversation is read or shown": (
        "report.text:read_in_part", "report.conversation:conversation_report",
        "report.settings:in_a_cell", "ui.chat.reading:what_is_read", "ui.compare.explain:_whole",
        "ui.compare.result:_groups", "ui.guide.choice:why_this_ratio", "ui.shared.limits:asked",
        "ui.chat.given:_uploaded", "ui.shared.conversation_control:_now",
        "ui.shared.notices:notices", "ui.attention.prune:_rows", "ui.runs.data:_say_how_read",
        "pages.mask:why", "pages.mask:details",
    ),
    "what is chosen, asked for or given": (
        "ui.compare.file:checked", "ui.compare.labels:_label_map", "ui.runs.table:differences",
        "ui.shared.state:summary", "ui.experiments.cells:command", "ui.experiments.own:about",
        "ui.experiments.own:_tie", "ui.mask.panels:matrix_parameters", "pages.chat:conversation",
        "pages.finetune:_who_hides",
    ),
    "what it costs, and how far it is": (
        "ui.attention.look:cost", "ui.attention.panels:save", "ui.compare.file:ended",
        "ui.compare.shown:others", "ui.experiments.sweeps:_figures", "ui.mask.panels:matrix_panel",
        "ui.runs.panel:_before", "pages.attention:flow_choice", "pages.finetune:start",
    ),
    "the figures that a chart or table beside it has, and their unit": (
        "report.asked:in_words", "report.comparison:_arms", "report.comparison:_gaps",
        "report.comparison:_kinds", "report.run:_out", "report.text:_changed",
        "ui.attention.panels:one_token", "ui.attention.units:_map", "pages.guide:arithmetic",
    ),
}  # fmt: skip


@cache
def table() -> dict[str, dict[str, dict]]:
    found: dict[str, dict[str, dict]] = {}
    for file in sorted(TABLES.glob("*.toml")):
        found |= tomllib.loads(file.read_text(encoding="utf-8"))
    return found


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize("function", sorted(table()))
def test_a_sentence_says_what_its_numbers_bear(function: str) -> None:
    make = caller(function)
    said = {case: plain(make(**given["given"])) for case, given in table()[function].items()}
    assert said == {case: given["says"] for case, given in table()[function].items()}


def test_no_sentence_template_is_without_a_case() -> None:
    said = " ".join(case["says"] for own in table().values() for case in own.values()).casefold()
    without = [
        f"{module}: {phrase!r}"
        for module, tree in modules()
        for phrase in phrases(module, tree)
        if phrase.casefold() not in said
    ]
    assert without == []


def test_every_function_that_makes_a_finding_has_a_case() -> None:
    named = {name.replace(":", ".").split(".")[-1] + "@" + name.split(":")[0] for name in table()}
    roots = {
        f"{name}@{module}"
        for module, tree in modules()
        for name in functions(tree)
        if ROOT.fullmatch(name)
        and f"{module}:{name}" not in KEPT
        and makes_text(module, tree, name)
    }
    assert roots - named == set()


def test_no_figure_stands_in_a_sentence_of_a_report_or_page_without_a_case() -> None:
    outside = {name for names in OUTSIDE.values() for name in names}
    found = set(figured())
    assert found - outside == set()
    assert outside - found == set()  # what is no longer there


def figured() -> Iterator[str]:
    """Yield the functions whose sentences have figures, and no case."""
    for place in WRITERS:
        for file in sorted((PACKAGE.parent / place).rglob("*.py")):
            name = ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts)
            tree = ast.parse(file.read_text(encoding="utf-8"))
            held = {one.name for one in reached(name, tree) if isinstance(one, ast.FunctionDef)}
            for own, node in functions(tree).items():
                if own not in held and any(map(_figure_of(node), templates(node))):
                    yield f"{name.removeprefix('maskviz.')}:{own}"


def templates(node: ast.AST) -> Iterator[ast.JoinedStr]:
    """Yield the f-strings outside errors whose own words are a phrase."""
    if isinstance(node, ast.Raise):
        return
    if isinstance(node, ast.JoinedStr):
        parts = (v.value if isinstance(v, ast.Constant) else "{}" for v in node.values)
        if any(map(PHRASE.search, SPLIT.split(plain("".join(map(str, parts)))))):
            yield node
    for child in ast.iter_child_nodes(node):
        yield from templates(child)


def _figure_of(function: ast.FunctionDef) -> Callable[[ast.JoinedStr], bool]:
    """Return what tells whether a template shows a number, by its form or by who wrote it."""

    def measured(node: ast.AST) -> bool:
        calls = (one.func for one in ast.walk(node) if isinstance(one, ast.Call))
        named = any(ast.unparse(call).split(".")[-1] in MEASURES for call in calls)
        values = (one for one in ast.walk(node) if isinstance(one, ast.FormattedValue))
        return named or any(value.format_spec for value in values)

    set_before = {
        target.id
        for one in ast.walk(function)
        if isinstance(one, ast.Assign) and measured(one.value)
        for target in one.targets
        if isinstance(target, ast.Name)
    }

    def shows(template: ast.JoinedStr) -> bool:
        names = {one.id for one in ast.walk(template) if isinstance(one, ast.Name)}
        return measured(template) or bool(names & set_before)

    return shows


@cache
def modules() -> list[tuple[str, ast.Module]]:
    """Return the modules of the rooms that have a function which makes sentences on results."""
    found = []
    for room in ROOMS:
        for file in sorted((PACKAGE / room).rglob("*.py")):
            source = file.read_text(encoding="utf-8")
            name = ".".join(("maskviz", *file.relative_to(PACKAGE).with_suffix("").parts))
            asked = any(function.startswith(f"{name}:") for function in table())
            if (asked or ROOT.search(source)) and name not in {one.split(":")[0] for one in KEPT}:
                tree = ast.parse(source)
                if asked or any(ROOT.fullmatch(own) for own in functions(tree)):
                    found.append((name, tree))
    return found


def functions(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def makes_text(module: str, tree: ast.Module, name: str) -> bool:
    if name == "_sure" and module.split(".")[1] != "report":  # a part of a finding
        return False
    returned = ast.unparse(functions(tree)[name].returns or ast.Constant(""))
    return "str" in returned or "Verdict" in returned


def phrases(module: str, tree: ast.Module) -> list[str]:
    """Return what stands between the figures in the sentences that a module can make."""
    return [phrase for node in reached(module, tree) for phrase in written(node)]


def reached(module: str, tree: ast.Module) -> list[ast.AST]:
    """Return the functions and tables of a module that its sentences are made by."""
    own = functions(tree)
    tables = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    asked = {f.split(":")[1].split(".")[-1] for f in table() if f.split(":")[0] == module}
    roots = [n for n in own if n in asked or (ROOT.fullmatch(n) and makes_text(module, tree, n))]
    seen: set[str] = set()
    while roots:
        name = roots.pop()
        node = own.get(name) or tables.get(name)
        if node is None or name in seen:
            continue
        seen.add(name)
        roots += [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
        roots += [n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)]
    return [own.get(name) or tables[name] for name in sorted(seen)]


def written(node: ast.AST) -> Iterator[str]:
    """Yield the constant parts of two words or more, not docstrings, errors, keys or names."""
    if isinstance(node, ast.Raise | ast.Compare):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        for part in SPLIT.split(plain(node.value)):
            if PHRASE.search(part):
                yield part.strip()
    for name, child in ast.iter_fields(node):
        if name in ("slice", "returns", "annotation") or (
            isinstance(node, ast.Dict) and name == "keys"
        ):
            continue
        body = child if isinstance(child, list) else [child]
        if name == "body" and isinstance(node, ast.FunctionDef) and ast.get_docstring(node):
            body = body[1:]
        for one in body:
            if isinstance(one, ast.AST):
                yield from written(one)
