"""Subword vectors for `en_mini`: floret (Boyd and Warmerdam 2022) on the unlabelled texts.

Names in gold NER data are few; in the reviews there are many, and the vectors say which words
behave like names before a single label is seen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from mini_data import dev_keys, is_dev
from spacy.language import Language

# Close to spaCy's tokens, and far faster than its tokenizer.
WORD = re.compile(
    r"\w+(?=n't)|n't|'(?:s|re|ve|ll|d|m)\b|\w+(?:\.\w+)+\.?|\w+|[^\w\s]", re.IGNORECASE
)


@dataclass(frozen=True)
class VectorSize:
    """Size of the table; 4 bytes a cell."""

    rows: int = 16_000
    width: int = 96
    epochs: int = 3


def write_corpus(data: Path, path: Path) -> None:
    """One text a line, tokens split by spaces; training texts only."""
    keys = dev_keys(data)
    texts = list(pd.read_parquet(data / "reviews_unlabelled.parquet")["text"])
    texts += list(pd.read_parquet(data / "translation_train.parquet")["en"].drop_duplicates())
    with path.open("w", encoding="utf-8") as file:
        for text in texts:
            if not is_dev(text, keys):
                file.write(" ".join(WORD.findall(text)) + "\n")
        for name in ("ner", "pos"):
            frame = pd.read_parquet(data / f"{name}.parquet")
            frame = frame[frame["split"] == "train"]
            if name == "ner":  # its rows are the dev sentences of `pos`
                frame = frame[frame["source"] != "uner-ewt"]
            for tokens in frame["tokens"]:
                file.write(" ".join(tokens) + "\n")


def train_vectors(corpus: Path, out: Path, size: VectorSize) -> Path:
    """Train the floret table and return its path."""
    import floret

    model = floret.train_unsupervised(
        str(corpus), model="cbow", mode="floret", hashCount=2, bucket=size.rows, minn=3, maxn=5,
        dim=size.width, epoch=size.epochs, minCount=5, neg=8, lr=0.05, thread=1, verbose=1,
    )  # fmt: skip
    path = out / "vectors.floret"
    model.save_floret_vectors(str(path))
    return path


def load_vectors(nlp: Language, path: Path) -> None:
    """Put the floret table into the pipeline's vocabulary."""
    from spacy.training.initialize import convert_vectors

    convert_vectors(nlp, path, truncate=-1, prune=-1, mode="floret")


def make_vectors(data: Path, work: Path, size: VectorSize) -> Path:
    """The floret table, trained once and kept in `work`."""
    path = work / "vectors.floret"
    if not path.exists():
        corpus = work / "corpus.txt"
        if not corpus.exists():
            write_corpus(data, corpus)
        train_vectors(corpus, work, size)
    return path
