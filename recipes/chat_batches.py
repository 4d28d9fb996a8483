"""Batches for `mini-chat`: pieces of plain text, and rows of conversations and prompts.

Every row holds documents one after another; a token sees its own document alone, and positions
count from the document's beginning. Which rows come is set by the seed and the number drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from chat_data import ASSISTANT, BEGIN, END, PAD, USER
from chat_questions import Item, item
from tokenizers import Tokenizer
from torch import Tensor

VERDICT_SHARE = 0.5  # of the conversations; the others are questions about a text
IRRELEVANT = (0.7, 0.2, 0.1)  # how often a text has none, one or two irrelevant sentences

# Prompts that end before the answer; None is a conversation, in which the user says the text.
VERDICT_PROMPTS = (
    (None, "Is this review good or bad?\n{text}", ("bad", "good"), 0.4),
    ("Review: {text}\nSentiment:", "", (" negative", " positive"), 0.3),
    ("Review: {text}\nGood or bad?", "", (" bad", " good"), 0.3),
)
QUESTION_PROMPT = "{text}\nQuestion: {question}\nAnswer:"
QUESTION_SAID = "{text}\n{question}"
CONVERSATIONS = 0.6  # of the questions; the others are prompts


@dataclass(frozen=True)
class Batch:
    """Rows of documents, and where a loss is counted."""

    input_ids: Tensor  # (B, T)
    position_ids: Tensor  # (B, T) from 0 in each document
    documents: Tensor  # (B, T) number of the document in its row
    places: Tensor  # (K,) places in the flattened batch whose next token is predicted
    labels: Tensor  # (K,) that next token, -100 where K is more than there is to predict
    plain: int  # the first places, this many, are of plain text; the rest are of answers


class Examples:
    """Conversations and prompts with their answers, as token ids."""

    def __init__(self, tokenizer: Tokenizer, texts: list[str], labels: list[int], seed: int):
        self.tokenizer, self.texts, self.labels, self.seed = tokenizer, texts, labels, seed
        self._newline = self._ids("\n")

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def conversation(self, said: str, answer: str) -> tuple[list[int], list[int]]:
        """Prompt and answer as the chat template renders one question and one answer."""
        start, newline = [BEGIN, USER, *self._newline], self._newline
        prompt = [*start, *self._ids(said), END, *newline, ASSISTANT, *newline]
        return prompt, [*self._ids(answer), END]

    def prompt(self, text: str, answer: str) -> tuple[list[int], list[int]]:
        """Plain prompt and answer; one space joins them."""
        return [BEGIN, *self._ids(text)], [*self._ids(answer), END]

    def verdict(self, rng: np.random.Generator) -> tuple[list[int], list[int]]:
        """A review and what it is called."""
        number = rng.integers(len(self.texts))
        shares = [share for *_, share in VERDICT_PROMPTS]
        plain, said, answers, _ = VERDICT_PROMPTS[rng.choice(len(shares), p=shares)]
        text, answer = self.texts[number], answers[self.labels[number]]
        if plain is None:
            return self.conversation(said.format(text=text), answer)
        return self.prompt(plain.format(text=text), answer)

    def question(self, asked: Item, as_conversation: bool) -> tuple[list[int], list[int]]:
        """A question about a text, and its answer."""
        if as_conversation:
            said = QUESTION_SAID.format(text=asked.text, question=asked.question)
            return self.conversation(said, asked.answer)
        text = QUESTION_PROMPT.format(text=asked.text, question=asked.question)
        return self.prompt(text, " " + asked.answer)

    def draw(self, number: int) -> tuple[list[int], list[int]]:
        """The example of this number: prompt and answer."""
        rng = np.random.default_rng([self.seed, 1, number])
        if rng.random() < VERDICT_SHARE:
            return self.verdict(rng)
        irrelevant = int(rng.choice(len(IRRELEVANT), p=IRRELEVANT))
        asked = item(rng, held_out=False, irrelevant=irrelevant)
        return self.question(asked, bool(rng.random() < CONVERSATIONS))


class Rows:
    """Pieces of the stream and rows of examples, each drawn by its number."""

    def __init__(self, stream: np.ndarray, examples: Examples, seed: int) -> None:
        self.stream, self.examples, self.seed = stream, examples, seed
        self.pieces_drawn, self.examples_drawn = 0.0, 0  # pieces in epochs of the stream
        self._orders: dict[tuple[int, int], np.ndarray] = {}

    def piece(self, length: int) -> np.ndarray:
        """The next `length` + 1 tokens of the stream, in an order set by the seed."""
        pieces = (len(self.stream) - 1 - length) // length
        epoch, share = divmod(self.pieces_drawn, 1.0)
        place = min(pieces - 1, round(share * pieces))
        start = int(self._order(int(epoch), pieces)[place]) * length
        # Each epoch cuts elsewhere, so that no token always stands at an edge.
        start += int(epoch) * 37 % length
        self.pieces_drawn = int(epoch) + (place + 1) / pieces
        return self.stream[start : start + length + 1].astype(np.int64)

    def _order(self, epoch: int, pieces: int) -> np.ndarray:
        key = (epoch, pieces)
        if key not in self._orders:
            rng = np.random.default_rng([self.seed, epoch])
            self._orders = {key: rng.permutation(pieces)}
        return self._orders[key]

    def examples_row(self, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Ids (T + 1,) of as many examples as fit, and which of them answer; bool (T + 1,)."""
        ids = np.full(length + 1, PAD, dtype=np.int64)
        answers = np.zeros(length + 1, dtype=bool)
        filled = 0
        while True:
            prompt, answer = self.examples.draw(self.examples_drawn)
            size = len(prompt) + len(answer)
            if filled and filled + size > length + 1:
                return ids, answers
            self.examples_drawn += 1
            if size <= length + 1:
                ids[filled : filled + size] = [*prompt, *answer]
                answers[filled + len(prompt) : filled + size] = True
                filled += size

    def batch(self, length: int, plain: int, examples: int, answers: int) -> Batch:
        """`plain` pieces, then `examples` rows of examples, of which `answers` tokens count."""
        rows = [self.piece(length) for _ in range(plain)]
        counted = [np.ones(length, dtype=bool)] * plain
        for _ in range(examples):
            ids, answer = self.examples_row(length)
            rows.append(ids)
            counted.append(answer[1:])
        return _batch(np.stack(rows), np.stack(counted), plain * length, answers)


def _batch(rows: np.ndarray, counted: np.ndarray, plain: int, answers: int) -> Batch:
    """Inputs and labels of rows (B, T + 1) where `counted` (B, T) says what is predicted."""
    inputs, following = rows[:, :-1], rows[:, 1:]
    begins = inputs == BEGIN
    documents = np.cumsum(begins, axis=1)
    steps = np.arange(inputs.shape[1])[None].repeat(len(inputs), axis=0)
    positions = steps - np.maximum.accumulate(np.where(begins, steps, 0), axis=1)
    chosen = np.flatnonzero(counted)[: plain + answers]
    # A fixed number of places keeps the compiled shapes fixed.
    places = np.zeros(plain + answers, dtype=np.int64)
    labels = np.full(plain + answers, -100, dtype=np.int64)
    places[: len(chosen)] = chosen
    labels[: len(chosen)] = following.ravel()[chosen]
    # What begins the next document does not follow from this one.
    labels[labels == BEGIN] = -100
    arrays = inputs, positions, documents, places, labels
    return Batch(*(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays), plain)
