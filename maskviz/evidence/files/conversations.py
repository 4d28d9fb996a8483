"""Rows that hold conversations: each is asked about as its model's template writes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...data.rows import iter_rows
from ...errors import CapabilityError, DataError, ParameterError, TextError
from ...models.model import Model
from ...readings.language.conversing import EACH, Conversed
from ...readings.question import Question, Spec
from ...text.conversation import holds_turns, read_conversation
from .rows import LeftOut, Row

NAMED = "of each row"  # what stands for the conversations in a file's question


def of_each(question: Spec) -> Spec:
    """Return the question as it is put to the conversation of each row.

    Raises ParameterError where each row would be asked for another answer.
    """
    given: dict[str, Any] = {"name": question} if isinstance(question, str) else dict(question)
    if given["name"] == "labels":
        raise ParameterError(
            "A conversation is asked with choices, with a target for its next token, or for an "
            "answer: add --choice, --target, --answer or --question answer."
        )
    return {**given, "conversation": EACH}


def refuse_turns(source: str | Path | bytes, name: str | None, column: str) -> None:
    """Raise DataError where the texts of a column are conversations, told by the first row."""
    first = next(iter_rows(source, name), {})
    if holds_turns(first.get(column)):
        raise DataError(
            f"The column {column!r} holds conversations, which would be read as the text of their "
            "JSON: name it with --conversation-column and ask a chat model, or choose another one."
        )


def json_of_each(question: Question) -> dict[str, Any]:
    """Return the question JSON-ready, without the conversation that stands for all."""
    said = question.spec()
    given = {"name": said} if isinstance(said, str) else said
    return {**given, "conversation": NAMED}


def spoken_row(row: Row, models: Sequence[Model]) -> Row:
    """Return a row with its conversation, read before its last answer.

    Raises LeftOut where the row holds none, or one that a model cannot read.
    """
    try:
        spoken = read_conversation(row.text).prompt
    except (DataError, TextError):
        raise LeftOut("that hold no conversation") from None
    for model in models:
        assert isinstance(model, Conversed)
        model.take(spoken)
        try:
            model.tokenise(spoken.text)
        except CapabilityError:
            raise LeftOut("that the chat template refuses") from None
        except ParameterError:
            raise LeftOut("longer than the model takes") from None
    return replace(row, text=spoken.text, spoken=spoken)
