"""Figures of `en_mini`: names, tags and sentence boundaries on the dev rows, with gold tokens.

A name counts when start, end and kind agree; GPE and LOC count as one kind. `uner-ewt` and `btc`
do not label MISC, so there a predicted MISC is counted as wrong. Untyped F1 ignores the kind.
The same rows, and sentences of our own, are asked in lower case as well.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import spacy
from en_data import Row, read_ner
from score_common import Figure, f1_figure, ratio_figure
from spacy.language import Language
from spacy.tokens import Doc

PLACES = {"GPE": "LOC"}
SENTENCES_PER_TEXT = 5
ORDINARY = {
    "Tom Hanks is wonderful in this film.": ["Tom Hanks"],
    "i loved tom hanks in this movie": ["tom hanks"],
    "Paris has never looked so beautiful.": ["Paris"],
    "The story takes place in Paris during the war.": ["Paris"],
    "we moved to paris last year": ["paris"],
    "Warner Bros. should be ashamed of this mess.": ["Warner Bros."],
    "It was released by Warner Bros. in 1999.": ["Warner Bros."],
    "Sofia Coppola's new film is slow but beautiful.": ["Sofia Coppola"],
    "I have seen all of Sofia Coppola's films.": ["Sofia Coppola"],
    "Meryl Streep and Jack Nicholson are great together.": ["Meryl Streep", "Jack Nicholson"],
    "My friend Anna works for Microsoft in Berlin.": ["Anna", "Microsoft", "Berlin"],
}

LOWER = [
    "i saw {} in {}",
    "{} was awful in it",
    "we flew to {1} with {0}",
    "my friend {} lives in {}",
    "i never liked {} , but {} is a nice place",
    "the film with {} was shot in {}",
]
LOWER_PERSONS = ["meryl streep", "john travolta", "uma thurman", "denzel washington"]
LOWER_PERSONS += ["marlon brando", "kate winslet", "steve buscemi", "judi dench"]
LOWER_PERSONS += ["mike", "laura", "peter jackson", "ang lee"]
LOWER_PLACES = ["rome", "london", "madrid", "chicago", "new york", "sweden", "tokyo"]
LOWER_PLACES += ["los angeles", "canada", "vienna", "boston", "cairo"]


def spans(entities: list[tuple[int, int, str]], typed: bool) -> set[tuple[int, int, str]]:
    """Spans with places merged, or without kinds."""
    return {(a, b, PLACES.get(kind, kind) if typed else "") for a, b, kind in entities}


def counts(nlp: Language, rows: list[Row]) -> dict[str, np.ndarray]:
    """True positives, predicted and gold spans per sentence: typed, untyped and persons."""
    docs = nlp.pipe((Doc(nlp.vocab, words=list(row.tokens)) for row in rows), batch_size=256)
    found: dict[str, list[list[int]]] = {"typed": [], "untyped": [], "PERSON": []}
    for doc, row in zip(docs, rows, strict=True):
        predicted = [(ent.start, ent.end, ent.label_) for ent in doc.ents]
        for key, sums in found.items():
            mine = spans(predicted, key != "untyped")
            gold = spans(list(row.spans), key != "untyped")
            if key == "PERSON":
                mine = {span for span in mine if span[2] == key}
                gold = {span for span in gold if span[2] == key}
            sums.append([len(mine & gold), len(mine), len(gold)])
    return {key: np.array(sums) for key, sums in found.items()}


def name_figures(nlp: Language, data: Path) -> list[Figure]:
    """F1 of names pooled and by source."""
    _, scored = read_ner(data)
    by_source = {source: counts(nlp, rows) for source, rows in scored.items()}
    figures = []
    for key in ("typed", "untyped", "PERSON"):
        pooled = np.concatenate([found[key] for found in by_source.values()])
        figures.append(f1_figure(f"en_mini names, {key} F1, pooled", pooled))
        for source, found in by_source.items():
            figures.append(f1_figure(f"en_mini names, {key} F1, {source}", found[key]))
    lower = [in_lower_case(row) for rows in scored.values() for row in rows]
    for key, found in counts(nlp, lower).items():
        figures.append(f1_figure(f"en_mini names in lower case, {key} F1, pooled", found))
    return figures


def tag_figures(nlp: Language, data: Path) -> list[Figure]:
    """UPOS accuracy, and F1 of sentence starts in texts of five sentences."""
    frame = pd.read_parquet(data / "pos.parquet")
    frame = frame[frame["split"] == "dev"]
    docs = nlp.pipe(Doc(nlp.vocab, words=list(tokens)) for tokens in frame["tokens"])
    right, total = [], []
    for doc, upos in zip(docs, frame["upos"], strict=True):
        right.append(sum(token.pos_ == tag for token, tag in zip(doc, upos, strict=True)))
        total.append(len(upos))
    figures = [ratio_figure("en_mini UPOS accuracy", np.array(right), np.array(total))]
    starts = []
    for begin in range(0, len(frame), SENTENCES_PER_TEXT):
        group = frame["tokens"].iloc[begin : begin + SENTENCES_PER_TEXT]
        gold = set(np.cumsum([0, *(len(tokens) for tokens in group)])[1:-1].tolist())
        doc = nlp(Doc(nlp.vocab, words=[word for tokens in group for word in tokens]))
        mine = {sentence.start for sentence in doc.sents} - {0}
        starts.append([len(mine & gold), len(mine), len(gold)])
    figures.append(f1_figure("en_mini sentence starts, F1", np.array(starts)))
    return figures


def in_lower_case(row: Row) -> Row:
    """The same row without capitals."""
    return Row(tuple(token.lower() for token in row.tokens), row.spans, row.source)


def lower_sentences() -> dict[str, list[str]]:
    """Sentences of our own in lower case, and the names in them."""
    asked = {}
    for first, person in enumerate(LOWER_PERSONS):
        for second, frame in enumerate(LOWER):
            names = [person, LOWER_PLACES[(first + second) % len(LOWER_PLACES)]]
            text = frame.format(*names)
            asked[text] = [name for name in names if name in text]
    return asked


def found_figure(nlp: Language, name: str, asked: dict[str, list[str]]) -> Figure:
    """How many names of some sentences are found whole, of whatever kind."""
    hits, total = [], []
    for text, names in asked.items():
        found = {ent.text for ent in nlp(text).ents}
        hits.append(sum(name in found for name in names))
        total.append(len(names))
    return ratio_figure(name, np.array(hits), np.array(total))


def en_mini_figures(folder: Path, data: Path) -> list[Figure]:
    """All figures of `en_mini`."""
    nlp = spacy.load(folder)
    ordinary = found_figure(nlp, "en_mini ordinary names found", ORDINARY)
    lower = found_figure(nlp, "en_mini ordinary names found, lower case", lower_sentences())
    return [*name_figures(nlp, data), *tag_figures(nlp, data), ordinary, lower]
