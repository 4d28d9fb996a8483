"""spaCy pipelines: the bundled `en_mini`, or any that is installed."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from ..errors import MissingDependencyError, UnknownNameError
from ..paths import assets
from .ages import with_people
from .docs import borders, read
from .sentences import sentences_of
from .spacing import Spaced, spaced
from .span import Span

BUNDLED = "en_mini"
_PIECE = 50_000  # characters read at a time: a pipeline takes about 4 KB of memory for each
_KEPT = 512  # texts whose annotation is remembered
# A run of emoji is one token, as it is one word: a family of four joined by joiners is not seven.
_EMOJI = re.compile("[\u200d\u20e3\u2600-\u27bf\ufe0f\U0001f000-\U0001faff]+")
LOCK = threading.Lock()
_kept: OrderedDict[tuple[str, str], Any] = OrderedDict()


@dataclass(frozen=True)
class Annotation:
    """What a pipeline says of one text."""

    sentences: tuple[Span, ...]
    entities: tuple[Span, ...]
    parts_of_speech: tuple[Span, ...]


def pipeline_names() -> list[str]:
    """Return the pipelines that can be chosen: the bundled one first, then the installed ones."""
    from importlib.metadata import entry_points

    installed = sorted(point.name for point in entry_points(group="spacy_models"))
    return [BUNDLED, *(name for name in installed if name != BUNDLED)]


def load_pipeline(name: str = BUNDLED) -> Any:
    """Load a spaCy pipeline by name, once.

    Raises MissingDependencyError without spaCy, UnknownNameError where it is not installed.
    """
    return _loaded(name)  # a cache tells a default from the same name given


@lru_cache(maxsize=4)
def _loaded(name: str) -> Any:
    try:
        import spacy
        from spacy.language import Language
    except ImportError:
        raise MissingDependencyError(
            "Sentences, entities and parts of speech need spaCy: run 'pip install spacy', "
            "or choose a strategy such as random, span or pattern."
        ) from None
    if name not in pipeline_names():
        raise UnknownNameError.of("spaCy pipeline", name, pipeline_names())
    if name != BUNDLED:
        return spacy.load(name)
    from ..checksums import verify

    verify(assets() / BUNDLED)
    pipeline: Any = spacy.load(assets() / BUNDLED)
    Language.component("people_by_age", func=with_people)
    pipeline.add_pipe("people_by_age")
    pipeline.tokenizer.token_match = _EMOJI.fullmatch
    return pipeline


def annotate(
    text: str, name: str = BUNDLED, progress: Callable[[int, int], None] | None = None
) -> Annotation:
    """Run the pipeline over one text; the last 512 answers are kept.

    A text of any length: a long one is read in pieces that end with a line or a sentence, and
    `progress` gets the characters read and those there are after each.
    """
    with LOCK:  # a spaCy pipeline shares its vocabulary between threads
        if (text, name) not in _kept:
            keep(text, name, _in_pieces(text, load_pipeline(name), progress))
        _kept.move_to_end((text, name))
        return _kept[text, name]


def keep(text: str, name: str, found: Annotation) -> None:
    """Remember an annotation; the oldest of more than 512 is forgotten."""
    _kept[text, name] = found
    while len(_kept) > _KEPT:
        _kept.popitem(last=False)


def _in_pieces(
    text: str, pipeline: Any, progress: Callable[[int, int], None] | None = None
) -> Annotation:
    if not is_long(text):
        return annotation(read(pipeline, spaced(text)))
    parts: dict[str, list[Span]] = {field.name: [] for field in fields(Annotation)}
    for start, end in pieces_of(text):
        found = annotation(read(pipeline, spaced(text[start:end])))
        for name, spans in parts.items():
            moved = (Span(s.start + start, s.end + start, s.label) for s in getattr(found, name))
            spans.extend(moved)
        if progress:
            progress(end, len(text))
    return Annotation(**{name: tuple(spans) for name, spans in parts.items()})


def is_long(text: str) -> bool:
    """Tell whether a text is read in pieces."""
    return len(text) > _PIECE


def pieces_of(text: str) -> Iterator[tuple[int, int]]:
    """Yield the (start, end) of the pieces in which a pipeline reads a long text."""
    start = 0
    while start < len(text):
        end = _end_of_piece(text, start)
        yield start, end
        start = end


_ENDS = tuple(re.compile(mark) for mark in (r"\n", r"[.!?…。！？][\"'”’)\]]*\s", r"\s"))


def _end_of_piece(text: str, start: int) -> int:
    """Return where a piece ends: behind a line, else a sentence, else a word, of its second half.

    >>> _end_of_piece("Ann left.", 0)
    9
    """
    end = start + _PIECE
    if end >= len(text):
        return len(text)
    for mark in _ENDS:
        found = [match.end() for match in mark.finditer(text, start + _PIECE // 2, end)]
        if found:
            return found[-1]
    return end


def annotation(doc: Any) -> Annotation:
    """Turn a spaCy Doc into spans of characters of the text that it was made of."""
    text: Spaced = doc.user_data.get("spaced") or spaced(doc.text)

    def span(start: int, end: int, label: str = "") -> Span:
        return Span(*text.original(start, end), label)

    return Annotation(
        sentences=tuple(span(s.start_char, s.end_char) for s in sentences_of(doc, borders(doc))),
        entities=tuple(span(e.start_char, e.end_char, e.label_) for e in doc.ents),
        parts_of_speech=tuple(span(t.idx, t.idx + len(t), t.pos_) for t in doc if not t.is_space),
    )
