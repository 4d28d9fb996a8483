"""Steps of a long work written down as they come: one that was killed goes on from there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from ..errors import DataError
from ..paths import write_atomic

_STEPS, _ASKED = "steps.jsonl", "asked.txt"


class Work(Protocol):
    """What is done in steps, each of which can be counted again from what was written."""

    def take(self, step: Any) -> None:
        """Count a step that an earlier try made."""

    def steps(self) -> Iterator[Any]:
        """Make the steps that are left; each is counted already."""


class Steps:
    """What each step found, a line of JSON each; one that was cut off in the middle is dropped."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a+b")

    def __enter__(self) -> Steps:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._file.close()

    def written(self) -> Iterator[dict[str, Any]]:
        """Yield the steps of an earlier try, the first one first."""
        self._file.seek(0)
        whole = 0
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            yield json.loads(line)
        self._file.truncate(whole)

    def add(self, step: Any) -> None:
        """Write a step, a dataclass; it is there when the process is killed now."""
        self._file.write(json.dumps(asdict(step)).encode() + b"\n")
        self._file.flush()


def going_on(work: Work, kind: Any, path: Path) -> Iterator[tuple[Any, bool]]:
    """Yield the steps that are written, counted, and then the others, with whether each is new."""
    with Steps(path) as steps:
        for written in steps.written():
            step = kind.from_dict(written)
            work.take(step)
            yield step, False
        for step in work.steps():
            steps.add(step)
            yield step, True


def kept(
    work: Work, kind: Any, folder: Path | str | None, asked: Mapping[str, Any]
) -> Iterator[Any]:
    """Yield all steps, those first that an earlier call of the same words left in `folder`.

    Once all are made the folder is empty again. Raises DataError where it keeps another call's.
    """
    if folder is None:
        yield from work.steps()
        return
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
        _same_call(place, asked)
        for step, _ in going_on(work, kind, place / _STEPS):
            yield step
    except OSError as error:
        raise DataError(
            f"Nothing can be kept in {str(place)!r} ({error.strerror}): name another folder."
        ) from None
    for name in (_STEPS, _ASKED):
        (place / name).unlink()


def _same_call(place: Path, asked: Mapping[str, Any]) -> None:
    """Write down what is asked, or hold it against what an earlier call was asked."""
    parts = {name: blake2b(repr(value).encode(), digest_size=8).hexdigest()
             for name, value in sorted(asked.items())}  # fmt: skip
    path = place / _ASKED
    if not path.exists():
        write_atomic(path, json.dumps(parts))
        return
    before = json.loads(path.read_text("utf-8"))
    other = [name for name in {**before, **parts} if before.get(name) != parts.get(name)]
    if other:
        raise DataError(
            f"{str(place)!r} keeps the steps of another call, with another {', '.join(other)}: "
            "ask the same again, or name another folder."
        )


def file_said(source: object) -> object:
    """Return what tells a file from what it was before: its path, size and last change."""
    if isinstance(source, bytes):
        return source
    path = Path(str(source)).expanduser()
    try:
        found = path.stat()
    except OSError:
        return str(path)
    return str(path.resolve()), found.st_size, found.st_mtime_ns
