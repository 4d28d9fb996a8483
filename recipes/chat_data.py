"""The texts that `mini-chat` learns from: plain texts, reviews with verdicts, its vocabulary.

Rows of dev files are kept out as for `mini` (mini_data.py). Of the reviews only a part is read,
so that each is met several times in the time there is.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from mini_data import Texts, read_texts
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from tokenizers.processors import TemplateProcessing

SPECIAL_TOKENS = ["<|pad|>", "<|begin|>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>"]
PAD, BEGIN, END, USER, ASSISTANT, SYSTEM = range(6)
REVIEWS = 8_000
VALIDATION_REVIEWS = 300

# English endings ('s, 't), words and single digits with the space before them, punctuation, space.
PIECES = r"'(?:s|t|re|ve|m|ll|d)\b| ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


@dataclass(frozen=True)
class ChatTexts:
    """What is learnt from, and the reviews that are only looked at."""

    plain: list[str]
    verdicts: pd.DataFrame  # text, label
    validation: list[str]
    verdicts_validation: pd.DataFrame  # text, label


def closing(review: str, letters: int = 160) -> str:
    """The last sentences of a review, where its verdict mostly stands; at least `letters` long.

    >>> closing("I saw it. It was good. Go.", 8)
    'It was good. Go.'
    """
    sentences = re.split(r"(?<=[.!?])\s+", review.strip())
    kept = sentences.pop()
    while sentences and len(kept) < letters:
        kept = f"{sentences.pop()} {kept}"
    return kept if len(kept) <= 3 * letters else ""


def verdicts(texts: Texts) -> pd.DataFrame:
    """Treebank sentences and phrases, and the ends of labelled reviews; columns text, label."""
    rows = texts.sentiment.copy()
    reviews = rows["source"] == "imdb"
    rows.loc[reviews, "text"] = rows.loc[reviews, "text"].map(closing)
    # Treebank sentences count three times: they are what is asked about, and few.
    rows = pd.concat([rows, *[rows[rows["source"] == "sst"]] * 2])
    return rows.loc[rows["text"] != "", ["text", "label"]].reset_index(drop=True)


def read(data: Path, seed: int, reviews: int = REVIEWS) -> ChatTexts:
    """The texts of the folder of parquet files, `reviews` of the reviews."""
    texts = read_texts(data, seed)
    sentences = list(texts.sentiment.loc[texts.sentiment["source"] == "sst", "text"])
    return ChatTexts(
        plain=[*texts.reviews[:reviews], *texts.english[: reviews * 2], *sentences],
        verdicts=verdicts(texts),
        validation=texts.reviews_validation[:VALIDATION_REVIEWS],
        verdicts_validation=texts.sentiment_validation[["text", "label"]],
    )


def train_tokenizer(texts: list[str], vocab_size: int) -> Tokenizer:
    """A byte-level BPE; `<|begin|>` comes first, and decoding gives back every text exactly."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=3,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[AddedToken(n, normalized=False, special=True) for n in SPECIAL_TOKENS],
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    begin = SPECIAL_TOKENS[BEGIN]
    tokenizer.post_processor = TemplateProcessing(
        single=f"{begin} $A",
        pair=f"{begin} $A {begin}:1 $B:1",
        special_tokens=[(begin, BEGIN)],
    )
    return tokenizer


def document(tokenizer: Tokenizer, text: str) -> list[int]:
    """Ids of a whole text: `<|begin|>`, its tokens, `<|end|>`."""
    return [*tokenizer.encode(text).ids, END]


def token_stream(tokenizer: Tokenizer, texts: list[str]) -> np.ndarray:
    """All texts as one run of ids, each a document; uint16, so 2 bytes a token."""
    parts = []
    for start in range(0, len(texts), 2000):
        for encoding in tokenizer.encode_batch(texts[start : start + 2000]):
            parts.append(np.array([*encoding.ids, END], dtype=np.uint16))
    return np.concatenate(parts)


def build_cache(data: Path, cache: Path, vocab_size: int, seed: int, reviews: int) -> Tokenizer:
    """Vocabulary, token stream and verdicts, made once in `cache`."""
    asked = {"vocab_size": vocab_size, "seed": seed, "reviews": reviews}
    made = cache / "asked.json"
    if made.exists():
        if json.loads(made.read_text()) != asked:
            raise SystemExit(f"{cache} was made with {made.read_text()}: give another --work.")
        return Tokenizer.from_file(str(cache / "tokenizer.json"))
    cache.mkdir(parents=True, exist_ok=True)
    texts = read(data, seed, reviews)
    tokenizer = train_tokenizer(texts.plain, vocab_size)
    order = np.random.default_rng(seed).permutation(len(texts.plain))
    stream = token_stream(tokenizer, [texts.plain[i] for i in order])
    print(f"{len(stream):,} tokens in {len(texts.plain):,} texts", flush=True)
    np.save(cache / "stream.npy", stream)
    texts.verdicts.to_parquet(cache / "verdicts.parquet")
    texts.verdicts_validation.to_parquet(cache / "verdicts_validation.parquet")
    pd.DataFrame({"text": texts.validation}).to_parquet(cache / "validation.parquet")
    tokenizer.save(str(cache / "tokenizer.json"))
    made.write_text(json.dumps(asked))
    return tokenizer
