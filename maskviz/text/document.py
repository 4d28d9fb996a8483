"""A text with its words, sentences, entities and parts of speech, found when first asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from .conversation import Conversation
from .languages import Finding, checked_language, language_of, said
from .pipelines import Annotation, annotate, by_marks, pipeline_for
from .spacing import Spaced, spaced
from .span import Span
from .words import check_unicode, word_offsets


@dataclass(frozen=True)
class Document:
    """A text and what is in it, at character offsets.

    `words` needs no model; `sentences`, `entities` and `parts_of_speech` run a spaCy pipeline
    once: the one named by `pipeline`, or where that is the bundled English one, which is the
    default, the one of the text's language. Where none is installed sentences go by their marks,
    and there are no entities and parts of speech. `progress` gets the characters read and those
    there are while it reads a long text. `conversation` is that whose contents the text is, if
    any; `marked` what a person marked in it, None where nobody was asked. `spoken` is the language
    as the user gave it, by code or name; "": it is found. Raises TextError where the text is not
    valid Unicode, UnknownNameError for an unknown language.

    >>> [Document("Bob left.").text[w.start:w.end] for w in Document("Bob left.").words]
    ['Bob', 'left']
    """

    text: str
    pipeline: str = "en_mini"
    progress: Callable[[int, int], None] | None = field(default=None, compare=False, repr=False)
    conversation: Conversation | None = field(default=None, repr=False)
    marked: tuple[Span, ...] | None = field(default=None, repr=False)
    spoken: str = field(default_factory=said)

    def __post_init__(self) -> None:
        check_unicode(self.text)
        object.__setattr__(self, "spoken", checked_language(self.spoken))

    @classmethod
    def of(
        cls,
        conversation: Conversation,
        pipeline: str = "en_mini",
        spoken: str | None = None,
        *,
        marked: tuple[Span, ...] | None = None,
    ) -> Document:
        """Return the contents of a conversation."""
        language = said() if spoken is None else spoken
        return cls(
            conversation.text, pipeline, conversation=conversation, marked=marked, spoken=language
        )

    @cached_property
    def found(self) -> Finding:
        """The language of the text, and how it is known."""
        return language_of(self.text, self.spoken)

    @property
    def language(self) -> str | None:
        """The code of the text's language; None where it cannot be told."""
        return self.found.code

    @cached_property
    def read_by(self) -> str:
        """The name of the spaCy pipeline that reads the text, "" where its language has none."""
        return pipeline_for(self.pipeline, self.found)

    @cached_property
    def hash(self) -> str:
        """The SHA-256 of the text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def words(self) -> tuple[Span, ...]:
        """The words: maximal runs that are not space or punctuation."""
        return tuple(Span(start, end) for start, end in word_offsets(self.text, self.spoken))

    @cached_property
    def spaced(self) -> Spaced:
        """The text with one space between its words, as the pipeline and word lists read it."""
        return spaced(self.text)

    @property
    def sentences(self) -> tuple[Span, ...]:
        """The sentences, without the space around them."""
        return self._annotation.sentences

    @property
    def entities(self) -> tuple[Span, ...]:
        """The named entities, labelled PERSON, ORG, …"""
        return self._annotation.entities

    @property
    def parts_of_speech(self) -> tuple[Span, ...]:
        """The pipeline's tokens, labelled with universal part-of-speech tags."""
        return self._annotation.parts_of_speech

    @property
    def annotated(self) -> bool:
        """Whether the pipeline has read the text for this document already."""
        return "_annotation" in self.__dict__

    @cached_property
    def _annotation(self) -> Annotation:
        if self.read_by:
            return annotate(self.text, self.read_by, self.progress)
        return by_marks(self.spaced, self.language)
