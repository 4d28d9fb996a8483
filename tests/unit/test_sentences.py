"""Every sentence on a result, case by case, as a careful statistician would sign it.

`sentences/*.toml` is the table: a function that makes sentences, a case, what it is given, and the
exact sentence. No phrase that such a function can write is without a case.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import maskviz
from tests.sentences import caller

TABLES = Path(__file__).parent / "sentences"
PACKAGE = Path(maskviz.__file__).parent
ROOMS = ("attention", "evidence", "report", "runs", "sweeps", "training/loop", "ui")
ROOT = re.compile(r"finding|[a-z]\w*_finding|[a-z]\w*_sentence|verdicts?|believed|_sure")
# What is read of a result that has its sentence, and the sentences of a page on what it is doing.
KEPT = {
    "maskviz.ui.chat.answers:finding",  # keeps that of evidence.text.spoken
    "maskviz.evidence.words.staged:sentence",  # what it costs, not what it found
}


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


@cache
def modules() -> list[tuple[str, ast.Module]]:
    """Return the modules of the rooms that have a function which makes sentences on results."""
    found = []
    for room in ROOMS:
        for file in sorted((PACKAGE / room).rglob("*.py")):
            source = file.read_text(encoding="utf-8")
            name = ".".join(("maskviz", *file.relative_to(PACKAGE).with_suffix("").parts))
            if ROOT.search(source) and name not in {kept.split(":")[0] for kept in KEPT}:
                tree = ast.parse(source)
                if any(ROOT.fullmatch(own) for own in functions(tree)):
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
    kept = [own.get(name) or tables[name] for name in sorted(seen)]
    return [phrase for node in kept for phrase in written(node)]


def written(node: ast.AST) -> Iterator[str]:
    """Yield the constant parts of two words or more, not docstrings, errors, keys or names."""
    if isinstance(node, ast.Raise | ast.Compare):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        for part in re.split(r"\{\w*\}", plain(node.value)):
            if re.search(r"[^\W\d]+ [^\W\d]+", part):
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
