"""The texts that `mini` learns from: reading, keeping dev rows out, vocabulary, token pieces.

A review or sentence that also occurs in a `*_dev` file (compared without case, spaces and
punctuation, whole or by its first 150 letters) is in no training set.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PAD, UNK, CLS, SEP, MASK = range(5)
PREFIX = 150
NOT_LETTERS = re.compile(r"\W+")


@dataclass(frozen=True)
class Texts:
    """Training texts and the slices of them that are only looked at, never learnt from."""

    reviews: list[str]
    english: list[str]
    sentiment: pd.DataFrame  # text, label, source
    reviews_validation: list[str]
    sentiment_validation: pd.DataFrame


def normalised(text: str) -> str:
    """Letters and digits only, lower case: the key under which two texts count as the same."""
    return NOT_LETTERS.sub("", text.casefold())


def dev_keys(data: Path) -> set[str]:
    """Keys of every text in the dev files: whole texts, and the beginnings of long ones."""
    texts: list[str] = list(pd.read_parquet(data / "sentiment_dev.parquet")["text"])
    texts += list(pd.read_parquet(data / "translation_dev.parquet")["en"])
    texts += [" ".join(row) for row in pd.read_parquet(data / "rationales_dev.parquet")["tokens"]]
    summaries = pd.read_parquet(data / "summaries_dev.parquet")
    texts += [sentence for row in summaries["source"] for sentence in row]
    keys = {normalised(text) for text in texts}
    return keys | {key[:PREFIX] for key in keys if len(key) >= PREFIX}


def is_dev(text: str, keys: set[str]) -> bool:
    """Whether a text, or its first 150 letters, is among the dev texts."""
    key = normalised(text)
    return key in keys or (len(key) >= PREFIX and key[:PREFIX] in keys)


def hold_out(
    sentiment: pd.DataFrame, rows: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split off `rows` treebank sentences, and drop every phrase that is part of one of them."""
    sentences = sentiment.index[sentiment["source"] == "sst"]
    chosen = rng.choice(sentences, size=min(rows, len(sentences) // 10), replace=False)
    validation = sentiment.loc[chosen]
    joined = "|".join(normalised(text) for text in validation["text"])
    rest = sentiment.drop(index=chosen)
    leaks = (rest["source"] != "imdb") & rest["text"].map(
        lambda text: len(text.split()) > 2 and normalised(text) in joined
    )
    return rest[~leaks].reset_index(drop=True), validation.reset_index(drop=True)


def read_texts(data: Path, seed: int) -> Texts:
    """Read the training files without the rows that a dev file holds as well."""
    rng = np.random.default_rng(seed)
    keys = dev_keys(data)
    reviews = pd.read_parquet(data / "reviews_unlabelled.parquet")["text"]
    english = pd.read_parquet(data / "translation_train.parquet")["en"].drop_duplicates()
    sentiment = pd.read_parquet(data / "sentiment_train.parquet").drop_duplicates("text")
    before = len(reviews), len(english), len(sentiment)
    reviews = [text for text in reviews if not is_dev(text, keys)]
    english = [text for text in english if not is_dev(text, keys)]
    sentiment = sentiment[[not is_dev(text, keys) for text in sentiment["text"]]]
    after = len(reviews), len(english), len(sentiment)
    left_out = [was - left for was, left in zip(before, after, strict=True)]
    print(f"left out because a dev file holds them: {left_out}")

    sentiment, sentiment_validation = hold_out(sentiment.reset_index(drop=True), 400, rng)
    order = rng.permutation(len(reviews))
    validation, train = order[: len(order) // 100 + 1][:300], order[len(order) // 100 + 1 :]
    held = {normalised(reviews[i]) for i in order[: len(order) // 100 + 1]}
    own = sentiment.loc[sentiment["source"] == "imdb", "text"]
    seen = {normalised(reviews[i]) for i in train}
    extra = [text for text in own if normalised(text) not in seen | held]
    sentiment = sentiment[[normalised(text) not in held for text in sentiment["text"]]]
    return Texts(
        reviews=[reviews[i] for i in train] + extra,
        english=english,
        sentiment=sentiment.reset_index(drop=True),
        reviews_validation=[reviews[i] for i in validation],
        sentiment_validation=sentiment_validation,
    )


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """A cased WordPiece vocabulary over NFC text, split as BERT splits."""
    tokenizer = Tokenizer(models.WordPiece(unk_token=SPECIAL_TOKENS[UNK]))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocab_size,
        min_frequency=5,
        limit_alphabet=300,
        special_tokens=SPECIAL_TOKENS,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)],
    )
    return tokenizer


def encode_all(tokenizer: Tokenizer, texts: list[str], chunk: int = 2000) -> Iterator[list[int]]:
    """Token ids of each text, without special tokens."""
    for start in range(0, len(texts), chunk):
        batch = tokenizer.encode_batch_fast(texts[start : start + chunk], add_special_tokens=False)
        yield from (encoding.ids for encoding in batch)


def token_stream(tokenizer: Tokenizer, texts: list[str]) -> np.ndarray:
    """All texts as one run of ids, `[SEP]` after each; uint16, so 2 bytes a token."""
    parts: list[np.ndarray] = []
    for ids in encode_all(tokenizer, texts):
        parts.append(np.array([*ids, SEP], dtype=np.uint16))
    return np.concatenate(parts)


def build_cache(
    data: Path, cache: Path, vocab_size: int, seed: int, known: Tokenizer | None = None
) -> Tokenizer:
    """Vocabulary (unless one is `known`), token stream and labelled texts, made once in `cache`."""
    path = cache / "tokenizer.json"
    if path.exists() and (cache / "stream.npy").exists():
        return Tokenizer.from_file(str(path))
    texts = read_texts(data, seed)
    sentences = list(texts.sentiment.loc[texts.sentiment["source"] == "sst", "text"])
    # The few treebank sentences count several times, else reviews alone decide.
    vocabulary_texts = [*texts.reviews, *texts.english, *sentences * 3]
    if known is None:
        print(f"vocabulary from {len(vocabulary_texts):,} texts", flush=True)
    tokenizer = known or train_tokenizer(vocabulary_texts, vocab_size)
    rng = np.random.default_rng(seed)
    everything = [*texts.reviews, *texts.english, *sentences]
    stream = token_stream(tokenizer, [everything[i] for i in rng.permutation(len(everything))])
    print(f"{len(stream):,} tokens in {len(everything):,} texts", flush=True)
    cache.mkdir(parents=True, exist_ok=True)
    write_labelled(texts, cache)
    np.save(cache / "stream.npy", stream)
    tokenizer.save(str(path))
    return tokenizer


def write_labelled(texts: Texts, cache: Path) -> None:
    """Keep the reviews, the labelled texts and the validation slices beside the stream."""
    pd.DataFrame({"text": texts.reviews}).to_parquet(cache / "reviews.parquet")
    texts.sentiment.to_parquet(cache / "sentiment.parquet")
    texts.sentiment_validation.to_parquet(cache / "sentiment_validation.parquet")
    reviews = pd.DataFrame({"text": texts.reviews_validation})
    reviews.to_parquet(cache / "reviews_validation.parquet")
