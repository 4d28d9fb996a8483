"""A conversation in the place of a prompt: the model reads it as its chat template writes it.

The contents of the turns are the text; what the template writes is to every kind of evidence what
special tokens are. An answer is a whole turn of the assistant's, written by the template too.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ...errors import CapabilityError, MaskError, ParameterError
from ...models.chat import Rendering, read_rendering, render_conversation
from ...models.model import Model, size_of_tokens
from ...text.alignment import Tokenised
from ...text.conversation import Conversation, Turn, read_conversation
from .prompt import Framed, framed
from .tails import PLAIN, Tail, first

_TAKEN = 256  # conversations of a file's rows that are known by their text
# Stands for each of a file's conversations where a question is put to all of them.
EACH = Conversation((Turn("user", "one word"),))


@dataclass(frozen=True, eq=False)
class Conversed(Framed):
    """A model that reads each text as the contents of a conversation.

    spoken: the conversation that it is asked about, without its answer. as_turn: whether what
    follows is a turn as the template writes it, else it stands right behind the begun turn. others:
    conversations that were taken up besides, by their text, the last ones of them.
    """

    spoken: Conversation | None = None
    as_turn: bool = False
    others: OrderedDict[str, Conversation] = field(default_factory=OrderedDict)

    def take(self, spoken: Conversation) -> None:
        """Take up another conversation, such as that of a file's next row."""
        self.others.pop(spoken.text, None)
        self.others[spoken.text] = spoken
        if len(self.others) > _TAKEN:
            self.others.popitem(last=False)

    def conversation(self, text: str) -> Conversation:
        """Return the conversation whose contents are `text`. Raises MaskError for another text."""
        found = self.others.get(text)
        if found is None and self.spoken is not None and self.spoken.text == text:
            found = self.spoken
        if found is None:
            raise MaskError(
                f"The text, which begins {text[:40]!r}, is not that of the conversation: make the "
                "mask of the conversation that the model is asked about."
            )
        return found

    def tokenise(self, text: str, longest: int | None = None) -> Tokenised:
        """Return the tokens of the rendering, those of the contents at characters of `text`.

        Raises ParameterError where it is longer than the model takes: a conversation is never cut.
        """
        own = self.conversation(text)
        key = ("conversation", own, self.tails[:1], self.as_turn)
        if (found := self.read.find(key, size_of_tokens)) is None:
            with self.lock:
                found = _prompt(self, own)
            self.read.put(key, found, size_of_tokens)
        most = min(self.readable, longest or self.readable)
        if len(found.input_ids) > most:
            raise self._too_long(own, len(found.input_ids), most)
        return found

    def _too_long(self, spoken: Conversation, count: int, most: int) -> ParameterError:
        """Return the error of a conversation of `count` tokens where `most` are read."""
        limit = f"{max(most, 0):,} are the limit"
        if most == self.readable < self.max_length:
            kept = self.max_length - self.readable
            limit += f" ({self.max_length:,} less {kept:,} that are kept for the answer)"
        step = "leave turns out" if spoken.begun[1:] else "shorten the text"
        # Where even one token of an answer has no place, fewer of them help nothing.
        if most == self.readable and self.room > 1 and count < self.max_length:
            step += f", or lower longest, which is {self.room}"
        return ParameterError(
            f"The conversation takes {count:,} tokens as the template of {self.name!r} writes it, "
            f"where {limit}: {step}."
        )


def conversed(
    model: Model,
    conversation: Conversation,
    continuations: Sequence[str] = (),
    *,
    tails: tuple[Tail, ...] = (),
    as_turn: bool = False,
    room: int = 0,
) -> Conversed:
    """Return the model that reads a conversation before the continuations, or before `tails`.

    Raises CapabilityError where the model has no chat template or writes nothing.
    """
    model.require("generate")
    tails = tails or _tails(model, conversation, continuations, as_turn)
    own = framed(model, PLAIN, tails, room=room)
    return Conversed(**{**vars(own), "spoken": conversation, "as_turn": as_turn})


def taken_up(model: Model, row: str) -> str:
    """Return what a model reads of a row: of one that reads conversations, that of the row's.

    A plain text is one turn of the user's.
    """
    if not isinstance(model, Conversed):
        return row
    spoken = read_conversation(row).prompt
    model.take(spoken)
    return spoken.text


def rendered(model: Model, conversation: Conversation) -> Rendering:
    """Return what a model reads before it answers: the assistant's turn is begun at its end."""
    return render_conversation(model.tokenizer, conversation, model.name, begin=True)


def answered(model: Model, conversation: Conversation, answer: str) -> Rendering:
    """Return a conversation with an answer as the template writes both.

    Where it leaves out something that the model reads when it answers itself (some drop the system
    prompt as soon as the assistant is last), the answer stands behind the begun turn instead.
    """
    whole = render_conversation(model.tokenizer, conversation.answering(answer), model.name)
    begun = rendered(model, conversation)
    if all(whole.holds(k) >= begun.holds(k) for k in range(len(conversation.pieces))):
        return whole
    return _behind(begun, answer)


def _behind(begun: Rendering, text: str) -> Rendering:
    """Return a rendering with a text right behind it, as a content of the assistant's."""
    start = len(begun.text)
    places = tuple(range(start, start + len(text)))
    return Rendering(
        begun.conversation.answering(text), begun.text + text, (*begun.places, places), begun.open
    )


def _joint(
    model: Model, conversation: Conversation, text: str, as_turn: bool
) -> tuple[Tokenised, int, int]:
    """Return the tokens of a conversation with what follows, and where that begins and ends."""
    if not text.strip():
        raise ParameterError(
            "A choice or answer is empty: write at least one word, such as 'positive'."
        )
    if as_turn:
        rendering = answered(model, conversation, text)
    else:
        rendering = _behind(rendered(model, conversation), text)
    with model.lock:
        read = read_rendering(model.tokenizer, rendering, model.name)
    start = rendering.conversation.pieces[-1].start
    own = [i for i, place in enumerate(read.offsets) if place and place[1] > start]
    own += [i for i, place in enumerate(read.typed) if place and place[1] > start]
    whole = "".join(rendering.conversation.text[start:].split())
    there = {c for i in own for c in range(*(read.offsets[i] or read.typed[i] or (0, 0)))}
    if len(there & set(_inked(rendering.conversation.text, start))) < len(whole):
        raise CapabilityError(
            f"The answer {text[:40]!r} does not stand in tokens of its own in what the chat "
            f"template of {model.name!r} makes of it: write it otherwise."
        )
    return read, min(own), max(own) + 1


def _inked(text: str, start: int) -> list[int]:
    return [i for i in range(start, len(text)) if not text[i].isspace()]


def _tails(
    model: Model, conversation: Conversation, continuations: Sequence[str], as_turn: bool
) -> tuple[Tail, ...]:
    """Return the continuations as tokens behind those that all of their prompts share."""
    found = [_joint(model, conversation, text, as_turn) for text in continuations]
    shared = _shared([read.input_ids[:split] for read, split, _ in found]) if found else 0
    return tuple(
        Tail(text, text, read.input_ids[shared:end], end - split, read.tokens[split:end])
        for text, (read, split, end) in zip(continuations, found, strict=True)
    )


def _shared(rows: Sequence[Sequence[int]]) -> int:
    """Return how many tokens all rows begin with."""
    count = min(map(len, rows))
    return next((i for i in range(count) if len({row[i] for row in rows}) > 1), count)


def _prompt(model: Conversed, conversation: Conversation) -> Tokenised:
    """Return the tokens that are read before the first of the tails."""
    tail = model.tails[0] if model.tails else None
    if tail is None or not tail.joined:
        rendering = rendered(model, conversation)
        return read_rendering(model.tokenizer, rendering, model.name)
    read, _, end = _joint(model, conversation, tail.text, model.as_turn)
    before = end - len(tail.ids)
    if read.input_ids[before:end] != tail.ids:
        raise ParameterError(
            f"{tail.text!r} has other tokens behind this conversation than behind the first one: "
            "ask about each of them by itself."
        )
    kept = first(read, before)
    return replace(kept, text=conversation.text)
