"""A conversation as a model's own chat template writes it, with the place of each content.

The template runs in transformers' sandbox, in a thread of its own that is stopped when its time is
over. What it does to the contents is found by `placing` and said.
"""

from __future__ import annotations

import ctypes
import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, TypeVar

from ...errors import CapabilityError
from ...text.conversation import Conversation, Piece
from .parts import FAILURES, messages_for
from .placing import ABSENT, Places, Unplaced, places_of

SECONDS = 20.0  # that a template may take for all renderings of one conversation
_SIZE = 20_000_000  # characters that it may write
T = TypeVar("T")


@dataclass(frozen=True)
class Rendering:
    """What a model reads of a conversation, and where its contents stand there.

    places: of each piece of the conversation, the place of each character in `text`; negative where
    it is not there. open: whether the assistant's next turn is begun at the end. date: of the day
    that the template was told, where it asks for one.
    """

    conversation: Conversation
    text: str
    places: tuple[Places, ...]
    open: bool
    date: str = ""

    @cached_property
    def owner(self) -> list[int]:
        """Return for each character of the rendering that of the contents' text, else -1."""
        found = [-1] * len(self.text)
        escapes = "\\" in self.text
        for piece, places in zip(self.conversation.pieces, self.places, strict=True):
            for i, place in enumerate(places, piece.start):
                if place >= 0:
                    found[place] = i
                    if escapes and self.text[place] == "\\":
                        self._escape(found, place, i)
        return found

    def _escape(self, found: list[int], place: int, character: int) -> None:
        """Give all of a sign that JSON writes with a backslash to its character."""
        said = json.dumps(self.conversation.text[character], ensure_ascii=False)[1:-1]
        if self.text.startswith(said, place):
            found[place : place + len(said)] = [character] * len(said)

    @cached_property
    def stretches(self) -> tuple[tuple[int, int] | None, ...]:
        """Where each piece begins and ends in the rendering, None where nothing of it is there."""
        own = [[place for place in places if place >= 0] for places in self.places]
        return tuple((min(p), max(p) + 1) if p else None for p in own)

    def holds(self, piece: int) -> float:
        """Return the share of a piece's characters, white space aside, that stand there."""
        own = len("".join(self.conversation.texts[piece].split()))
        return 1 - self.places[piece].count(ABSENT) / own if own else 1.0

    @cached_property
    def notices(self) -> tuple[str, ...]:
        """What the template does to the contents, a sentence each; empty where all stand there."""
        pieces = self.conversation.pieces
        gone = [pieces[k] for k in range(len(pieces)) if self.holds(k) == 0]
        cut = [pieces[k] for k in range(len(pieces)) if 0 < self.holds(k) < 1]
        return tuple(
            filter(
                None,
                (
                    _said("The model's template leaves out", gone, "the model does not read"),
                    _said("The model's template leaves out a part of", cut, "it does not read"),
                    self._moved(),
                ),
            )
        )

    def _moved(self) -> str:
        pieces = self.conversation.pieces
        there = [(s, p) for s, p in zip(self.stretches, pieces, strict=True) if s is not None]
        turns = [piece.turn for _, piece in sorted(there, key=lambda pair: pair[0])]
        if turns == sorted(turns):
            return ""
        order = list(dict.fromkeys(turns))
        return (
            "The model's template moves contents: the model reads turns "
            f"{_list([str(turn + 1) for turn in order])} in this order."
        )


def _said(what: str, pieces: Sequence[Piece], then: str) -> str:
    if not pieces:
        return ""
    named = [f"{_KINDS[p.kind]} of turn {p.turn + 1} ({p.role})" for p in pieces]
    shown = [*named[:4], f"{len(named) - 4} more"] if len(named) > 5 else named
    return f"{what} {_list(list(dict.fromkeys(shown)))}: {then} {'them' if named[1:] else 'it'}."


_KINDS = {"content": "the text", "thought": "the thought", "argument": "an argument"}


def _list(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def render_conversation(
    tokenizer: Any,
    conversation: Conversation,
    name: str,
    *,
    begin: bool = False,
    as_is: bool = False,
    day: datetime | None = None,
) -> Rendering:
    """Return a conversation as the tokenizer's own template writes it, its contents placed.

    name: of the model, for sentences. begin: whether the assistant's next turn is begun, in the
    place of empty ones at the end unless `as_is`. day: what a template that asks for the date is
    told, today where it is not given. Raises CapabilityError where there is no template, where it
    refuses the conversation or takes too long, and where a content cannot be placed.
    """
    template = template_of(tokenizer, conversation, name)
    opened = begin and not as_is
    said = replace(conversation, turns=conversation.begun) if opened else conversation
    asks = "strftime_now" in template
    day = day or datetime.now().astimezone()
    given = _of_one_day(template, day) if asks else {}

    def render(texts: Sequence[str]) -> str:
        return str(
            tokenizer.apply_chat_template(
                messages_for(tokenizer, template, said, texts),
                tools=json.loads(conversation.tools) if conversation.tools else None,
                tokenize=False,
                add_generation_prompt=begin,
                **given,
            )
        )

    def placed() -> tuple[str, tuple[Places, ...]]:
        return places_of(render, conversation.texts, _strings(template))

    try:
        text, places = _in_time(placed, name)
    except Unplaced as found:
        piece = conversation.pieces[found.text]
        how = "writes it twice" if found.twice else "changes it"
        raise CapabilityError(
            f"{_KINDS[piece.kind].capitalize()} of turn {piece.turn + 1} ({piece.role}) cannot be "
            f"found in what the chat template of {name!r} makes of the conversation, since the "
            f"template {how}: leave that turn out or write it otherwise."
        ) from None
    if len(text) > _SIZE:
        raise CapabilityError(
            f"The chat template of {name!r} writes {len(text):,} characters, where {_SIZE:,} are "
            "the limit: give fewer turns."
        )
    return Rendering(conversation, text, places, begin, f"{day:%Y-%m-%d}" if asks else "")


_FROZEN = "{%- macro strftime_now(format) -%}{{- frozen_days[format] -}}{%- endmacro %}"


def _of_one_day(template: str, day: datetime) -> dict[str, Any]:
    """Return a template that asks for the date with the answer to each format it names.

    Else two renderings of one conversation would differ by when they are made.
    """
    formats = [text for text in _strings(template) if "%" in text]
    own = "\n" + template if template.startswith("\n") else template
    return {
        "chat_template": _FROZEN + own,
        "frozen_days": {text: day.strftime(text) for text in formats},
    }


def template_of(tokenizer: Any, conversation: Conversation, name: str) -> str:
    """Return the template that a conversation is written by. Raises CapabilityError without one."""
    try:
        return str(tokenizer.get_chat_template(tools=conversation.tools or None))
    except (ValueError, AttributeError):
        raise CapabilityError(
            f"The model {name!r} has no chat template, so that it cannot read a conversation: "
            "choose a chat model, such as mini-chat, or give the text alone."
        ) from None


@lru_cache(maxsize=16)
def _strings(template: str) -> tuple[str, ...]:
    """Return the strings that a template names in its code."""
    from jinja2 import Environment, TemplateSyntaxError

    try:
        lexed = list(Environment(autoescape=True).lex(template))
    except TemplateSyntaxError:
        return ()
    raw = {value[1:-1] for _, kind, value in lexed if kind == "string"}
    read = {s.encode("ascii", "backslashreplace").decode("unicode-escape") for s in raw}
    return tuple(sorted({part for s in read for part in (s, s.strip()) if part}))


def _in_time(work: Callable[[], T], name: str) -> T:
    """Return `work()`, done in a thread that is stopped when the time is over."""
    from jinja2 import TemplateError

    begun: Future[int] = Future()

    def run() -> T:
        begun.set_result(threading.get_ident())
        return work()

    pool = ThreadPoolExecutor(1, "maskviz-template")
    try:
        return pool.submit(run).result(SECONDS)
    except TimeoutError:
        ident = ctypes.c_ulong(begun.result())
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(_Stopped))
        raise CapabilityError(
            f"The chat template of {name!r} takes more than {SECONDS:g} seconds for this "
            "conversation and was stopped: give fewer turns, or choose another model."
        ) from None
    except (TemplateError, MemoryError, *FAILURES) as error:
        said = " ".join(str(error).split())[:160].rstrip(".") or type(error).__name__
        raise CapabilityError(
            f"The chat template of {name!r} refuses this conversation ({said}): change its turns, "
            "or choose another model."
        ) from None
    finally:
        pool.shutdown(wait=False)


class _Stopped(BaseException):
    """Raised in a thread whose time is over."""
