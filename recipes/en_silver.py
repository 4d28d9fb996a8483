"""Sentences nobody has labelled, with the names the teacher finds in them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import spacy
from en_data import Row
from en_teacher import Teacher, Words, best_tags, scores_of, spans_of_tags
from mini_data import dev_keys, is_dev
from mini_teacher import review_sentences

REVIEWS, EVERYDAY = 110_000, 40_000  # sentences asked about
LONGEST = 60  # words
SURE = 0.5  # a sentence with a word of which the teacher is less sure teaches nothing
NAMELESS = 0.25  # of the sentences without a name that many stay
CALL = 4000  # sentences labelled at a time, between two lines of progress


def unlabelled(data: Path, gold: list[Row], seed: int) -> list[Row]:
    """Sentences of reviews and of every day, and Wikipedia's, whose own labels are not used."""
    keys = dev_keys(data)
    reviews = pd.read_parquet(data / "reviews_unlabelled.parquet")["text"]
    everyday = pd.read_parquet(data / "translation_train.parquet")["en"].drop_duplicates()
    kept = [text for text in reviews if not is_dev(text, keys)]
    texts = [("review", text) for text in review_sentences(kept, REVIEWS, seed)]
    for text in everyday.sample(min(EVERYDAY, len(everyday)), random_state=seed):
        if not is_dev(text, keys):
            texts.append(("everyday", text))
    split = spacy.blank("en").make_doc
    rows = [
        Row(tuple(token.text for token in split(text) if not token.is_space), (), source)
        for source, text in texts
    ]
    rows += [Row(row.tokens, (), "wikipedia") for row in gold if row.source == "wikiann"]
    return [row for row in rows if 0 < len(row.tokens) <= LONGEST]


def labelled(
    model: Teacher, words: Words, data: Path, gold: list[Row], work: Path, seed: int
) -> list[Row]:
    """Rows with the teacher's spans, where it is sure of every word; kept in `work`."""
    path = work / "silver.parquet"
    if not path.exists():
        asked, records = unlabelled(data, gold, seed), []
        for begin in range(0, len(asked), CALL):
            part = asked[begin : begin + CALL]
            found = scores_of(model, words, [list(row.tokens) for row in part])
            for row, scores in zip(part, found, strict=True):
                sure = np.exp(scores - np.logaddexp.reduce(scores, 1, keepdims=True)).max(1).min()
                spans = json.dumps(spans_of_tags(best_tags(scores)))
                records.append((row.source, list(row.tokens), spans, float(sure)))
            print(f"teacher's labels: {len(records)} of {len(asked)} sentences", flush=True)
        pd.DataFrame(records, columns=["source", "tokens", "spans", "sure"]).to_parquet(path)
    frame = pd.read_parquet(path)
    frame = frame[frame["sure"] >= SURE]
    columns = zip(frame["source"], frame["tokens"], frame["spans"], strict=True)
    return [
        Row(tuple(tokens), tuple((a, b, kind) for a, b, kind in json.loads(spans)), source)
        for source, tokens, spans in columns
    ]


def with_names(rows: list[Row], seed: int) -> list[Row]:
    """The rows that hold a name, and of the others a share; none of Wikipedia's, often headings."""
    rng = np.random.default_rng(seed)
    return [
        row for row in rows if row.spans or (row.source != "wikipedia" and rng.random() < NAMELESS)
    ]
