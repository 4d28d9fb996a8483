"""Subword vectors for `en_mini`: what a larger encoder knows of words, in a small table.

Gold NER data hold few names, and a small network meets most names of a text for the first time.
A pretrained encoder has met them: its vectors of single words (the mean over its layers, and the
last layer after it was tuned on names; static vectors by distillation, as in Model2Vec: Tulkens
and van Dongen 2024) are brought to a few dimensions by PCA, and a floret table (Boyd and
Warmerdam 2022: a word is the mean of the rows its character n-grams hash to) is fitted to them
by weighted least squares. Keys are in lower case; how a word is written the network sees anyway.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse
import torch
from en_teacher import Teacher, Words
from mini_data import dev_keys, is_dev
from scipy.sparse.linalg import lsmr
from spacy.language import Language
from spacy.strings import StringStore
from spacy.vectors import Vectors

# Close to spaCy's tokens, and far faster than its tokenizer.
WORD = re.compile(
    r"\w+(?=n't)|n't|'(?:s|re|ve|ll|d|m)\b|\w+(?:\.\w+)+\.?|\w+|[^\w\s]", re.IGNORECASE
)
FLORET = {"mode": "floret", "minn": 3, "maxn": 5, "hash_count": 2, "attr": "LOWER"}
LEAST, LONGEST = 3, 20  # how often a word is met, and its letters
DAMP, ROUNDS = 0.014, 80
PCA_WORDS = 40_000


@dataclass(frozen=True)
class VectorSize:
    """Size of the table; 4 bytes a cell."""

    rows: int = 18_000
    width: int = 96


def texts(data: Path) -> Iterator[list[str]]:
    """The words of training texts, in lower case."""
    keys = dev_keys(data)
    whole = [pd.read_parquet(data / "reviews_unlabelled.parquet")["text"]]
    whole += [pd.read_parquet(data / "translation_train.parquet")["en"].drop_duplicates()]
    for text in pd.concat(whole):
        if not is_dev(text, keys):
            yield WORD.findall(text.lower())
    for name in ("ner", "pos"):
        frame = pd.read_parquet(data / f"{name}.parquet")
        frame = frame[frame["split"] == "train"]
        if name == "ner":  # its rows are the dev sentences of `pos`
            frame = frame[frame["source"] != "uner-ewt"]
        for tokens in frame["tokens"]:
            yield [token.lower() for token in tokens]


def vocabulary(data: Path, words: Words) -> dict[str, int]:
    """Words met in the texts, and those of the teacher's own vocabulary, with their counts."""
    counts = Counter(word for text in texts(data) for word in text)
    found = {w: n for w, n in counts.items() if n >= LEAST and len(w) <= LONGEST}
    for word in words.tokenizer.get_vocab():
        if word.isascii() and word.isalpha() and len(word) > 1:
            found[word] = max(found.get(word, 0), LEAST)
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


@torch.inference_mode()
def word_vectors(model: Teacher, words: Words, vocabulary: list[str], last: bool) -> np.ndarray:
    """Vectors (words, d) of single words: of the last layer, or the mean over all layers."""
    encoder, special = (
        model.eval().encoder,
        (words.tokenizer.cls_token_id, words.tokenizer.sep_token_id),
    )
    order = sorted(range(len(vocabulary)), key=lambda index: len(words.pieces(vocabulary[index])))
    found = np.zeros((len(vocabulary), encoder.config.hidden_size), dtype=np.float32)
    for begin in range(0, len(order), 512):
        part = order[begin : begin + 512]
        pieces = [[special[0], *words.pieces(vocabulary[index]), special[1]] for index in part]
        ids = torch.zeros(len(part), max(map(len, pieces)), dtype=torch.long)
        for row, piece in zip(ids, pieces, strict=True):
            row[: len(piece)] = torch.tensor(piece)
        ids = ids.to(encoder.device)
        with torch.autocast(encoder.device.type, dtype=torch.bfloat16):
            layers = encoder(ids, (ids != 0).long(), output_hidden_states=True).hidden_states
        states = layers[-1] if last else torch.stack(layers).mean(0)
        inside = ((ids != 0) & (ids != special[0]) & (ids != special[1]))[..., None]  # (B, T, 1)
        found[part] = ((states.float() * inside).sum(1) / inside.sum(1)).cpu().numpy()
    return found


def reduced(parts: list[np.ndarray], weights: np.ndarray, width: int) -> np.ndarray:
    """Vectors (words, width): the parts side by side, each of mean length 1, by PCA.

    Components are brought half-way to equal variance, so that the first do not drown the rest.
    """
    centred = [part - np.average(part, axis=0, weights=weights) for part in parts]
    joined = np.concatenate([part / np.sqrt((part**2).sum(1).mean()) for part in centred], axis=1)
    variance, axes = np.linalg.eigh(np.cov(joined[:PCA_WORDS].T))
    variance, axes = variance[::-1][:width], axes[:, ::-1][:, :width]
    components = joined @ axes / variance**0.25
    return (components / components.std()).astype(np.float32)


def table_of(rows: int, width: int) -> Vectors:
    """An empty floret table."""
    empty = np.zeros((rows, width), dtype=np.float32)
    return Vectors(strings=StringStore(), data=empty, name="en_mini", **FLORET)


def fitted(vocabulary: list[str], wanted: np.ndarray, weights: np.ndarray, rows: int) -> np.ndarray:
    """Rows (rows, width) whose means over each word's n-grams come nearest to `wanted`.

    Ridge regression, column by column (LSMR: Fong and Saunders 2011).
    """
    table = table_of(rows, wanted.shape[1])
    hashes = [
        [int(h) % rows for gram in table._get_ngrams(word) for h in table._get_ngram_hashes(gram)]
        for word in vocabulary
    ]
    counts = np.array([len(row) for row in hashes])
    index = np.repeat(np.arange(len(hashes)), counts), np.concatenate(hashes)
    shares = np.repeat((1 / counts).astype(np.float32), counts)
    means = scipy.sparse.csr_matrix((shares, index), shape=(len(hashes), rows))
    root = np.sqrt(weights)
    weighted = scipy.sparse.diags(root) @ means
    columns = [
        lsmr(weighted, root * column, damp=DAMP, atol=0, btol=0, maxiter=ROUNDS)[0]
        for column in wanted.T
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def make_vectors(data: Path, work: Path, folder: Path, tuned: Teacher, size: VectorSize) -> Path:
    """The table as `.npy`, made once and kept in `work`."""
    path = work / "vectors.npy"
    if not path.exists():
        words = Words(folder)
        counts = vocabulary(data, words)
        names, weights = list(counts), np.log1p(list(counts.values()))
        weights /= weights.mean()
        untuned = Teacher(folder).to(tuned.scores.weight.device)
        parts = [word_vectors(untuned, words, names, last=False)]
        parts.append(word_vectors(tuned, words, names, last=True))
        np.save(path, fitted(names, reduced(parts, weights, size.width), weights, size.rows))
        print(f"vectors of {len(names)} words in {size.rows} rows", flush=True)
    return path


def load_vectors(nlp: Language, path: Path) -> None:
    """Put the table into the pipeline's vocabulary."""
    data = np.load(path, allow_pickle=False)
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=data, name="en_mini", **FLORET)
