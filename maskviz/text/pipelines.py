"""spaCy pipelines: the bundled `en_mini`, or any that is installed."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import islice
from typing import Any, TypeVar

from ..errors import MissingDependencyError, TextError, UnknownNameError
from ..paths import assets
from .ages import with_people
from .document import Document, Span
from .sentences import sentences_of
from .spacing import Spaced, spaced
from .words import check_unicode

Row = TypeVar("Row")
BUNDLED = "en_mini"
_PIECE = 50_000  # characters read at a time: a pipeline takes about 4 KB of memory for each
_KEPT = 512  # texts whose annotation is remembered
_AT_ONCE = 512  # texts read before other threads have their turn
_EVERYDAY = 3.5  # Zipf frequency
_A_BATCH = 64  # texts in a batch of the pipeline: progress is seen batch by batch
# A run of emoji is one token, as it is one word: a family of four joined by joiners is not seven.
_EMOJI = re.compile("[\u200d\u20e3\u2600-\u27bf\ufe0f\U0001f000-\U0001faff]+")
_lock = threading.Lock()
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
    pipeline = spacy.load(assets() / BUNDLED)
    spacy.Language.component("people_by_age", func=with_people)
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
    with _lock:  # a spaCy pipeline shares its vocabulary between threads
        if (text, name) not in _kept:
            _keep(text, name, _in_pieces(text, load_pipeline(name), progress))
        _kept.move_to_end((text, name))
        return _kept[text, name]


def annotate_together(
    documents: Iterable[Document], progress: Callable[[int], None] | None = None
) -> None:
    """Annotate documents of one pipeline in one pass, two to three times as fast as one by one.

    `progress` gets the number of documents done after each. A text that is read in pieces is
    passed over, and read when it is asked.
    """
    documents = list(documents)
    new = [d for d in documents if not d.annotated and len(d.text) <= _PIECE]
    done = len(documents) - len(new)
    for start in range(0, len(new), _AT_ONCE):  # in between, other threads have their turn
        with _lock:
            done = _annotate_some(new[start : start + _AT_ONCE], done, progress)
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
    pipeline = load_pipeline(documents[0].pipeline)
    docs = pipeline.pipe([_made(pipeline, d.spaced) for d in documents], batch_size=_A_BATCH)
    for document, doc in zip(documents, docs, strict=True):
        found = annotation(named_by_words(doc))
        document.__dict__["_annotation"] = found  # where its own lazy property would keep it
        _keep(document.text, document.pipeline, found)
        done += 1
        if progress:
            progress(done)
    return done


def _keep(text: str, name: str, found: Annotation) -> None:
    _kept[text, name] = found
    while len(_kept) > _KEPT:
        _kept.popitem(last=False)


def _in_pieces(
    text: str, pipeline: Any, progress: Callable[[int, int], None] | None = None
) -> Annotation:
    if len(text) <= _PIECE:
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


def read(pipeline: Any, text: Spaced) -> Any:
    """Return the spaCy Doc of a text with one space between its words."""
    return named_by_words(pipeline(_made(pipeline, text)))


def named_by_words(doc: Any) -> Any:
    """Return a spaCy Doc without names that are none: marks alone, or what is said "@ noon"."""
    names = [name for name in doc.ents if any(map(str.isalnum, name.text)) and not _at(doc, name)]
    if len(names) < len(doc.ents):
        doc.ents = names
    return doc


def _at(doc: Any, name: Any) -> bool:
    """Tell whether a name is an everyday word behind an "@" that stands for "at"."""
    sign = doc[name.start - 1] if name.start else None
    if sign is None or sign.text != "@" or not sign.whitespace_ or not name.text.islower():
        return False
    from wordfreq import zipf_frequency

    return all(zipf_frequency(token.text, "en") >= _EVERYDAY for token in name)


def _made(pipeline: Any, text: Spaced) -> Any:
    """Return the tokens of a text; a paragraph that begins is known as a sentence's begin."""
    doc = pipeline.make_doc(text.text)
    doc.user_data["spaced"] = text
    for i in _borders(doc):
        doc[i].is_sent_start = True
    return doc


def _borders(doc: Any) -> list[int]:
    """Return the indices of the tokens with which a paragraph begins, the first one left out."""
    text = doc.user_data.get("spaced")
    if text is None or not text.borders:
        return []
    places = set(text.borders)
    return [token.i for token in doc if token.i and token.idx in places]


def annotation(doc: Any) -> Annotation:
    """Turn a spaCy Doc into spans of characters of the text that it was made of."""
    text = doc.user_data.get("spaced") or spaced(doc.text)
    found = sentences_of(doc, _borders(doc))
    return Annotation(
        sentences=tuple(Span(*text.original(s.start_char, s.end_char)) for s in found),
        entities=tuple(Span(*text.original(e.start_char, e.end_char), e.label_) for e in doc.ents),
        parts_of_speech=tuple(
            Span(*text.original(t.idx, t.idx + len(t)), t.pos_) for t in doc if not t.is_space
        ),
    )
