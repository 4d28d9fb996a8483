"""What a check finds of an architecture: right, refused in one sentence, wrong, or a crash."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

NONE, RIGHT, REFUSED, CRASH, WRONG = MARKS = ("none", "right", "refused", "crash", "wrong")
SECONDS = 90


class Wrong(Exception):
    """What maskviz answers is not what the reference does."""


class NoReference(Exception):
    """The reference itself has nothing to compare with."""


class TooLong(Exception):
    """A check takes longer than anyone would wait."""


def must(holds: Any, why: str) -> None:
    """Raise Wrong, with what was found, unless it holds."""
    if not holds:
        raise Wrong(why)


def own(work: Callable[[], Any]) -> Any:
    """Return what a pass of the reference gives; raise NoReference where it fails by itself."""
    try:
        return work()
    except (TooLong, NoReference):
        raise
    except Exception as error:
        raise NoReference(f"{type(error).__name__}: {str(error)[:120]}") from error


@dataclass
class Report:
    """The marks of an architecture's checks, the worst of each, and what was said."""

    marks: dict[str, str] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)

    def note(self, check: str, mark: str, said: str = "") -> None:
        """Note a mark, where it is worse than the one before."""
        if MARKS.index(mark) >= MARKS.index(self.marks.get(check, NONE)):
            self.marks[check] = mark
        if said:
            self.notes.setdefault(check, []).append(" ".join(said.split())[:300])


def guarded(report: Report, check: str, work: Callable[[], Any]) -> Any:
    """Run a check and note how it ends; return what it gives, None where it does not end right."""
    from maskviz.errors import MaskvizError

    try:
        with limited():
            found = work()
    except MaskvizError as error:
        report.note(check, REFUSED, str(error))
    except NoReference as error:
        report.note(check, NONE, str(error))
    except Wrong as error:
        report.note(check, WRONG, str(error))
    except Exception as error:  # noqa: BLE001 - whatever an architecture raises is the finding
        report.note(check, CRASH, f"{type(error).__name__}: {str(error)[:140]} {_where(error)}")
    else:
        report.note(check, RIGHT)
        return found
    return None


def _where(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{one.filename.rsplit('/', 2)[-1]}:{one.lineno}" for one in frames[-3:]]
    return f"[{' > '.join(places)}]"


@contextmanager
def limited(seconds: int = SECONDS) -> Iterator[None]:
    """Raise TooLong where the block takes more than so many seconds."""

    def late(*_: Any) -> None:
        raise TooLong(f"took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
