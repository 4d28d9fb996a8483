"""A model's answer token by token: how much does each rest on each word of the prompt?

    score of a word for a token = ln p(token | text) − ln p(token | text with the word hidden)

each given the tokens before it. The whole answer's ln p is the sum over its tokens, so a word's
score for the whole is the sum of its row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...errors import ParameterError, TextError
from ...models.model import Model
from ...readings.question import Question, Spec, asked, json_of
from .methods import Word
from .occlusion import occluded
from .staged import ONE_BY_ONE, is_long


@dataclass(frozen=True)
class AnswerMatrix:
    """Words of the text × tokens of the answer, in nats.

    words: (start, end) of each. tokens: as a person reads them. log_probabilities: of each token
    behind the plain text. scores: (words, tokens). whole: each word's score for the answer.
    """

    answer: str
    words: tuple[Word, ...]
    tokens: tuple[str, ...]
    log_probabilities: tuple[float, ...]
    scores: tuple[tuple[float, ...], ...]
    whole: tuple[float, ...]
    model: str = ""
    question: str | dict[str, Any] = "answer"

    @property
    def sums(self) -> tuple[float, ...]:
        """The sum of each word's scores over the tokens."""
        return tuple(map(sum, self.scores))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values, without the words, which the explanation has."""
        return {
            "answer": self.answer,
            "tokens": list(self.tokens),
            "log_probabilities": list(self.log_probabilities),
            "scores": [list(row) for row in self.scores],
            "sums": list(self.sums),
            **json_of(self.question),
        }


def answer_matrix(
    text: str, model: Model | str | Question, long: str = "cut", question: Spec = "answer"
) -> AnswerMatrix:
    """Hide each word of a text in turn and score every token of the answer, by occlusion.

    Raises ParameterError where the question is another one, TextError for a text without words.

    >>> answer_matrix("The capital of France is", "smollm2").sums      # doctest: +SKIP
    (0.6, 3.2, 0.4, 11.8, 2.1)
    """
    put = asked(model, question).about(text)
    if put.name != "answer":
        raise ParameterError(
            f"The question {put.name!r} has no answer of several tokens: ask the question answer."
        )
    if is_long(put, text):
        raise ParameterError(
            f"A matrix of words and tokens is for at most {ONE_BY_ONE} words: shorten the text."
        )
    found = occluded(put, text, long)
    if not found.words:
        raise TextError("The text has no words to score: enter at least one word.")
    falls = found.plain - found.hidden  # (words, 1 + tokens)
    return AnswerMatrix(
        put.outputs[0],
        found.words,
        tuple(name.partition(": ")[2] for name in put.outputs[1:]),
        tuple(map(float, found.plain[1:])),
        tuple(tuple(map(float, row[1:])) for row in falls),
        tuple(map(float, falls[:, 0])),
        put.model.name,
        put.spec(),
    )
