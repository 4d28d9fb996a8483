"""Rows for a decoder: conversations, prompts with their responses, or plain text.

A column with messages or ShareGPT's conversations is read by the model's chat template; prompt and
response by it too, where the model has one; a plain text by none, and all of it is learned.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...data import Selection, guess_columns
from ...data.labels import missing, no_column
from ...errors import DataError, TextError
from ...text.conversation import Conversation, Turn, read_conversation
from ...text.span import Span
from ..spec.spec import RunSpec
from .marking import row_marks, spans_column
from .targets import Targets

if TYPE_CHECKING:
    import pandas as pd

TALKS = ("messages", "conversations", "conversation", "chat")
PROMPTS = ("prompt", "instruction", "question")
ANSWERS = ("response", "completion", "answer", "output")
MESSAGES, PROMPT, TEXT = "messages", "prompt", "text"


@dataclass(frozen=True)
class Form:
    """Which columns hold what: `kind` is messages, prompt or text."""

    kind: str
    column: str
    answer: str = ""

    def __str__(self) -> str:
        if self.kind == PROMPT:
            return f"prompts of {self.column!r} with responses of {self.answer!r}"
        return (
            f"conversations of {self.column!r}"
            if self.kind == MESSAGES
            else (f"texts of {self.column!r}")
        )


@dataclass(frozen=True)
class Spoken:
    """What a row says, of which kind of column it is read, and what a person marked in it.

    number: of the row in the file that is learned from, from 1; 0 of any other.
    """

    conversation: Conversation
    kind: str
    marked: tuple[Span, ...] | None = None
    number: int = field(default=0, repr=False, compare=False)


def form_of(spec: RunSpec, frame: pd.DataFrame) -> Form:
    """Return how the rows of a table are read: as named, else by the names of its columns."""
    named = {str(column).strip().lower(): str(column) for column in frame.columns}
    asked, answer = spec.data.text_column, spec.data.target_column
    for column in filter(None, (asked, answer)):
        if column not in frame.columns:
            raise no_column(column, list(map(str, frame.columns)))
    talk = next((named[name] for name in TALKS if name in named), "")
    if asked and not answer and (asked == talk or _holds_talks(frame[asked])):
        return Form(MESSAGES, asked)
    if talk and not asked:
        return Form(MESSAGES, talk)
    prompt = asked or next((named[name] for name in PROMPTS if name in named), "")
    answer = answer or next((named[n] for n in ANSWERS if n in named and named[n] != prompt), "")
    if prompt and answer and (spec.data.target_column or prompt.strip().lower() in PROMPTS):
        return Form(PROMPT, prompt, answer)
    text = asked or guess_columns(frame).text
    return Form(MESSAGES if _holds_talks(frame[text]) else TEXT, text)


def _holds_talks(column: Iterable[Any]) -> bool:
    """Tell whether the first cell that says something holds a list or a JSON of turns."""
    first = next((cell for cell in column if not missing(cell)), None)
    if isinstance(first, str):
        return first.lstrip()[:1] in ("[", "{") and '"' in first
    return first is not None and not isinstance(first, (int, float))


def read_spoken(spec: RunSpec, frame: pd.DataFrame) -> Targets:
    """Read the rows of a table as conversations. Raises DataError, which names the row.

    Rows that say nothing, have no turn of the assistant's or an empty answer are left out, and
    counted in the notes.
    """
    form, marks = form_of(spec, frame), spans_column(spec, list(map(str, frame.columns)))
    found: list[Spoken] = []
    kept: list[int] = []
    left: dict[int, str] = {}
    records = [{str(k): value for k, value in row.items()} for row in frame.to_dict("records")]
    for number, row in enumerate(records):
        try:
            said = _conversation(form, row)
        except (DataError, TextError) as error:
            raise DataError(f"Row {number + 1}: {error}") from None
        why = "without anything said" if said is None else _lacks(said)
        if said is None or why:
            left[number] = why
            continue
        written = str(row[form.column]) if form.kind != MESSAGES else None
        marked = row_marks(row[marks], said.text, number, written) if marks else None
        found.append(Spoken(said, form.kind, marked, number + 1))
        kept.append(number)
    if len(found) < 2:
        reasons = _counted(left)
        raise DataError(
            f"{len(found)} rows are {form} to learn from, and training needs 2 or more"
            f"{f' ({reasons})' if reasons else ''}: give rows in which the assistant answers."
        )
    notes = [f"Reads {form}."]
    notes += [f"{_counted(left)} are left out."] if left else []
    texts = tuple(spoken.conversation.text for spoken in found)
    return Targets(
        Selection(texts, tuple(found), tuple(kept), tuple(notes)), ("text",), lambda s: s, left=left
    )


def _counted(left: Mapping[int, str]) -> str:
    return ", ".join(
        f"{n:,} row{'s' * (n > 1)} {why}" for why, n in sorted(Counter(left.values()).items())
    )


def _conversation(form: Form, row: Mapping[str, Any]) -> Conversation | None:
    cell = row[form.column]
    if missing(cell) or (isinstance(cell, str) and not cell.strip()):
        return None
    beside = {k: row[k] for k in ("system", "tools") if k in row and not missing(row[k])}
    if form.kind == TEXT:
        return Conversation((Turn("assistant", str(cell)),))
    if form.kind == PROMPT:
        answer = row[form.answer]
        answer = "" if missing(answer) else answer
        more = {"input": row["input"]} if "input" in row and not missing(row["input"]) else {}
        return read_conversation({**beside, **more, "prompt": cell, "response": answer})
    if isinstance(cell, str):
        _require_json(cell)
        return read_conversation(cell)
    if hasattr(cell, "tolist"):
        cell = cell.tolist()
    return read_conversation({**beside, "messages": cell} if isinstance(cell, list) else cell)


def _require_json(cell: str) -> None:
    """Raise DataError where a cell begins as JSON does and is none: it would be read as a text."""
    if cell.lstrip()[:1] not in ("[", "{"):
        return
    try:
        json.loads(cell)
    except ValueError as error:
        raise DataError(f"{cell.strip()[:30]!r} is no JSON ({error}): correct it.") from None


def _lacks(said: Conversation) -> str:
    """Return what a row lacks to be learned from; empty where it is whole."""
    own = [turn for turn in said.turns if turn.role == "assistant"]
    if not own:
        return "without a turn of the assistant's"
    last = own[-1]
    if not (last.content.strip() or last.thought.strip() or last.calls):
        return "with an empty answer"
    return ""
