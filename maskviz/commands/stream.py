"""A file masked line by line: read, annotated and forgotten a few hundred lines at a time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import typer

from ..errors import DataError, LanguageError, TextError
from ..masks import Choice, Mask, mask
from ..masks.expression import needs
from ..text.document import Document
from ..text.pipelines import BUNDLED
from ..text.together import annotate_together
from . import common

_AT_ONCE = 256  # lines that the pipeline reads in one pass


def masked_lines(
    file: Path,
    strategy: str,
    ratio: float | None,
    seed: int,
    complement: bool,
    second: Choice | None = None,
    join: str = "or",
    **options: Any,
) -> Iterator[Mask]:
    """Yield the mask of each line, in order, so that line i of both files belong together.

    Line i takes the seed + i, a second strategy its own seed + i; a line without a word gets a
    mask that hides nothing, as does one in a language that the strategy does not know; how many
    those are goes to standard error at the end, and progress where a person sees it. Raises
    DataError where the file cannot be read.
    """
    given = common.mask_parameters(strategy, **options)
    pipeline = given.get("pipeline") or BUNDLED
    together = "pipeline" in (needs(strategy) | (second.needs if second else frozenset()))
    lines, unread = enumerate(_lines(file)), 0
    while chunk := list(islice(lines, _AT_ONCE)):
        documents = [(i, Document(line, pipeline)) for i, line in chunk]
        if together:
            annotate_together(document for _, document in documents if document.words)
        for i, document in documents:
            other = second and replace(second, seed=second.seed + i)
            try:
                yield mask(
                    document, strategy, ratio=ratio, seed=seed + i,
                    complement=complement, second=other, join=join, **given,
                )  # fmt: skip
            except TextError as error:
                unread += isinstance(error, LanguageError)
                if document.words and not isinstance(error, LanguageError):
                    raise
                yield Mask(document.text, (), strategy, seed=seed + i, requested_ratio=ratio)
    if unread:
        common.notify(
            f"Nothing is hidden in {unread:,} line{'s' * (unread > 1)} of which {strategy!r} does "
            "not know the language: choose another strategy for them, such as pattern."
        )


def _lines(file: Path) -> Iterator[str]:
    """Yield the lines, with a progress bar over the file's bytes."""
    try:
        with file.open("rb") as stream, _progress(file) as bar:
            for number, line in enumerate(stream):
                text = line.decode("utf-8-sig" if number == 0 else "utf-8", errors="replace")
                yield text.rstrip("\r\n")
                if bar is not None:
                    bar.update(len(line))
    except OSError as error:
        raise DataError(f"{str(file)!r} cannot be read: {error.strerror}.") from None


def _progress(file: Path) -> Any:
    """Return a bar for a person who sends the output elsewhere, else nothing."""
    if not sys.stderr.isatty() or sys.stdout.isatty():
        return nullcontext()
    return typer.progressbar(length=file.stat().st_size, label="masking", file=sys.stderr)
