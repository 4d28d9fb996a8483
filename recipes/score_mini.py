"""Figures of `mini` on the dev files.

Hidden words: a word is a maximal run of letters, digits, underscores and inner apostrophes. Of
each text max(1, round(0.15 · words)) words are drawn without replacement and every token of a
drawn word becomes `[MASK]`. Recovery counts tokens: how many of the hidden ones are the model's
first guess (at 1) or among its first five (at 5). Texts are cut at 512 tokens first.
The same with single tokens, each hidden with probability 0.15 whether word or punctuation, is
what Hugging Face's collator does and is given beside it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from score_common import Figure, ratio_figure
from torch import Tensor
from transformers import (
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedTokenizerBase,
)

WORD = re.compile(r"\w+(?:['’]\w+)*")
RATIO = 0.15
TOKENS_PER_BATCH = 4096
PAIRS = 2000
SEEDS = {"sst": 5, "imdb": 1}  # drawings of masked words per text; reviews are long


@dataclass(frozen=True)
class Hidden:
    """A text with some tokens hidden."""

    input_ids: list[int]
    places: list[int]
    answers: list[int]


def hide(
    text: str, tokenizer: PreTrainedTokenizerBase, rng: np.random.Generator, by_word: bool
) -> Hidden:
    """Hide 15 % of the words, or of the tokens, of a text cut at the model's length."""
    encoding = tokenizer(
        text, truncation=True, return_offsets_mapping=True, return_special_tokens_mask=True
    )
    ids, offsets = encoding["input_ids"], encoding["offset_mapping"]
    plain = [i for i, special in enumerate(encoding["special_tokens_mask"]) if not special]
    if by_word:
        end = offsets[plain[-1]][1]
        words = [match.span() for match in WORD.finditer(text) if match.end() <= end]
        if not words:
            return Hidden(ids, [], [])
        count = max(1, round(RATIO * len(words)))
        spans = sorted(words[i] for i in rng.choice(len(words), size=count, replace=False))
        places = overlapping(plain, offsets, spans)
    else:
        places = [i for i in plain if rng.random() < RATIO]
    answers = [ids[i] for i in places]
    masked = list(ids)
    for place in places:
        masked[place] = tokenizer.mask_token_id
    return Hidden(masked, places, answers)


def overlapping(
    plain: list[int], offsets: list[tuple[int, int]], spans: list[tuple[int, int]]
) -> list[int]:
    """Tokens that share a character with one of the sorted spans."""
    covered: set[int] = set()
    for start, end in spans:
        covered.update(range(start, end))
    return [i for i in plain if not covered.isdisjoint(range(*offsets[i]))]


def batches(rows: list[list[int]], pad: int) -> list[tuple[list[int], Tensor, Tensor]]:
    """Rows of similar length together: their numbers, ids (B, T) and attention mask (B, T)."""
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    found = []
    while order:
        size = max(1, TOKENS_PER_BATCH // max(1, len(rows[order[0]])))
        chosen, order = order[:size], order[size:]
        length = max(len(rows[i]) for i in chosen)
        ids = torch.full((len(chosen), length), pad)
        mask = torch.zeros((len(chosen), length), dtype=torch.long)
        for row, index in enumerate(chosen):
            ids[row, : len(rows[index])] = torch.tensor(rows[index])
            mask[row, : len(rows[index])] = 1
        found.append((chosen, ids, mask))
    return found


@torch.inference_mode()
def recovery(model: torch.nn.Module, rows: list[Hidden], pad: int) -> np.ndarray:
    """Per text: hits at 1, hits at 5, hidden tokens; (texts, 3)."""
    result = np.zeros((len(rows), 3))
    for chosen, ids, mask in batches([row.input_ids for row in rows], pad):
        hidden = model.model(input_ids=ids, attention_mask=mask).last_hidden_state
        for row, index in enumerate(chosen):
            if not rows[index].places:
                continue
            states = model.head(hidden[row, rows[index].places])
            top = model.decoder(states).topk(5, dim=-1).indices  # (K, 5)
            hits = top == torch.tensor(rows[index].answers)[:, None]
            result[index] = hits[:, 0].sum(), hits.any(dim=1).sum(), len(hits)
    return result


@torch.inference_mode()
def labels(model: torch.nn.Module, rows: list[list[int]], pad: int) -> np.ndarray:
    """The predicted label of each row of token ids, (texts,)."""
    result = np.zeros(len(rows), dtype=int)
    for chosen, ids, mask in batches(rows, pad):
        result[chosen] = model(input_ids=ids, attention_mask=mask).logits.argmax(dim=-1).numpy()
    return result


def identity_pairs(frame: pd.DataFrame, count: int) -> list[tuple[str, str]]:
    """Pairs of template sentences that differ in the one word that names a group.

    Group words occur equally often with both labels, judging words do not; a random sample.
    """
    texts = frame.drop_duplicates("Text")
    tally: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for text, label in zip(texts["Text"], texts["Label"], strict=True):
        for word in set(text.lower().split()):
            tally[word.strip(".,!?")][label == "BAD"] += 1
    groups = {w for w, (a, b) in tally.items() if 0.9 < (a + 1) / (b + 1) < 1.1 and a + b < 5000}
    frames: dict[str, list[str]] = defaultdict(list)
    for text, template in zip(texts["Text"], texts["Template"], strict=True):
        if template == "name_adj":
            continue  # these differ in first names, not in groups
        words = text.split()
        for place, word in enumerate(words):
            if word.lower().strip(".,!?") in groups:
                frames[" ".join([*words[:place], "_", *words[place + 1 :]])].append(text)
    rng = np.random.default_rng(0)
    # Small sets are halves of two-word names ("middle aged", "middle eastern").
    sets = [group for group in frames.values() if len(group) >= 10]
    pairs = []
    for index in rng.integers(len(sets), size=count if sets else 0):
        group = sets[index]
        first, second = rng.choice(len(group), size=2, replace=False)
        pairs.append((group[first], group[second]))
    return pairs


def label_figures(folder: Path, data: Path) -> list[Figure]:
    """Accuracy on plain and masked inputs, and the flip rate on identity pairs."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).float().eval()
    pad = tokenizer.pad_token_id
    dev = pd.read_parquet(data / "sentiment_dev.parquet")
    figures = []
    for source, seeds in SEEDS.items():
        rows = dev[dev["source"] == source]
        gold = rows["label"].to_numpy()
        plain = tokenizer(list(rows["text"]), truncation=True)["input_ids"]
        right = labels(model, plain, pad) == gold
        figures.append(ratio_figure(f"mini accuracy {source}, plain", right, np.ones(len(right))))
        hits = np.zeros(len(rows))
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            masked = [hide(text, tokenizer, rng, True).input_ids for text in rows["text"]]
            hits += labels(model, masked, pad) == gold
        counts = np.full(len(rows), seeds)
        figures.append(ratio_figure(f"mini accuracy {source}, 15 % of words masked", hits, counts))
    pairs = identity_pairs(pd.read_parquet(data / "identity_madlibs.parquet"), PAIRS)
    flat = tokenizer([text for pair in pairs for text in pair], truncation=True)["input_ids"]
    found = labels(model, flat, pad).reshape(-1, 2)
    flips = found[:, 0] != found[:, 1]
    figures.append(ratio_figure("mini flip rate, identity pairs", flips, np.ones(len(flips))))
    return figures


def recovery_figures(folder: Path, data: Path) -> list[Figure]:
    """Recovery of hidden words and of hidden tokens on the held-out reviews."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForMaskedLM.from_pretrained(folder).float().eval()
    dev = pd.read_parquet(data / "sentiment_dev.parquet")
    reviews = list(dev.loc[dev["source"] == "imdb", "text"])
    everyday = list(pd.read_parquet(data / "translation_dev.parquet")["en"])
    figures = []
    sets = [("words, reviews", reviews, True), ("tokens, reviews", reviews, False)]
    sets += [("words, everyday sentences", everyday, True)]
    for name, texts, by_word in sets:
        rng = np.random.default_rng(0)
        rows = [hide(text, tokenizer, rng, by_word) for text in texts]
        counts = recovery(model, rows, tokenizer.pad_token_id)
        for column, rank in ((0, 1), (1, 5)):
            label = f"mini recovery at {rank}, {name}"
            figures.append(ratio_figure(label, counts[:, column], counts[:, 2]))
    return figures


def mini_figures(folder: Path, data: Path) -> list[Figure]:
    """All figures of `mini`."""
    return label_figures(folder, data) + recovery_figures(folder, data)
