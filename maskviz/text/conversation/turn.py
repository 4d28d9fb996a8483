"""A turn of a conversation: who speaks, what is said, what is thought, which tools are called."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

ROLES = ("system", "developer", "user", "assistant", "tool")


@dataclass(frozen=True)
class ToolCall:
    """A call of a tool by the assistant; `arguments` is JSON, of an object wherever it is one."""

    name: str
    arguments: str = "{}"
    id: str = ""

    def value(self, texts: Callable[[str], str] = str) -> Any:
        """Return the arguments, each text among their values passed through `texts` in order."""
        return _mapped(json.loads(self.arguments), texts)

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts among the values, in order.

        >>> ToolCall("weather", '{"city": "Rome", "days": 2}').texts
        ('Rome',)
        """
        return tuple(_texts(json.loads(self.arguments)))


@dataclass(frozen=True)
class Turn:
    """One turn.

    thought: what a model thinks before it answers (`reasoning_content`). call_id: of a tool's
    result, the id of its call. name: of who speaks, or of the tool.
    """

    role: str
    content: str = ""
    thought: str = ""
    calls: tuple[ToolCall, ...] = ()
    name: str = ""
    call_id: str = ""

    @property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """What is said in it as (kind, text), empty ones left out: thought, content, arguments."""
        found = [("thought", self.thought), ("content", self.content)]
        found += [("argument", text) for call in self.calls for text in call.texts]
        return tuple((kind, text) for kind, text in found if text)

    def message(self, texts: Iterator[str] | None = None) -> dict[str, Any]:
        """Return the turn as OpenAI's message; `texts` stand in the place of its own, in order."""

        def own(text: str) -> str:
            return next(texts) if texts is not None and text else text

        said: dict[str, Any] = {"role": self.role}
        thought, content = own(self.thought), own(self.content)
        said["content"] = content
        if thought:
            said["reasoning_content"] = thought
        if self.calls:
            said["tool_calls"] = [_call(call, own) for call in self.calls]
        if self.call_id:
            said["tool_call_id"] = self.call_id
        if self.name:
            said["name"] = self.name
        return said


def _call(call: ToolCall, own: Callable[[str], str]) -> dict[str, Any]:
    said = {"type": "function", "function": {"name": call.name, "arguments": call.value(own)}}
    return {**said, "id": call.id} if call.id else said


def _mapped(value: Any, texts: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return texts(value)
    if isinstance(value, list):
        return [_mapped(item, texts) for item in value]
    if isinstance(value, dict):
        return {key: _mapped(item, texts) for key, item in value.items()}
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
