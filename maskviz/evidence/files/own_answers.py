"""Rows that are each asked for an answer of their own: given with the row, or the model's own.

    value of a row = ln p of its answer / its tokens, in nats

so that long answers count no more than short ones. The second of two models is asked for the
answer of the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...errors import CapabilityError, DataError, ParameterError, TextError
from ...models.model import Model
from ...readings.language.conversing import Conversed
from ...readings.question import Question, Spec, asked
from ...text.conversation import read_conversation
from .conversations import NAMED
from .rows import LeftOut, Row


@dataclass(frozen=True)
class OwnAnswers:
    """What each row is asked: the question without its answer, and where that stands.

    models: as the file's question has them. column: of the answers, None where they are those of
    the conversations, else the model's own. own: whether it is the model's own everywhere.
    """

    models: tuple[Model, ...]
    given: Mapping[str, Any]
    conversations: bool
    column: str | None
    own: bool

    def put(self, row: Row) -> tuple[Row, list[Question]]:
        """Return a row as it is read, and what each model is asked about it.

        Raises LeftOut where the row holds no conversation, or one that cannot be asked so.
        """
        given, answer = dict(self.given), row.answer or ""
        if self.conversations:
            try:
                whole = read_conversation(row.text)
                spoken = whole.prompt
            except (DataError, TextError):
                raise LeftOut("that hold no conversation") from None
            answer = answer if self.column or self.own else whole.answer
            row, given["conversation"] = replace(row, text=spoken.text, spoken=spoken), spoken
        found: list[Question] = []
        for model in self.models:
            if isinstance(model, Conversed) and row.spoken is not None:
                model.take(row.spoken)
            found.append(_asked(model.bare, {**given, "answer": answer}, row.text))
            answer = found[0].given["answer"]
        return row, found

    @property
    def source(self) -> str:
        """Where the answers come from, in words."""
        if self.column:
            return f"that of the column {self.column!r}"
        if self.conversations and not self.own:
            return "the last one of its conversation, else the model's own"
        return "the model's own"

    @property
    def notes(self) -> list[str]:
        """What is to be said of the values."""
        return [
            f"Each row is asked for an answer of its own, {self.source}: values are ln p a token."
        ]

    def said(self) -> dict[str, Any]:
        """Return the question JSON-ready; `answers` says where each row's comes from."""
        spoken = {"conversation": NAMED} if self.conversations else {}
        return {**self.given, "answers": self.source, **spoken}


def own_answers(
    question: Spec, questions: Sequence[Question], conversations: bool, column: str | None
) -> OwnAnswers | None:
    """Return what each row is asked where each has an answer of its own, else None.

    Raises ParameterError where a column of answers is named and another question is asked.
    """
    given: dict[str, Any] = {"name": question} if isinstance(question, str) else dict(question)
    if column is not None and (given["name"] != "answer" or given.get("answer")):
        raise ParameterError(
            f"The column {column!r} holds an answer for each row: ask the question answer "
            "(--question answer), without another answer."
        )
    if given["name"] != "answer" or given.get("answer"):
        return None
    own = given.pop("answer", None) is not None
    models = tuple(one.model for one in questions)
    return OwnAnswers(models, given, conversations, column, own)


def per_token(put: Question, answers: Any) -> Any:
    """Return log-probabilities (texts, 1 + tokens) as the mean of a token, (texts, outputs)."""
    return answers / max(1, len(put.outputs) - 1)


def _asked(model: Model, given: Mapping[str, Any], text: str) -> Question:
    try:
        put = asked(model, given)
        put.model.tokenise(text)
    except CapabilityError:
        raise LeftOut("that the chat template refuses") from None
    except ParameterError:
        raise LeftOut("longer than the model takes") from None
    try:
        return put.about(text)
    except ParameterError:
        raise LeftOut("to which the model answers nothing") from None
