"""The sentence pairs that `mini-translate` learns from, and its joint byte-level vocabulary.

A pair whose English or French also occurs in the dev file (compared without case, spaces and
punctuation) is in no training set. The French side is written in one typography: a straight
apostrophe, and the no-break spaces of French before `? ! ; :` and inside « ».
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from mini_data import normalised
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

SPECIAL_TOKENS = ["<pad>", "</s>", "<unk>", "<mask>"]
PAD, EOS, UNK, MASK = range(4)
VALIDATION_ROWS = 1000

# English endings ('s, 't), French elisions (l', qu'), words, single digits, and punctuation
# together with the one space before it, whichever kind of space that is.
PIECES = (
    r"'(?:s|t|re|ve|m|ll|d)\b"
    r"| ?(?:[LlDdJjNnMmTtSsCcYy]|[Qq]u|[Jj]usqu|[Ll]orsqu|[Pp]uisqu)['’](?=\p{L})"
    r"| ?\p{L}+| ?\p{N}|\s?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
)


@dataclass(frozen=True)
class Pairs:
    """Training pairs, and the slice that is only looked at."""

    train: pd.DataFrame  # en, fr
    validation: pd.DataFrame  # en, fr


def clean(text: str) -> str:
    """NFC text without zero-width characters and doubled spaces."""
    text = re.sub("[\u200b\u00ad\ufeff]", "", unicodedata.normalize("NFC", text))
    return re.sub(r" {2,}", " ", text).strip()


def french(text: str) -> str:
    """The same sentence in one typography: `Où ? -> Où\u202f?`."""
    text = clean(text).replace("’", "'").replace("‘", "'").replace("...", "…")
    text = re.sub(r"(?<=[^\s?!])\s*([?!;]+)(?=$|[\s\"»)…])", "\u202f\\1", text)
    text = re.sub(r"(?<=[^\s\d])\s*:(?=$|\s)", "\u00a0:", text)
    text = re.sub(r"«\s*", "«\u00a0", text)
    return re.sub(r"\s*»", "\u00a0»", text).replace("…", "...")


def english(text: str) -> str:
    """The same sentence with ordinary spaces; apostrophes stay as they were typed."""
    return re.sub(r"\s+", " ", clean(text))


def read_pairs(data: Path, seed: int, rows: int = VALIDATION_ROWS) -> Pairs:
    """Read the training pairs without those that share a side with the dev file."""
    dev = pd.read_parquet(data / "translation_dev.parquet")
    pairs = pd.read_parquet(data / "translation_train.parquet")[["en", "fr"]]
    keys = {side: set(dev[side].map(normalised)) for side in ("en", "fr")}
    held = keyed(pairs, keys)
    print(f"left out because the dev file holds a side of them: {held.sum():,}")
    pairs = pairs[~held].reset_index(drop=True)
    pairs = pd.DataFrame({"en": pairs["en"].map(english), "fr": pairs["fr"].map(french)})
    pairs = pairs.drop_duplicates().reset_index(drop=True)
    rng = np.random.default_rng(seed)
    validation = pairs.loc[rng.choice(len(pairs), size=min(rows, len(pairs) // 10), replace=False)]
    keys = {side: set(validation[side].map(normalised)) for side in ("en", "fr")}
    train = pairs[~keyed(pairs, keys)].reset_index(drop=True)
    return Pairs(train, validation.reset_index(drop=True))


def keyed(pairs: pd.DataFrame, keys: dict[str, set[str]]) -> pd.Series:
    """Whether a pair shares its English or its French with `keys`; bool, one per row."""
    return pairs["en"].map(normalised).isin(keys["en"]) | pairs["fr"].map(normalised).isin(
        keys["fr"]
    )


def train_tokenizer(texts: list[str], vocab_size: int) -> Tokenizer:
    """A byte-level BPE over both languages; decoding gives back every NFC text exactly."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
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
        special_tokens=[
            # The space before a typed <mask> belongs to the hidden word.
            AddedToken(name, lstrip=number == MASK, normalized=False, special=True)
            for number, name in enumerate(SPECIAL_TOKENS)
        ],
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B:1 </s>:1", special_tokens=[("</s>", EOS)]
    )
    return tokenizer


def build_cache(data: Path, cache: Path, vocab_size: int, seed: int) -> tuple[Tokenizer, Pairs]:
    """Vocabulary and pairs, made once in `cache`."""
    path = cache / "tokenizer.json"
    if not path.exists():
        pairs = read_pairs(data, seed)
        cache.mkdir(parents=True, exist_ok=True)
        tokenizer = train_tokenizer([*pairs.train["en"], *pairs.train["fr"]], vocab_size)
        pairs.train.to_parquet(cache / "train.parquet")
        pairs.validation.to_parquet(cache / "validation.parquet")
        tokenizer.save(str(path))
    train = pd.read_parquet(cache / "train.parquet")
    print(f"{len(train):,} pairs", flush=True)
    pairs = Pairs(train, pd.read_parquet(cache / "validation.parquet"))
    return Tokenizer.from_file(str(path)), pairs
