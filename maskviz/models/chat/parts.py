"""Messages as a template takes them: contents as strings, or as the lists of parts that some want.

Templates of models that also see pictures may read `[{"type": "text", "text": …}]` alone: a string
they leave out without a word (Idefics3, SmolVLM), or refuse (LLaVA-NeXT).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from ...text.conversation import Conversation, Turn

FAILURES = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError)
_ASKED = Conversation((Turn("user", "Qasked"),))


def messages_for(
    tokenizer: Any, template: str, conversation: Conversation, texts: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """Return the messages that this template reads; `texts` stand in the place of the pieces' own.

    >>> messages_for(None, "", Conversation((Turn("user", "Hello"),)))
    [{'role': 'user', 'content': 'Hello'}]
    """
    said = conversation.messages(texts)
    return _in_parts(said) if _takes_parts(tokenizer, template) else said


def _in_parts(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {**said, "content": [{"type": "text", "text": said.get("content") or ""}]}
        for said in messages
    ]


@lru_cache(maxsize=16)
def _takes_parts(tokenizer: Any, template: str) -> bool:
    """Tell whether a template shows what somebody asks where it is a part, and only there."""
    said = _ASKED.messages()

    def shows(messages: Sequence[Mapping[str, Any]]) -> bool:
        from jinja2 import TemplateError

        try:
            written = tokenizer.apply_chat_template(
                messages, chat_template=template, tokenize=False
            )
        except (TemplateError, *FAILURES):
            return False
        return _ASKED.text in str(written)

    return not shows(said) and shows(_in_parts(said))
