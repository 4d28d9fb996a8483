"""Strategies by what spaCy finds: sentences, named entities, parts of speech."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

from ..errors import LanguageError, ParameterError, UnknownNameError
from ..text.document import Document
from ..text.languages import language_name
from ..text.pipelines import how_to_get
from ..text.span import Span
from .registry import Parameter, budget, capped, shuffled, strategy
from .spans import MaskSpan

_PIPELINE = frozenset({"pipeline"})
ENTITY_TYPES = ("PERSON", "ORG", "GPE", "LOC", "MISC")
# Pipelines differ in how they call and split the same things.
ALIASES = {"PER": {"PERSON"}, "GPE": {"GPE", "LOC"}, "LOC": {"LOC", "GPE", "FAC"}}
MEANINGS = {
    "PERSON": "name of a person",
    "ORG": "name of an organisation",
    "PER": "name of a person",
    "GPE": "name of a place",
    "LOC": "name of a place",
    "MISC": "name",
}
# fmt: off
POS_TAGS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN",
    "PUNCT", "SCONJ", "SYM", "VERB", "X",
)
# fmt: on


@strategy(
    "sentence",
    "budgeted",
    "Hides whole sentences, drawn at random or chosen by number.",
    default_ratio=0.3,
    needs=_PIPELINE,
    parameters=(
        Parameter("indices", "integers", (), "sentences by number, the first is 1; empty: draw"),
    ),
)
def sentences(
    document: Document, ratio: float, rng: random.Random, *, indices: Iterable[int] = ()
) -> Iterator[MaskSpan]:
    """Choose sentences; `ratio` is a share of sentences (gap sentences, Zhang et al. 2020)."""
    found = document.sentences
    if indices:
        for index in indices:
            if not 1 <= index <= len(found):
                raise ParameterError(
                    f"There is no sentence {index}: the text has {len(found)}, counted from 1."
                )
            yield _sentence(found, index - 1, "chosen")
        return
    for index in shuffled(range(len(found)), rng)[: budget(len(found), ratio)]:
        yield _sentence(found, index, "drawn at random")


def _sentence(found: tuple[Span, ...], index: int, how: str) -> MaskSpan:
    reason = f"sentence {index + 1} of {len(found)}, {how}"
    return MaskSpan(found[index].start, found[index].end, reason)


@strategy(
    "entity",
    "exhaustive",
    "Hides the names of people, places and organisations.",
    needs=_PIPELINE,
    parameters=(
        Parameter(
            "types", "choices", (), "entity types; empty: all that the pipeline finds", ENTITY_TYPES
        ),
        Parameter(
            "tagger", "text", "", "a token-classification model in the pipeline's place",
            folded=True,
        ),
    ),
)  # fmt: skip
def entities(
    document: Document,
    ratio: float | None,
    rng: random.Random,
    *,
    types: Iterable[str] = (),
    tagger: str = "",
) -> list[MaskSpan]:
    """Choose named entities of the given types, as a spaCy pipeline or a tagger finds them.

    Raises LanguageError where the text's language has no pipeline, UnknownNameError, ModelError.
    """
    if tagger:
        return capped(document, _tagged(document, types, tagger), ratio, rng)
    _require_pipeline(document, "entity")
    wanted = _wanted(types, document.read_by)
    hits = [_entity(e) for e in document.entities if not wanted or e.label in wanted]
    return capped(document, hits, ratio, rng)


def _tagged(document: Document, types: Iterable[str], tagger: str) -> list[MaskSpan]:
    """Return the names that a token-classification model finds, of the given types."""
    from .tagging import load_tagger, tagged

    known = load_tagger(tagger).types
    wanted = _of_types(types, known) or known
    return [
        MaskSpan(start, end, f"{kind}, {MEANINGS.get(kind, 'named entity')} (model)", p, kind)
        for start, end, kind, p in tagged(document.text, tagger)
        if kind in wanted
    ]


def _require_pipeline(document: Document, strategy: str) -> None:
    """Raise LanguageError where no pipeline reads the text's language."""
    if not document.read_by:
        raise LanguageError(
            f"The strategy {strategy!r} needs a spaCy pipeline of {_named(document)}, the language "
            f"of this text, and none is installed: {how_to_get(document.language)}, or say "
            "'language' if the text is in another."
        )


def _named(document: Document) -> str:
    return language_name(document.language) if document.language else "a language not told"


def _entity(entity: Span) -> MaskSpan:
    reason = f"{entity.label}, {MEANINGS.get(entity.label, 'named entity')}"
    return MaskSpan(entity.start, entity.end, reason, None, entity.label)


def _wanted(types: Iterable[str], pipeline: str) -> set[str]:
    from ..text.pipelines import load_pipeline

    types = list(types)
    return (
        _of_types(types, set(load_pipeline(pipeline).pipe_labels.get("ner", ())))
        if types
        else set()
    )


def _of_types(types: Iterable[str], labels: set[str]) -> set[str]:
    """Return the labels that types name, each also by what others call it. Raises UnknownNameError.

    >>> sorted(_of_types(["person"], {"PER", "LOC"}))
    ['PER']
    """
    wanted: set[str] = set()
    for name in (name.strip().upper() for name in types):
        others = ALIASES.get(name, set()) | {k for k, known in ALIASES.items() if name in known}
        same = {name} if name in labels else others & labels
        if not same:
            raise UnknownNameError.of("entity type", name, sorted(labels))
        wanted |= same
    return wanted


@strategy(
    "pos",
    "exhaustive",
    "Hides words by part of speech, such as all adjectives.",
    needs=_PIPELINE,
    parameters=(Parameter("tags", "choices", ("ADJ",), "universal part-of-speech tags", POS_TAGS),),
)
def parts_of_speech(
    document: Document, ratio: float | None, rng: random.Random, *, tags: Iterable[str] = ("ADJ",)
) -> list[MaskSpan]:
    """Choose tokens with the given universal part-of-speech tags (https://universaldependencies.org)."""
    wanted = {tag.strip().upper() for tag in tags}
    for tag in wanted - set(POS_TAGS):
        raise UnknownNameError.of("part of speech", tag, POS_TAGS)
    _require_pipeline(document, "pos")
    hits = [
        MaskSpan(t.start, t.end, f"part of speech {t.label}", None, t.label)
        for t in document.parts_of_speech
        if t.label in wanted
    ]
    return capped(document, hits, ratio, rng)
