"""A larger pretrained encoder, tuned on the treebank, tells `mini` how sure to be of a sentence.

Knowledge distillation (Hinton et al. 2015; for encoders of this size Turc et al. 2019): the
student learns the teacher's probabilities on the labelled texts and on sentences of unlabelled
reviews, far more than people have labelled. The teacher is a folder that
`AutoModel.from_pretrained` loads (padding id 0, as BERT has it), mean pooling over its tokens and
one linear layer on top. Both stages are kept in the work folder, so a second start goes on after
the last finished one.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer

SHAPES = ((12, 168), (20, 104), (32, 64), (64, 32))  # tokens a row, rows a batch
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'(])")
WORDS = range(3, 41)  # a sentence of a review shorter or longer than this is not asked about


@dataclass(frozen=True)
class TeacherPlan:
    """Settings of the teacher's fine-tune."""

    epochs: int = 2
    rate: float = 1e-4
    warmup: float = 0.06  # share of the steps
    seed: int = 0


class Teacher(nn.Module):
    """A pretrained encoder, the mean of its token vectors, and logits of negative and positive."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(folder, use_safetensors=True)
        self.dropout = nn.Dropout(0.1)
        self.classifier = nn.Linear(self.encoder.config.hidden_size, 2)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits (B, 2) of token ids (B, T)."""
        states = self.encoder(input_ids, attention_mask=attention_mask).last_hidden_state
        weights = attention_mask[..., None].to(states.dtype)  # (B, T, 1)
        pooled = (states * weights).sum(1) / weights.sum(1)  # (B, d)
        return self.classifier(self.dropout(pooled))

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.classifier.weight.device


def review_sentences(reviews: list[str], count: int, seed: int) -> list[str]:
    """`count` different sentences of reviews, of 3 to 40 words, drawn from the seed."""
    rng = np.random.default_rng(seed)
    found: dict[str, None] = {}
    for index in rng.permutation(len(reviews)):
        for sentence in SENTENCE_END.split(reviews[index]):
            if len(sentence.split()) in WORDS:
                found[sentence.strip()] = None
        if len(found) >= count:
            break
    return list(found)[:count]


def batches(ids: list[list[int]], rng: np.random.Generator | None) -> list[tuple[np.ndarray, int]]:
    """Rows of about the same length together, as (their numbers, tokens a row); shuffled by rng."""
    sizes = np.minimum([len(row) for row in ids], SHAPES[-1][0])
    found, low = [], 0
    for length, count in SHAPES:
        index = np.flatnonzero((sizes > low) & (sizes <= length))
        if rng is not None:
            index = rng.permutation(index)
        found += [(index[i : i + count], length) for i in range(0, len(index), count)]
        low = length
    return [found[i] for i in rng.permutation(len(found))] if rng is not None else found


def padded(ids: list[list[int]], chosen: np.ndarray, length: int) -> tuple[Tensor, Tensor]:
    """Token ids and attention mask of the chosen rows, (B, T) each, always the full batch shape.

    A last batch that is not full repeats its first row, so that compiled shapes stay fixed.
    """
    count = dict(SHAPES)[length]
    rows = np.zeros((count, length), dtype=np.int64)
    for place in range(count):
        row = ids[chosen[place] if place < len(chosen) else chosen[0]][:length]
        rows[place, : len(row)] = row
    tokens = torch.from_numpy(rows)
    return tokens, (tokens != 0).long()


def train(
    model: Teacher,
    ids: list[list[int]],
    labels: np.ndarray,
    plan: TeacherPlan,
    check: Callable[[], None],
) -> None:
    """Fine-tune on hard labels; `check` is called after each epoch and prints what it finds."""
    rng = np.random.default_rng(plan.seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.rate, weight_decay=0.01, fused=True)
    total = plan.epochs * len(batches(ids, None))
    compiled, device = torch.compile(model, dynamic=False), model.device
    step, mean, start = 0, 0.7, time.monotonic()
    for _ in range(plan.epochs):
        model.train()
        for chosen, length in batches(ids, rng):
            tokens, mask = padded(ids, chosen, length)
            with torch.autocast(device.type, dtype=torch.bfloat16):
                logits = compiled(tokens.to(device), mask.to(device))
            wanted = torch.from_numpy(labels[chosen]).to(device)
            loss = nn.functional.cross_entropy(logits[: len(chosen)].float(), wanted)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            warm = max(1, int(plan.warmup * total))
            factor = min((step + 1) / warm, (total - step) / (total - warm))
            optimizer.param_groups[0]["lr"] = plan.rate * max(0.0, factor)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            step, mean = step + 1, 0.98 * mean + 0.02 * loss.item()
            if step % 100 == 0:
                line = {"stage": "teacher", "step": step, "of": total, "loss": round(mean, 4)}
                print(json.dumps(line | {"seconds": round(time.monotonic() - start)}), flush=True)
        check()


@torch.inference_mode()
def logits_of(model: Teacher, ids: list[list[int]]) -> np.ndarray:
    """Logits (rows, 2) of many rows, float32."""
    model.eval()
    compiled, device = torch.compile(model, dynamic=False), model.device
    result = np.zeros((len(ids), 2), dtype=np.float32)
    plan = batches(ids, None)
    for number, (chosen, length) in enumerate(plan):
        tokens, mask = padded(ids, chosen, length)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            logits = compiled(tokens.to(device), mask.to(device))
        result[chosen] = logits[: len(chosen)].float().cpu().numpy()
        if number % 500 == 499:
            print(f"teacher's answers: batch {number + 1} of {len(plan)}", flush=True)
    return result


def soft_labels(folder: Path, cache: Path, count: int, plan: TeacherPlan) -> pd.DataFrame:
    """Texts with the teacher's log-odds of positive (`soft`); made once, kept in `cache`."""
    path = cache / "soft.parquet"
    if path.exists():
        return pd.read_parquet(path)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = Teacher(folder).to("cuda" if torch.cuda.is_available() else "cpu")
    labelled = pd.read_parquet(cache / "sentiment.parquet")
    labelled = labelled[labelled["source"] != "imdb"]
    texts = list(labelled["text"])
    held = pd.read_parquet(cache / "sentiment_validation.parquet")
    held_ids = tokenizer(list(held["text"]))["input_ids"]

    def check() -> None:
        right = logits_of(model, held_ids).argmax(1) == held["label"].to_numpy()
        print(f"teacher, held-out treebank sentences: {100 * right.mean():.1f} %", flush=True)

    weights = cache / "teacher.safetensors"
    if weights.exists():
        model.load_state_dict(load_file(weights))
    else:
        # Whole sentences are what the classifier is asked about: they count twice.
        sentences = labelled[labelled["source"] == "sst"]
        rows = pd.concat([labelled, sentences], ignore_index=True)
        ids = tokenizer(list(rows["text"]), truncation=True, max_length=64)["input_ids"]
        train(model, ids, rows["label"].to_numpy(dtype=np.int64), plan, check)
        save_file(model.state_dict(), weights)
    check()
    reviews = list(pd.read_parquet(cache / "reviews.parquet")["text"])
    texts += review_sentences(reviews, count, plan.seed)
    logits = logits_of(model, tokenizer(texts, truncation=True, max_length=64)["input_ids"])
    frame = pd.DataFrame({"text": texts, "soft": logits[:, 1] - logits[:, 0]})
    frame["source"] = [*labelled["source"], *["review"] * (len(texts) - len(labelled))]
    frame.to_parquet(path)
    return frame
