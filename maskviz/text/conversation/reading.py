"""Conversations as others write them: OpenAI's messages, ShareGPT, prompt and response, text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ...errors import DataError, TextError
from ..words import mended
from .conversation import Conversation
from .turn import ROLES, ToolCall, Turn

_ROLES = {
    "human": "user",
    "gpt": "assistant", "chatgpt": "assistant", "model": "assistant", "bot": "assistant",
    "function_call": "assistant",
    "observation": "tool", "function": "tool", "function_response": "tool", "ipython": "tool",
}  # fmt: skip
_PROMPTS, _ANSWERS = ("prompt", "instruction"), ("response", "completion", "answer", "output")
_NEXT = (
    "give OpenAI's 'messages', ShareGPT's 'conversations', 'prompt' and 'response', or plain text."
)
_JSON = re.compile(r'\s*[\[{].*"(?:role|from|messages|conversations|prompt|instruction)"\s*:', re.S)


def read_conversation(given: Any) -> Conversation:
    """Return the conversation of JSON, or of values read from it, in any of the usual forms.

    Text that is not JSON is one turn of the user's. Raises DataError for JSON that is cut or holds
    no conversation.

    >>> read_conversation('[{"role": "user", "content": "Hi"}]').turns[0].role
    'user'
    """
    if isinstance(given, Conversation):
        return given
    if isinstance(given, str | bytes):
        given = _value_of(given)
    if isinstance(given, str):
        return Conversation((Turn("user", given),))
    value = mended(json.loads(_dumped(given)))
    return Conversation(tuple(_turns(value)), _tools(value))


def holds_turns(cell: Any) -> bool:
    """Tell whether a cell of a table is a conversation, as JSON or as values, and no plain text.

    >>> holds_turns('[{"role": "user", "content": "Hi"}]'), holds_turns("[sic] Hi")
    (True, False)
    """
    if isinstance(cell, str) and not _JSON.match(cell):
        return False
    if not isinstance(cell, str | list | dict) and not hasattr(cell, "tolist"):
        return False
    try:
        return read_conversation(cell).turns != (Turn("user", str(cell)),)
    except (DataError, TextError):
        return False


def spoken_with(document: str | bytes) -> Conversation | None:
    """Return the conversation that a mask's JSON holds beside the mask, None where it holds none.

    >>> spoken_with('{"spans": [], "conversation": {"prompt": "Hi"}}').text
    'Hi'
    """
    try:
        found = json.loads(document)
    except (ValueError, RecursionError):
        return None  # whoever reads the mask says so
    said = found.get("conversation") if isinstance(found, dict) else None
    return read_conversation(said) if said else None


def _dumped(value: Any) -> str:
    """Return values as JSON: what rows of tables hold (arrays, tuples) becomes lists."""

    def plain(item: Any) -> Any:
        if hasattr(item, "tolist"):
            return item.tolist()
        raise DataError(f"A conversation cannot hold a {type(item).__name__}: {_NEXT}")

    return json.dumps(value, default=plain)


def _value_of(said: str | bytes) -> Any:
    try:
        text = said.decode("utf-8-sig") if isinstance(said, bytes) else said
    except UnicodeDecodeError:
        raise DataError("The conversation is not UTF-8: save it as UTF-8 and try again.") from None
    if text.lstrip()[:1] not in ("[", "{"):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        if _several(text):
            raise DataError(
                "Behind the first JSON document stand others: give one conversation, or, where "
                "many are taken, a file of JSON Lines."
            ) from None
        if not _JSON.match(text):
            return text  # begins with a bracket and is none the less plain
        where = f" at character {error.pos:,}" if isinstance(error, json.JSONDecodeError) else ""
        raise DataError(
            f"The conversation's JSON is broken{where} of {len(text):,}: it may be cut, so copy it "
            "whole."
        ) from None
    return value if isinstance(value, dict | list) else text


def _several(text: str) -> bool:
    """Tell whether a text begins with a whole JSON object, or list of objects, and goes on."""
    try:
        first, _ = json.JSONDecoder().raw_decode(text.lstrip())
    except (ValueError, RecursionError):
        return False
    return bool(first) and all(isinstance(item, dict) for item in _items(first))


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _turns(value: Any) -> list[Turn]:
    if isinstance(value, dict) and len(value) == 1 and isinstance(next(iter(value.values())), dict):
        value = next(iter(value.values()))
    if isinstance(value, list):
        return [_turn(item, i) for i, item in enumerate(value, 1)]
    if isinstance(value, dict):
        for name in ("messages", "conversations", "conversation", "chat"):
            if isinstance(value.get(name), list):
                system = value.get("system")
                first = [Turn("system", system)] if isinstance(system, str) and system else []
                return [*first, *(_turn(item, i) for i, item in enumerate(value[name], 1))]
        return _of_prompt(value)
    raise DataError(f"The JSON holds a {type(value).__name__}, not a conversation: {_NEXT}")


def _of_prompt(value: Mapping[str, Any]) -> list[Turn]:
    """Read a prompt and its response, each a text or a list of messages."""
    prompt = next((value[name] for name in _PROMPTS if value.get(name)), None)
    if prompt is None:
        raise DataError(
            f"The JSON holds {', '.join(map(str, value))[:60] or 'nothing'}, not a conversation: "
            f"{_NEXT}"
        )
    answer = next((value[name] for name in _ANSWERS if value.get(name)), None)
    system = value.get("system")
    if isinstance(prompt, str) and isinstance(value.get("input"), str) and value["input"]:
        prompt = f"{prompt}\n\n{value['input']}"
    return [
        *([Turn("system", system)] if isinstance(system, str) and system else []),
        *_part(prompt, "user"),
        *([] if answer is None else _part(answer, "assistant")),
    ]


def _part(said: Any, role: str) -> list[Turn]:
    if isinstance(said, list):
        return [_turn(item, i) for i, item in enumerate(said, 1)]
    return [Turn(role, _content(said, role))]


def _turn(item: Any, number: int) -> Turn:
    if not isinstance(item, dict) or not ("role" in item or "from" in item):
        raise DataError(
            f"Turn {number} is {json.dumps(item, ensure_ascii=False)[:60]} and has no role: write "
            'it as {"role": "user", "content": "…"}.'
        )
    said = str(item["role"] if "role" in item else item["from"]).strip()
    role = _ROLES.get(said.lower(), said.lower())
    if role not in ROLES:
        raise DataError(
            f"Turn {number} has the role {said[:40]!r}: the roles are {', '.join(ROLES)}."
        )
    content = item.get("content", item.get("value"))
    if said.lower() == "function_call":
        return Turn("assistant", calls=_called(content, number))
    thought = next(
        (item[k] for k in ("reasoning_content", "thinking", "reasoning") if item.get(k)), ""
    )
    calls = item.get("tool_calls") or ([item["function_call"]] if item.get("function_call") else [])
    if content is None and not calls and not thought:
        raise DataError(f"Turn {number} has no 'content': write what the {role} says.")
    if calls and role != "assistant":
        raise DataError(f"Turn {number} calls a tool as {role}: only the assistant calls tools.")
    return Turn(
        role,
        _content(content, f"turn {number}"),
        _content(thought, f"turn {number}"),
        tuple(call for one in calls for call in _called(one, number)),
        str(item.get("name") or ""),
        str(item.get("tool_call_id") or ""),
    )


def _content(said: Any, where: str) -> str:
    """Return a content as text; a list of parts is joined where all of them are text."""
    if said is None:
        return ""
    if isinstance(said, str):
        return said
    if isinstance(said, list):
        parts = [part.get("text") if isinstance(part, dict) else part for part in said]
        texts = [part for part in parts if isinstance(part, str)]
        if len(texts) == len(parts):
            return "".join(texts)
        kinds = sorted({_kind(p) for p, text in zip(said, parts, strict=True) if not text})
        raise DataError(
            f"The content of {where} holds {', '.join(kinds)[:60]}: only text can be read, so "
            "leave the other parts out."
        )
    if isinstance(said, dict | int | float):  # a tool's result as a value
        return json.dumps(said, ensure_ascii=False)
    raise DataError(f"The content of {where} is {said!r:.40} and must be a text.")


def _kind(part: Any) -> str:
    return str(part.get("type", "a part without text") if isinstance(part, dict) else part)


def _called(said: Any, number: int) -> tuple[ToolCall, ...]:
    """Read one tool call as OpenAI, ShareGPT and transformers write it."""
    if isinstance(said, str):
        said = _loaded(said)
    if isinstance(said, list):
        return tuple(call for one in said for call in _called(one, number))
    own = said.get("function", said) if isinstance(said, dict) else None
    if not isinstance(own, dict) or not isinstance(own.get("name"), str):
        raise DataError(
            f"Turn {number} calls a tool without a name: write the call as "
            '{"function": {"name": "…", "arguments": {…}}}.'
        )
    arguments = own.get("arguments", own.get("parameters", {}))
    if isinstance(arguments, str):
        loaded = _loaded(arguments)
        arguments = loaded if isinstance(loaded, dict) else arguments
    return (
        ToolCall(
            own["name"],
            json.dumps({} if arguments is None else arguments, ensure_ascii=False),
            str(said.get("id") or ""),
        ),
    )


def _loaded(said: str) -> Any:
    try:
        return json.loads(said)
    except (ValueError, RecursionError):
        return said


def _tools(value: Any) -> str:
    tools = value.get("tools") if isinstance(value, dict) else None
    if isinstance(tools, str):
        tools = _loaded(tools)
    if not tools:
        return ""
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise DataError("The conversation's 'tools' are no list of definitions: give JSON schemas.")
    return json.dumps(tools, ensure_ascii=False)
