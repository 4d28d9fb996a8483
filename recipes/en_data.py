"""Training rows of `en_mini`: one label set for ten sources, and what is done to the rows.

Places are `GPE` where people govern (countries, cities, states) and `LOC` otherwise (rivers,
streets, regions, buildings). The sources do not tell them apart, so words such as "River" decide;
scoring counts both as one.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

PERSONS = ["PER", "person", "writer", "researcher", "scientist", "politician", "musicalartist"]
ORGANISATIONS = ["ORG", "organisation", "university", "politicalparty", "band"]
ORGANISATIONS += ["group", "corporation"]
PLACES = ["LOC", "location", "country"]
NAMED = ["MISC", "misc", "product", "creative-work", "book", "poem", "album", "song", "award"]
NAMED += ["event", "election", "magazine", "academicjournal", "conference", "programlang"]
# Genres, fields, tasks, proteins and the like are terms, not names: they stay outside.
LABELS: dict[str, str] = (
    dict.fromkeys(PERSONS, "PERSON")
    | dict.fromkeys(ORGANISATIONS, "ORG")
    | dict.fromkeys(PLACES, "LOC")
    | dict.fromkeys(NAMED, "MISC")
)
GEOGRAPHY = re.compile(
    r"\b(rivers?|lakes?|mount|mt|mountains?|oceans?|seas?|bay|gulf|islands?|isle|valley|park|"
    r"street|st\.|road|rd|avenue|ave|boulevard|highway|bridge|airport|station|stadium|hall|"
    r"museum|building|tower|church|cathedral|castle|beach|desert|forest|hills?|creek|canyon|"
    r"square|harbou?r|peninsula|coast|region|earth|moon|mars|africa|europe|asia|antarctica|"
    r"middle east|north america|south america|latin america|west|east|the south|the north)\b",
    re.IGNORECASE,
)
HELD_OUT_ROWS = 500
Span = tuple[int, int, str]  # first token, token after the last, label


@dataclass(frozen=True)
class Row:
    """A sentence with its named spans."""

    tokens: tuple[str, ...]
    spans: tuple[Span, ...]
    source: str


def spans_of(tokens: list[str], tags: list[str]) -> tuple[Span, ...]:
    """Spans of IOB2 or IO tags in the common label set; terms that are no names are left out."""
    spans: list[Span] = []
    start, kind = 0, ""
    for index, tag in enumerate([*tags, "O"]):
        prefix, _, label = tag.partition("-")
        if kind and (prefix != "I" or label != kind):
            mapped = LABELS.get(kind)
            if mapped == "LOC":
                mapped = "LOC" if GEOGRAPHY.search(" ".join(tokens[start:index])) else "GPE"
            if mapped:
                spans.append((start, index, mapped))
            kind = ""
        if prefix == "B" or (prefix == "I" and not kind):
            start, kind = index, label
    return tuple(spans)


def to_rows(frame: pd.DataFrame) -> list[Row]:
    """Rows of the data frame `source, tokens, tags` in the common label set."""
    triples = zip(frame["source"], frame["tokens"], frame["tags"], strict=True)
    return [
        Row(tuple(token or "-" for token in tokens), spans_of(list(tokens), list(tags)), source)
        for source, tokens, tags in triples
        if len(tokens)
    ]


def read_ner(data: Path) -> tuple[list[Row], dict[str, list[Row]]]:
    """Training rows, and the rows to score by source; 500 `uner-ewt` rows are held out."""
    frame = pd.read_parquet(data / "ner.parquet")
    ewt = frame[frame["source"] == "uner-ewt"]
    held = np.random.default_rng(0).choice(ewt.index, size=HELD_OUT_ROWS, replace=False)
    scored = {"uner-ewt": to_rows(ewt.loc[held])}
    for source in ("wnut17", "btc"):
        scored[source] = to_rows(frame[(frame["source"] == source) & (frame["split"] == "dev")])
    train = to_rows(frame[frame["split"] == "train"].drop(index=held))
    seen = {row.tokens for rows in scored.values() for row in rows}
    return [name_at_signs(row) for row in train if row.tokens not in seen], scored


def handles(row: Row) -> set[int]:
    """Places of the tokens that follow a lone `@`."""
    tokens = row.tokens
    return {i for i in range(1, len(tokens)) if tokens[i - 1] == "@" and tokens[i] != "@"}


def name_at_signs(row: Row) -> Row:
    """Let a lone `@` before a named handle be a name of its own, as `btc` has it mostly.

    Four in five of these signs are labelled so there; the others follow an older custom.
    """
    starts = {start: label for start, _, label in row.spans}
    inside = {i for start, end, _ in row.spans for i in range(start, end)}
    signs = [(i - 1, i, starts[i]) for i in handles(row) if i in starts and i - 1 not in inside]
    return Row(row.tokens, tuple(sorted([*row.spans, *signs])), row.source)


def usable(row: Row) -> bool:
    """Whether the labels of a row follow the customs of the rest.

    Silver Wikipedia rows call songs and wars `ORG`: only those without an `ORG` are kept. Tweets
    whose handles nobody labelled are left out.
    """
    if row.source == "btc":
        inside = {i for start, end, _ in row.spans for i in range(start, end)}
        return handles(row) <= inside
    if row.source != "wikiann":
        return True
    return bool(row.spans) and all(label != "ORG" for _, _, label in row.spans)


def names_of(rows: list[Row]) -> dict[str, list[tuple[str, ...]]]:
    """Mentions by label, to put into other sentences; handles and silver `ORG` left out."""
    names: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for row in rows:
        for start, end, label in row.spans:
            mention = row.tokens[start:end]
            if mention[0] == "@" or start in handles(row):
                continue
            if row.source == "wikiann" and label not in ("PERSON", "GPE"):
                continue
            if len(mention) <= 4 and all(word[:1].isupper() for word in mention):
                names[label].add(mention)
    return {label: sorted(mentions) for label, mentions in names.items()}


def by_length(names: dict[str, list[tuple[str, ...]]]) -> dict[int, list[tuple[str, ...]]]:
    """Names of people, places and organisations by their number of words."""
    found: dict[int, list[tuple[str, ...]]] = defaultdict(list)
    for kind in ("PERSON", "GPE", "ORG"):
        for name in names.get(kind, []):
            found[len(name)].append(name)
    return found


def exchanged(
    words: list[str],
    tags: list[str],
    names: dict[int, list[tuple[str, ...]]],
    rng: np.random.Generator,
) -> list[str]:
    """The words with half of the runs of proper nouns replaced by names of as many words.

    Otherwise the tagger knows few names, and begins a sentence after the "Tom" of "Tom Hanks".
    """
    words, start = list(words), 0
    for tag, run in itertools.groupby(tags):
        end = start + len(list(run))
        pool = names.get(end - start)
        if tag == "PROPN" and pool and rng.random() < 0.5:
            words[start:end] = pool[rng.integers(len(pool))]
        start = end
    return words


def spliced(first: str, second: str) -> str:
    """The first half of one name and the second half of another: a name nobody has."""
    return first[: (len(first) + 1) // 2] + second[len(second) // 2 :].lower()


class Augmenter:
    """Varies a row: other names in its places, lower case, or cut to begin with a name.

    Without it the network learns the names of the training rows by heart.
    """

    def __init__(self, names: dict[str, list[tuple[str, ...]]], seed: int) -> None:
        self.names, self.rng = names, np.random.default_rng(seed)

    def __call__(self, row: Row) -> Row:
        """One random variant of the row, or the row itself."""
        draw = self.rng.random()
        if draw < 0.5:
            row = self.swap(row)
        elif draw < 0.55 and row.spans:
            row = self.begin_with_name(row)
        if self.rng.random() < 0.15:
            row = Row(tuple(token.lower() for token in row.tokens), row.spans, row.source)
        return row

    def swap(self, row: Row) -> Row:
        """Most names replaced by others of their kind, some of them unheard of."""
        tokens: list[str] = []
        spans: list[Span] = []
        place, tagged = 0, handles(row)
        for start, end, label in row.spans:
            tokens += row.tokens[place:start]
            name = row.tokens[start:end]
            if name[0] != "@" and start not in tagged and label != "MISC":
                name = self.other(name, label)
            spans.append((len(tokens), len(tokens) + len(name), label))
            tokens += name
            place = end
        return Row((*tokens, *row.tokens[place:]), tuple(spans), row.source)

    def other(self, name: tuple[str, ...], label: str) -> tuple[str, ...]:
        """The name itself, another of its kind, or one put together from two."""
        pool, draw = self.names.get(label), self.rng.random()
        if not pool or draw > 0.7:
            return name
        one, two = (pool[self.rng.integers(len(pool))] for _ in range(2))
        if draw > 0.35:
            return one
        if draw > 0.2 and label == "PERSON" and len(one) > 1:
            return (*one[:-1], two[-1])
        return (*one[:-1], spliced(one[-1], two[-1]))

    def begin_with_name(self, row: Row) -> Row:
        """The row from one of its names onwards."""
        first = row.spans[self.rng.integers(len(row.spans))][0]
        spans = tuple((s - first, e - first, label) for s, e, label in row.spans if s >= first)
        return Row(row.tokens[first:], spans, row.source)
