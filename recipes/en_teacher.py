"""A larger pretrained encoder, tuned on the labelled names, labels sentences nobody has labelled.

The pipeline's own network learns from its labels beside people's (distillation by hard labels,
as self-training has it: Yarowsky 1995; Hinton et al. 2015). The teacher is a folder that
`AutoModel.from_pretrained` loads (a BERT without capitals, such as all-MiniLM-L6-v2, padding id
0) with a linear layer on top; what its vocabulary leaves out, how a word is written, it is told by
token types. Its weights and its labels are kept in the work folder.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from en_data import Row, Span
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer

KINDS = ("PERSON", "ORG", "GPE", "LOC", "MISC")
TAGS = 1 + 2 * len(KINDS)  # outside, then beginning and inside of each kind
SHAPES = ((16, 96), (32, 48), (64, 24), (128, 12))  # tokens a row, rows a batch
WRITTEN = ("lower", "Title", "UPPER", "mIxed", "none")
PIECES = 6  # of a word, at most: the rest of a longer one is left out
RATE, WARM_UP = 1.5e-4, 60


class Teacher(nn.Module):
    """The encoder and tag scores (B, T, TAGS) of token ids, mask and shapes (B, T) each."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(folder, use_safetensors=True)
        embeddings = self.encoder.embeddings
        kept = embeddings.token_type_embeddings.weight.data[:1]
        embeddings.token_type_embeddings = nn.Embedding.from_pretrained(
            kept.repeat(len(WRITTEN), 1), freeze=False
        )
        self.dropout = nn.Dropout(0.1)
        self.scores = nn.Linear(self.encoder.config.hidden_size, TAGS)

    def forward(self, ids: Tensor, mask: Tensor, shapes: Tensor) -> Tensor:
        """Scores of every token; those of a word are its first piece's."""
        states = self.encoder(input_ids=ids, attention_mask=mask, token_type_ids=shapes)
        return self.scores(self.dropout(states.last_hidden_state))


def shape(word: str) -> int:
    """How a word is written, as its place in WRITTEN."""
    if not any(letter.isalpha() for letter in word):
        return 4
    if word.isupper() and len(word) > 1:
        return 2
    if word[:1].isupper():
        return 1
    return 3 if any(letter.isupper() for letter in word) else 0


@dataclass
class Words:
    """Token ids of words, each split once."""

    folder: Path
    known: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(self.folder)

    def pieces(self, word: str) -> list[int]:
        """The ids of a word, at least one."""
        if word not in self.known:
            ids = self.tokenizer.encode(word, add_special_tokens=False)[:PIECES]
            self.known[word] = ids or [self.tokenizer.unk_token_id]
        return self.known[word]

    def encode(self, words: Iterable[str]) -> tuple[list[int], list[int], list[int]]:
        """Token ids, shapes, and the place of each word's first piece."""
        ids, shapes, first = [self.tokenizer.cls_token_id], [4], []
        for word in words:
            pieces = self.pieces(word)
            first.append(len(ids))
            ids += pieces
            shapes += [shape(word)] * len(pieces)
        return [*ids, self.tokenizer.sep_token_id], [*shapes, 4], first


def tags_of(row: Row) -> list[int]:
    """The tag of each word."""
    tags = [0] * len(row.tokens)
    for start, end, kind in row.spans:
        first = 1 + 2 * KINDS.index(kind)
        tags[start:end] = [first, *[first + 1] * (end - start - 1)]
    return tags


def best_tags(scores: np.ndarray) -> list[int]:
    """The best sequence of tags under scores (words, TAGS): Viterbi, no inside without a start."""
    log = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
    moves = np.zeros((TAGS, TAGS))
    for inside in range(2, TAGS, 2):  # follows the beginning or inside of its own kind
        moves[[tag for tag in range(TAGS) if tag not in (inside, inside - 1)], inside] = -1e4
    best, back = log[0] + moves[0], []
    for row in log[1:]:
        reached = best[:, None] + moves
        back.append(reached.argmax(0))
        best = reached.max(0) + row
    tags = [int(best.argmax())]
    for step in reversed(back):
        tags.append(int(step[tags[-1]]))
    return tags[::-1]


def spans_of_tags(tags: list[int]) -> list[Span]:
    """The spans that begin somewhere and go on inside."""
    spans = []
    for start in (place for place, tag in enumerate(tags) if tag % 2 == 1):
        end = start + 1
        while end < len(tags) and tags[end] == tags[start] + 1:
            end += 1
        spans.append((start, end, KINDS[tags[start] // 2]))
    return spans


def batches(words: Words, rows: Iterator[Row]) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Endless full batches of rows of about one length: ids, shapes and tags (B, T) each.

    A piece that is not the first of its word has the tag −100, which the loss leaves out.
    """
    waiting: dict[int, list] = {length: [] for length, _ in SHAPES}
    for row in rows:
        ids, shapes, first = words.encode(row.tokens)
        length = next((length for length, _ in SHAPES if len(ids) <= length), None)
        if length is None:
            continue
        tags = np.full(length, -100)
        tags[first] = tags_of(row)
        padding = [0] * (length - len(ids))
        waiting[length].append((np.array(ids + padding), np.array(shapes + padding), tags))
        if len(waiting[length]) == dict(SHAPES)[length]:
            columns = zip(*waiting[length], strict=True)
            yield tuple(torch.from_numpy(np.stack(column)) for column in columns)
            waiting[length] = []


def train(model: Teacher, words: Words, rows: Iterator[Row], minutes: float) -> None:
    """Tune until the minutes are used up; warm-up, then a linear fall of the rate to zero."""
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": 0.01},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=RATE, fused=True)
    device = next(model.parameters()).device
    compiled = torch.compile(model.train(), dynamic=False)
    begin, mean = time.monotonic(), 2.0
    for step, batch in enumerate(batches(words, rows)):
        if (share := (time.monotonic() - begin) / (60 * minutes)) >= 1.0:
            return
        ids, shapes, tags = (part.to(device) for part in batch)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            scores = compiled(ids, (ids != 0).long(), shapes)
        loss = nn.functional.cross_entropy(
            scores.float().flatten(0, 1), tags.flatten(), ignore_index=-100, label_smoothing=0.05
        )
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / WARM_UP) * (1.0 - share)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        mean = 0.98 * mean + 0.02 * loss.item()
        if step % 100 == 99:
            print(f"teacher {share:.2f} step {step + 1} loss {mean:.3f}", flush=True)


@torch.inference_mode()
def scores_of(model: Teacher, words: Words, sentences: list[list[str]]) -> list[np.ndarray]:
    """Scores (words, TAGS) of each sentence, those of about one length asked together."""
    model.eval()
    device = next(model.parameters()).device
    encoded = [words.encode(sentence) for sentence in sentences]
    order = sorted(range(len(encoded)), key=lambda index: len(encoded[index][0]))
    found: list[np.ndarray] = [np.empty(0)] * len(encoded)
    for begin in range(0, len(order), 64):
        part = order[begin : begin + 64]
        length = max(len(encoded[index][0]) for index in part)
        ids, shapes = np.zeros((2, len(part), length), dtype=np.int64)
        for place, index in enumerate(part):
            count = len(encoded[index][0])
            ids[place, :count], shapes[place, :count] = encoded[index][:2]
        asked = torch.from_numpy(ids).to(device)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            scores = model(asked, (asked != 0).long(), torch.from_numpy(shapes).to(device))
        for index, row in zip(part, scores.float().cpu().numpy(), strict=True):
            found[index] = row[encoded[index][2]]
    return found


def tuned(folder: Path, work: Path, rows: Iterator[Row], minutes: float) -> tuple[Teacher, Words]:
    """The teacher, tuned once and kept in `work`."""
    model, words, path = Teacher(folder), Words(folder), work / "teacher.safetensors"
    if torch.cuda.is_available():
        model = model.cuda()
    if path.exists():
        model.load_state_dict(load_file(path))
    else:
        train(model, words, rows, minutes)
        save_file(model.state_dict(), path)
    return model, words
