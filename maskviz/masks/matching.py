"""Regular expressions over a text, within a time limit."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from ..errors import ParameterError

_SECONDS = 2.0  # a pattern that backtracks for longer would freeze the page


def find_all(expression: str, text: str, flags: int = 0) -> Iterator[tuple[int, int]]:
    """Yield the (start, end) of each match that is not empty, within two seconds in all."""
    import regex

    try:
        for match in _compiled(expression, flags).finditer(text, timeout=_SECONDS):
            if match.end() > match.start():
                yield match.span()
    except regex.error as error:
        why = error.msg  # type: ignore[attr-defined]  # the stubs leave it out
        raise ParameterError(
            f"The pattern {expression[:60]!r} is not a regular expression ({why}): "
            "correct it, or write the words into the word list."
        ) from None
    except TimeoutError:
        raise ParameterError(
            f"The pattern {expression[:60]!r} took longer than {_SECONDS:.0f} s on this text: "
            "make it simpler, without nested repetitions."
        ) from None


@lru_cache(maxsize=2048)
def _compiled(expression: str, flags: int) -> Any:
    """Compile once: the package keeps 500, and the lists of a few languages are more."""
    import regex

    return regex.compile(expression, flags)
