"""Figures of `mini-chat` on rows that it has not seen.

Bits per byte: 300 reviews held out, each token given at least 128 before it (or all there are), by
the network in float32 and by a modified Kneser–Ney 5-gram (kneser_ney.py) of the same token ids,
counted on the plain texts that the network learnt from. Bytes are those of the text in UTF-8; the
end of a text counts as a token of no bytes.

Questions: generated ones made of words held out (chat_questions.py), asked through the chat
template, answered greedily; an answer counts if it is the wanted words exactly. Verdicts: treebank
sentences of the dev file, by which of two answers is the more probable.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from chat_batches import QUESTION_PROMPT, QUESTION_SAID, VERDICT_PROMPTS
from chat_data import BEGIN, REVIEWS, read, token_stream
from chat_questions import Item, items
from kneser_ney import KneserNey
from score_common import RESAMPLES, Figure, ratio_figure
from tokenizers import Tokenizer
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM
from transformers import PreTrainedTokenizerFast as Fast

WINDOW = 256
QUESTIONS, QUESTIONS_SEED = 500, 7
IRRELEVANT = 4
BATCH = 32


def loaded(folder: Path) -> tuple[LlamaForCausalLM, Fast]:
    """Network and tokenizer of a folder, in float32."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    return model, AutoTokenizer.from_pretrained(folder)


def chat_figures(
    folder: Path, data: Path, rows: int | None = None, reviews: int = REVIEWS
) -> list[Figure]:
    """Every figure, on the first `rows` held-out rows of each kind or on all of them."""
    model, tokenizer = loaded(folder)
    return [
        *text_figures(model, tokenizer, data, rows, reviews),
        *question_figures(model, tokenizer, QUESTIONS if rows is None else rows),
        *verdict_figures(model, tokenizer, data, rows),
    ]


@torch.inference_mode()
def token_bits(model: LlamaForCausalLM, ids: np.ndarray, window: int = WINDOW) -> np.ndarray:
    """−log2 p of every token but the first, (T - 1,), in windows that overlap by half."""
    found = []
    done = 1
    while done < len(ids):
        start = max(0, done - window // 2)
        part = torch.from_numpy(ids[start : start + window].astype(np.int64))[None]
        logits = model(input_ids=part).logits[0, :-1].float()  # (t - 1, V)
        logs = logits.log_softmax(-1).gather(1, part[0, 1:, None])[:, 0]  # (t - 1,)
        found.append(logs[done - start - 1 :])
        done = start + part.shape[1]
    return -torch.cat(found).numpy() / np.log(2)


def text_figures(
    model: LlamaForCausalLM, tokenizer: Fast, data: Path, rows: int | None, reviews: int
) -> list[Figure]:
    """Bits per byte of the network and of Kneser–Ney, and how far the network lies below."""
    texts = read(data, 0, reviews)
    plain: Tokenizer = tokenizer.backend_tokenizer
    baseline = KneserNey(token_stream(plain, texts.plain), BEGIN, tokenizer.vocab_size)
    held = texts.validation[:rows]
    documents = [token_stream(plain, [text]) for text in held]
    size = np.array([len(text.encode()) for text in held])
    own = np.array([token_bits(model, ids).sum() for ids in documents])
    counted = [-np.log2(baseline.probabilities(ids)).sum() for ids in documents]
    return [
        ratio_figure("mini-chat, bits per 100 bytes", own, size),
        ratio_figure("Kneser–Ney 5-gram, bits per 100 bytes", np.array(counted), size),
        _below("mini-chat, bits below Kneser–Ney's", own, np.array(counted)),
    ]


def _below(name: str, own: np.ndarray, other: np.ndarray) -> Figure:
    """1 − Σ own / Σ other; whole texts are resampled."""
    draws = np.random.default_rng(0).integers(len(own), size=(RESAMPLES, len(own)))
    values = 1 - own[draws].sum(axis=1) / other[draws].sum(axis=1)
    low, high = np.quantile(values, [0.025, 0.975])
    return Figure(name, float(1 - own.sum() / other.sum()), float(low), float(high), len(own))


def said(tokenizer: Fast, text: str) -> list[int]:
    """Ids of a conversation in which the user says `text` and the answer is to come."""
    rendered = tokenizer.apply_chat_template(
        [{"role": "user", "content": text}], add_generation_prompt=True, tokenize=False
    )
    ids: list[int] = tokenizer(rendered, add_special_tokens=False).input_ids
    return ids


def _padded(tokenizer: Fast, rows: list[list[int]]) -> dict[str, Tensor]:
    """Ids and attention mask (B, T), padded on the left."""
    found = tokenizer.pad({"input_ids": rows}, padding_side="left", return_tensors="pt")
    return {name: found[name] for name in ("input_ids", "attention_mask")}


@torch.inference_mode()
def answers(model: LlamaForCausalLM, tokenizer: Fast, prompts: list[list[int]]) -> list[str]:
    """What the network says greedily after each prompt."""
    found: list[str] = []
    for start in range(0, len(prompts), BATCH):
        batch = _padded(tokenizer, prompts[start : start + BATCH])
        written = model.generate(**batch, max_new_tokens=16, do_sample=False)
        tail = written[:, batch["input_ids"].shape[1] :]
        found += [t.strip() for t in tokenizer.batch_decode(tail, skip_special_tokens=True)]
    return found


def exact(
    model: LlamaForCausalLM,
    tokenizer: Fast,
    asked: list[Item],
    prompt: Callable[[Item], list[int]],
) -> np.ndarray:
    """Whether each question is answered exactly; bool, (questions,)."""
    said_back = answers(model, tokenizer, [prompt(item) for item in asked])
    return np.array([own == item.answer for own, item in zip(said_back, asked, strict=True)])


def question_figures(model: LlamaForCausalLM, tokenizer: Fast, count: int) -> list[Figure]:
    """Exact answers, with no irrelevant sentence and with four, and in a plain prompt."""

    def conversation(item: Item) -> list[int]:
        return said(tokenizer, QUESTION_SAID.format(text=item.text, question=item.question))

    def prompt(item: Item) -> list[int]:
        text = QUESTION_PROMPT.format(text=item.text, question=item.question)
        ids: list[int] = tokenizer(text).input_ids
        return ids

    found = []
    for name, irrelevant, form in (
        ("mini-chat, questions answered exactly", 0, conversation),
        ("  with four irrelevant sentences", IRRELEVANT, conversation),
        ("  in a plain prompt", 0, prompt),
    ):
        asked = items(count, QUESTIONS_SEED, held_out=True, irrelevant=irrelevant)
        hits = exact(model, tokenizer, asked, form)
        found.append(ratio_figure(name, hits.astype(float), np.ones(count)))
    return found


@torch.inference_mode()
def chosen(
    model: LlamaForCausalLM, tokenizer: Fast, prompts: list[list[int]], choices: tuple[str, ...]
) -> np.ndarray:
    """The number of the choice that is most probable after each prompt; (prompts,)."""
    ends = [tokenizer(choice, add_special_tokens=False).input_ids for choice in choices]
    logs = np.zeros((len(prompts), len(choices)))
    for column, end in enumerate(ends):
        for start in range(0, len(prompts), BATCH):
            rows = [[*prompt, *end] for prompt in prompts[start : start + BATCH]]
            batch = _padded(tokenizer, rows)
            positions = (batch["attention_mask"].cumsum(1) - 1).clamp(min=0)
            logits = model(**batch, position_ids=positions).logits[:, -len(end) - 1 : -1]
            wanted = torch.tensor(end).expand(len(rows), -1)[..., None]  # (B, t, 1)
            found = logits.float().log_softmax(-1).gather(2, wanted)[..., 0]
            logs[start : start + BATCH, column] = found.sum(1)
    return logs.argmax(1)


def verdict_figures(
    model: LlamaForCausalLM, tokenizer: Fast, data: Path, rows: int | None
) -> list[Figure]:
    """Accuracy on the treebank rows of the dev file, in a conversation and in each prompt."""
    dev = pd.read_parquet(data / "sentiment_dev.parquet")
    dev = dev[dev["source"] == "sst"].head(rows)
    found = []
    for plain, user, choices, _ in VERDICT_PROMPTS:
        if plain is None:
            name = "mini-chat, treebank dev, choices good and bad"
            prompts = [said(tokenizer, user.format(text=text)) for text in dev["text"]]
        else:
            name = f"  in a prompt that ends in {plain.splitlines()[-1]}"
            prompts = [tokenizer(plain.format(text=text)).input_ids for text in dev["text"]]
        hits = chosen(model, tokenizer, prompts, choices) == dev["label"].to_numpy()
        found.append(ratio_figure(name, hits.astype(float), np.ones(len(dev))))
    return found
