"""The language that the user gave, for all that reads a text after it.

Like the precision of `decimal`, it holds for the thread that says it: a command says it once, a
page each time it runs, and a run's workers by the spec that they are given.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from .known import checked_language

_SAID: ContextVar[str] = ContextVar("language", default="")


def said() -> str:
    """Return the code of the language that was given, "" where it is to be found."""
    return _SAID.get()


def say(language: str | None) -> None:
    """Take texts to be in a language from now on; "" or None: each in the one it is found to be in.

    Raises UnknownNameError.
    """
    _SAID.set(checked_language(language or ""))


@contextmanager
def saying(language: str | None) -> Iterator[None]:
    """Take texts to be in a language inside a `with` block.

    >>> with saying("Japanese"):
    ...     said()
    'ja'
    """
    token = _SAID.set(checked_language(language or ""))
    try:
        yield
    finally:
        _SAID.reset(token)
