"""What of a rendering is the model's own to write: each turn of the assistant's, to its end mark.

A turn begins where the model takes over: behind what the generation prompt of the turns before
supplies, compared with the rendering mark by mark. It ends with the template's end mark, which is
found by probes: a question and its answer, alone and followed by another question. Nothing is read
off a template's text, and no `{% generation %}` marks are needed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import takewhile
from typing import Any

from ...errors import CapabilityError, DataError
from ...text.conversation import Conversation, ToolCall, Turn
from .parts import FAILURES, messages_for
from .rendering import Rendering, render_conversation, template_of

OWN = "assistant"
_ASKED, _ANSWERED = Turn("user", "Qasked"), Turn(OWN, "Qanswered")
_AGAIN = Turn("user", "Qagain")
_CALLS = Turn(OWN, calls=(ToolCall("look", '{"name": "Qcalled"}', "call00001"),))
_RESULT = Turn("tool", "Qresult", name="look", call_id="call00001")


@dataclass(frozen=True)
class Stretch:
    """What the model writes of one turn: characters of the rendering.

    start: behind what its generation prompt supplies; mark: where its end mark begins; end: behind
    that. Where the template writes no end mark, mark and end are the same.
    """

    turn: int
    start: int
    mark: int
    end: int


def own_stretches(tokenizer: Any, rendering: Rendering, name: str) -> tuple[Stretch, ...]:
    """Return what the model writes of each turn of the assistant's, in order.

    name: of the model, for sentences. Raises CapabilityError where a turn cannot be told apart
    from what others say.
    """
    turns = rendering.conversation.turns
    found = _Turns(tokenizer, rendering, name)
    return tuple(found.stretch(k) for k, turn in enumerate(turns) if turn.role == OWN)


def end_marks(tokenizer: Any, name: str) -> tuple[str, ...]:
    """Return what the template writes behind an answer or a call, for the model to stop there.

    Empty where it writes none.
    """
    return _end_marks(tokenizer, name, str(tokenizer.chat_template))


def special_marks(tokenizer: Any) -> tuple[str, ...]:
    """Return what a tokenizer reads as a mark, as it is written; the longest first."""
    added = getattr(tokenizer, "added_tokens_decoder", {})
    said = {*tokenizer.all_special_tokens, *(t.content for t in added.values() if t.special)}
    return tuple(sorted(filter(None, said), key=lambda mark: (-len(mark), mark)))


def units(text: str, marks: Sequence[str]) -> list[str]:
    """Return a text as its characters, a mark being one of them.

    >>> units("a<s>b", ["<s>"])
    ['a', '<s>', 'b']
    """
    return re.findall("|".join([*map(re.escape, marks), "."]), text, re.DOTALL)


def alike(a: Iterable[str], b: Iterable[str]) -> list[str]:
    """Return the units that two texts begin with alike."""
    pairs = zip(a, b, strict=False)
    return [left for left, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)]


class _Turns:
    """A rendering by its turns: turn_of holds that of each character, −1 of the template's own."""

    def __init__(self, tokenizer: Any, rendering: Rendering, name: str) -> None:
        self.tokenizer, self.rendering, self.name = tokenizer, rendering, name
        self.marks, self.ends = special_marks(tokenizer), end_marks(tokenizer, name)
        self.turn_of = turns_of(rendering)

    def stretch(self, number: int) -> Stretch:
        own = [p for p, turn in enumerate(self.turn_of) if turn == number]
        start = self._start(number, own[0] if own else None)
        behind = own[-1] + 1 if own else start
        mark, end = self._end(number, max(start, behind))
        if start > behind or any(t not in (-1, number) for t in self.turn_of[start:end]):
            raise CapabilityError(
                f"What the chat template of {self.name!r} makes of turn {number + 1} is mixed with "
                "what others say, so that it cannot be learned by itself: leave the turn out, or "
                "write the text beside a tool's call as a turn of its own."
            )
        return Stretch(number, start, mark, end)

    def _start(self, number: int, first: int | None) -> int:
        """Return where the model takes over: never inside a content, unless the prompt leads there.

        first: the place of the turn's first own character.
        """
        whole, text = self.rendering.conversation, self.rendering.text
        try:
            before = replace(whole, turns=whole.turns[:number])
        except DataError:  # nothing is said before
            return first or 0
        prompt = self._prompt_text(before)
        if prompt is not None and text.startswith(prompt):
            return len(prompt)
        begun = render_conversation(self.tokenizer, before, self.name, begin=True, as_is=True)
        behind, there = self._shared_place(begun)
        supplied = units(begun.text[behind:], self.marks)
        same = alike(supplied, units(text[there:], self.marks))
        start = there + sum(map(len, same))
        return min(start, start if first is None or len(same) == len(supplied) else first)

    def _prompt_text(self, before: Conversation) -> str | None:
        """Return what the turns before give with the next one begun; None where it is refused."""
        from jinja2 import TemplateError

        try:
            template = template_of(self.tokenizer, before, self.name)
            return str(
                self.tokenizer.apply_chat_template(
                    messages_for(self.tokenizer, template, before),
                    tools=json.loads(before.tools) if before.tools else None,
                    tokenize=False,
                    add_generation_prompt=True,
                )
            )
        except (TemplateError, *FAILURES):
            return None

    def _shared_place(self, begun: Rendering) -> tuple[int, int]:
        """Return what stands behind the last character that is placed in both renderings."""
        there = {i: place for place, i in enumerate(self.rendering.owner) if i >= 0}
        both = [(p + 1, there[i] + 1) for p, i in enumerate(begun.owner) if i in there]
        return both[-1] if both else (0, 0)

    def _end(self, number: int, behind: int) -> tuple[int, int]:
        """Return where the first end mark begins and ends before another's next character."""
        following = next(
            (p for p in range(behind, len(self.turn_of)) if self.turn_of[p] not in (-1, number)),
            len(self.turn_of),
        )
        text = self.rendering.text[:following]
        found = [(at, at + len(m)) for m in self.ends if (at := text.find(m, behind)) >= 0]
        return min(found, default=(behind, behind))


def turns_of(rendering: Rendering) -> list[int]:
    """Return for each character of a rendering the number of its turn, −1 of the template's own."""
    turns = [-1] * (len(rendering.conversation.text) + 1)
    for piece in rendering.conversation.pieces:
        turns[piece.start : piece.end] = [piece.turn] * (piece.end - piece.start)
    return [turns[i] for i in rendering.owner]  # the last one stands for −1


# end marks --------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _end_marks(tokenizer: Any, name: str, _template: str) -> tuple[str, ...]:
    marks = special_marks(tokenizer)

    def probe(*turns: Turn) -> Rendering:
        return render_conversation(tokenizer, Conversation(turns), name)

    last, followed = _behind(probe(_ASKED, _ANSWERED)), probe(_ASKED, _ANSWERED, _AGAIN)
    answers = _ends(last, _behind(followed), followed, marks, str(tokenizer.eos_token or ""))
    try:
        called = [_behind(probe(_ASKED, _CALLS, *more)) for more in ((), (_RESULT,))]
    except CapabilityError:  # it takes no calls
        called = ["", ""]
    if not any(mark and mark in called[1] for mark in answers):
        both = alike(*(units(tail, marks) for tail in called))
        own = [unit for unit in both if unit in set(marks)]
        answers.append(own[-1] if own else _first_mark(called[1], marks))
    return tuple(dict.fromkeys(filter(None, answers)))


def _ends(last: str, tail: str, followed: Rendering, marks: Sequence[str], eos: str) -> list[str]:
    """Return the end marks of an answer, from what stands behind it alone and when it is followed.

    The same mark where both begin alike: to the last eos in it, or all that stands behind the last
    answer; else what they share before the next turn's header; else a mark of each.
    """
    shared = "".join(alike(units(last, marks), units(tail, marks)))
    if eos and eos in shared:
        return [shared[: shared.rindex(eos) + len(eos)].lstrip()]
    if shared.strip() and shared.strip() == last.strip():
        return [shared.strip()]
    own = _without_header(tail, followed, marks)
    if not own and _first_mark(last, marks):  # a system prompt may end as an answer does
        own = tail
    both = "".join(alike(units(last, marks), units(own, marks))).strip()
    return [both] if both else [_first_mark(text, marks) for text in (last, own)]


def _behind(rendering: Rendering, turn: int = 1) -> str:
    """Return what the template writes behind what a turn says, up to the next one."""
    turns = turns_of(rendering)
    last = max((p for p, t in enumerate(turns) if t == turn), default=-1)
    if last < 0:
        return ""
    following = next((p for p in range(last + 1, len(turns)) if turns[p] >= 0), len(turns))
    return rendering.text[last + 1 : following]


def _without_header(tail: str, rendering: Rendering, marks: Sequence[str]) -> str:
    """Return what stands before the next turn without what stands before the first one, too."""
    first = next((p for p, i in enumerate(rendering.owner) if i >= 0), 0)
    header = alike(reversed(units(tail, marks)), reversed(units(rendering.text[:first], marks)))
    return tail[: len(tail) - sum(map(len, header))]


def _first_mark(text: str, marks: Sequence[str]) -> str:
    known = set(marks)
    return next((unit for unit in units(text, marks) if unit in known), "")
