"""Which language is found, by the probability from which one is said; and Chinese words.

    python benchmarks/languages.py [--treebank FILE.conllu ...] [--json]

The floor of `maskviz.text.languages.finding` is read off here: over the example sentences that
spaCy ships (MIT; `spacy/lang/*/examples.py`), for each probability how many sentences lie above it
and how many of those are right, without the languages that are not told apart. With treebanks of
Universal Dependencies in Chinese, F1 of the words that are of Han alone against theirs, beside
jieba's as it is. Needs spaCy and py3langid, for treebanks jieba as well.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from maskviz.text.languages import LANGUAGES, language_of  # noqa: E402
from maskviz.text.languages import finding as finder  # noqa: E402
from maskviz.text.languages.known import folded  # noqa: E402
from maskviz.text.words import word_offsets  # noqa: E402

FLOORS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
_HAN = re.compile(r"[\u3400-\u9fff]+")


def examples() -> Iterator[tuple[str, str]]:
    """Yield the language and the text of each example sentence of spaCy."""
    import spacy.lang

    for file in sorted(Path(next(iter(spacy.lang.__path__))).glob("*/examples.py")):
        code = folded(file.parent.name)
        if code not in LANGUAGES:
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.List):
                yield from ((code, str(ast.literal_eval(e))) for e in node.value.elts)


def found(floor: float) -> dict[str, Any]:
    """Return how many examples a floor lets through, and which of these are wrong."""
    finder.FLOOR = floor
    finder._found.cache_clear()
    told = [(own, language_of(text)) for own, text in examples()]
    told = [(own, finding) for own, finding in told if finding.by != "script"]
    above = [(own, finding.code) for own, finding in told if finding.code]
    return {
        "floor": floor,
        "languages": len({own for own, _ in told}),
        "sentences": len(told),
        "told": len(above),
        "wrong": [f"{own} as {code}" for own, code in above if code != own],
    }


def treebank(path: Path) -> Iterator[list[str]]:
    """Yield the words of each sentence of a file of CoNLL-U."""
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        if words := [w.split("\t")[1] for w in block.splitlines() if re.match(r"\d+\t", w)]:
            yield words


def words_f1(path: Path) -> dict[str, float | str]:
    """Return F1 of the words of Han alone against those of a treebank, beside jieba's own."""
    import jieba

    ours, theirs = [0, 0, 0], [0, 0, 0]
    for words in treebank(path):
        text, marked, at = "".join(words), set(), 0
        for word in words:
            marked.add((at, at := at + len(word)))
        _count(ours, text, marked, set(word_offsets(text, "zh")))
        _count(theirs, text, marked, {(a, b) for _, a, b in jieba.tokenize(text)})
    return {"file": path.name, "maskviz": _f1(ours), "jieba": _f1(theirs)}


def _count(
    tally: list[int], text: str, marked: set[tuple[int, int]], found: set[tuple[int, int]]
) -> None:
    marked, found = ({w for w in s if _HAN.fullmatch(text[slice(*w)])} for s in (marked, found))
    for i, part in enumerate((marked & found, found - marked, marked - found)):
        tally[i] += len(part)


def _f1(tally: list[int]) -> float:
    right, wrong, missed = tally
    return 2 * right / max(1, 2 * right + wrong + missed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--treebank", type=Path, nargs="*", default=[])
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    floors = [found(floor) for floor in FLOORS]
    scored = [words_f1(path) for path in asked.treebank]
    if asked.json:
        print(json.dumps({"floors": floors, "words": scored}, indent=2))
        return
    for one in floors:
        wrong = f"{len(one['wrong'])} wrong {', '.join(one['wrong'][:5])}".rstrip()
        print(f"{one['floor']:5.2f}: {one['told']} of {one['sentences']} told, {wrong}")
    for words in scored:
        print(f"{words['file']}: F1 {words['maskviz']:.3f}, jieba as it is {words['jieba']:.3f}")


if __name__ == "__main__":
    main()
