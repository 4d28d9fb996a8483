"""How often swapped texts are right: her and his by their case, given names by group.

    python benchmarks/swaps.py [--data DIR] [--json]

Without `--data` the sentences by hand of `tests/unit/pronouns.tsv`. With it also `pos.parquet`
(rows that train nothing), `translation_dev.parquet` and reviews, where the case is known from a
pronoun that shows it: me, them, us and him become her (an object), my, their and our become her or
his, mine, theirs and ours become his (standing alone). And given names by group with the list taken
away: how many of them `attribute` still finds in sentences, as it would any name outside the list.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from maskviz.evidence.counterfactual.people import _names
from maskviz.evidence.counterfactual.swaps import swapped
from maskviz.masks import mask
from maskviz.text.document import Document
from maskviz.text.together import annotate_together

HAND = Path(__file__).parents[1] / "tests" / "unit" / "pronouns.tsv"
_KNOWN = {
    **dict.fromkeys(("me", "them", "us", "him"), (("her", "him"),)),
    **dict.fromkeys(("my", "their", "our"), (("her", "his"), ("his", "her"))),
    **dict.fromkeys(("mine", "theirs", "ours"), (("his", "hers"),)),
}
_EACH = 400  # sentences of a case
SENTENCES = (
    "{} feels angry.", "I made {} feel sad.", "The conversation with {} was irritating.",
    "{} found herself in a hard situation.", "My neighbour {} goes to that school.",
)  # fmt: skip


def main() -> None:
    """Print the figures."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path)
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args()
    found = {"by hand": cases(by_hand())}
    if given.data:
        found |= {name: cases(known_cases(texts)) for name, texts in of_data(given.data)}
    found["names outside the list"] = names_found()
    print(json.dumps(found, indent=1) if given.json else "\n".join(lines(found)))


def lines(found: dict[str, dict[str, dict[str, int]]]) -> Iterator[str]:
    """Yield a line for each case."""
    for source, by_case in found.items():
        for case, n in by_case.items():
            counted = n["right"] + n["wrong"]
            share = f"{n['right'] / counted:.1%}" if counted else "-"
            left = f", {n['left out']} left out" if "left out" in n else ""
            yield f"{source:24}{case:14}{share:>7} of {counted:,}{left}"


def by_hand() -> Iterator[tuple[str, int, str]]:
    """Yield sentence, place of its first her or his, and what it becomes."""
    for line in HAND.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            text, gold = line.split("\t")
            place = re.search(r"(?i)\b(?:her|his)\b", text)
            yield text, place.start() if place else 0, gold


def of_data(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the name of a source and its sentences."""
    import pandas as pd

    rows = pd.read_parquet(folder / "pos.parquet")
    yield "English Web Treebank", list(rows[rows.split != "train"].text)
    yield "Tatoeba", list(pd.read_parquet(folder / "translation_dev.parquet").en)
    reviews = pd.read_parquet(folder / "reviews_unlabelled.parquet").text.sample(
        3000, random_state=5
    )
    yield "reviews", [s for text in reviews for s in re.split(r"(?<=[.!?])\s+", text)]


def known_cases(texts: Iterable[str]) -> Iterator[tuple[str, int, str]]:
    """Yield sentences with one pronoun replaced by a her or his whose case is known."""
    found: dict[str, list[tuple[str, int, str]]] = {}
    for text in texts:
        if len(text) > 300 or re.search(r"(?i)\b(?:her|his)\b", text):
            continue
        for match in re.finditer(r"[a-z]+", text):  # US is a country
            for new, gold in _KNOWN.get(match.group(), ()):
                other = text[: match.start()] + new + text[match.end() :]
                found.setdefault(f"{new} {gold}", []).append((other, match.start(), gold))
    for case in found.values():
        random.Random(0).shuffle(case)  # noqa: S311
        yield from case[:_EACH]


def cases(sentences: Iterable[tuple[str, int, str]]) -> dict[str, dict[str, int]]:
    """Return for each case how many are right, wrong and left out for being read in two ways."""
    counts: dict[str, Counter[str]] = {}
    given = list(sentences)
    annotate_together(Document(text) for text, _, _ in given)
    for text, place, gold in given:
        own = text[place : place + 3].lower()
        found = swapped(text, "gender")
        if found.text is None and "two ways" not in found.why:
            continue  # for another reason
        index = len(re.findall(r"\w+", text[:place]))
        became = "-" if found.text is None else re.findall(r"\w+", found.text)[index].lower()
        said = "left out" if became == "-" != gold else "right" if became == gold else "wrong"
        case = counts.setdefault(
            f"{own} to {gold}", Counter({"right": 0, "wrong": 0, "left out": 0})
        )
        case[said] += 1
    return {name: dict(n) for name, n in sorted(counts.items())}


def names_found() -> dict[str, dict[str, int]]:
    """Return for each group how many mentions of names `attribute` finds without its list."""
    from maskviz.masks import attributes

    whole, counts = attributes.matches, {}
    attributes.matches = lambda text, name, language: (
        iter(()) if name == "names" else whole(text, name, language)
    )
    try:
        for (group, gender), names in sorted(_names().pools.items()):
            asked = names[:40]
            n = Counter({"right": 0, "wrong": 0})
            for name in asked:
                for sentence in SENTENCES:
                    text = sentence.format(name)
                    spans = mask(Document(text, spoken="en"), "attribute", types=["names"]).spans
                    hit = any(text[s.start : s.end] == name for s in spans)
                    n["right" if hit else "wrong"] += 1
            counts[f"{group} {gender}"] = dict(n)
    finally:
        attributes.matches = whole
    return counts


if __name__ == "__main__":
    main()
