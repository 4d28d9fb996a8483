"""Many documents read by a pipeline in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from ..errors import TextError
from .docs import made, named_by_words
from .document import Document
from .pipelines import LOCK, annotation, is_long, keep, load_pipeline
from .words import check_unicode

Row = TypeVar("Row")
_AT_ONCE = 512  # texts read before other threads have their turn
_A_BATCH = 64  # texts in a batch of the pipeline: progress is seen batch by batch


def annotate_together(
    documents: Iterable[Document], progress: Callable[[int], None] | None = None
) -> None:
    """Annotate documents in one pass a pipeline, two to three times as fast as one by one.

    `progress` gets the number of documents done after each. A text that is read in pieces is
    passed over, as is one whose language has no pipeline, and read when it is asked.
    """
    documents = list(documents)
    new = [d for d in documents if not d.annotated and not is_long(d.text) and d.read_by]
    done = len(documents) - len(new)
    for name in dict.fromkeys(d.read_by for d in new):
        own = [d for d in new if d.read_by == name]
        for start in range(0, len(own), _AT_ONCE):  # in between, other threads have their turn
            with LOCK:
                done = _annotate_some(own[start : start + _AT_ONCE], done, progress)
    if progress and not new:
        progress(done)


def annotated(
    rows: Iterable[Row], text_of: Callable[[Row], str], names: Iterable[str], at_once: int = 64
) -> Iterator[Row]:
    """Yield rows as they come, their texts annotated by the named pipelines some way ahead."""
    rows, names = iter(rows), sorted(names)
    while chunk := list(islice(rows, at_once)):
        for name in names:
            annotate_together(
                Document(text, name)
                for text in map(text_of, chunk)
                if text.isascii() or _valid(text)
            )
        yield from chunk


def _valid(text: str) -> bool:
    try:
        check_unicode(text)
    except TextError:  # whoever masks this row says so
        return False
    return True


def _annotate_some(
    documents: list[Document], done: int, progress: Callable[[int], None] | None
) -> int:
    pipeline = load_pipeline(documents[0].read_by)
    docs = pipeline.pipe([made(pipeline, d.spaced) for d in documents], batch_size=_A_BATCH)
    for document, doc in zip(documents, docs, strict=True):
        found = annotation(named_by_words(doc))
        document.__dict__["_annotation"] = found  # where its own lazy property would keep it
        keep(document.text, document.read_by, found)
        done += 1
        if progress:
            progress(done)
    return done
