"""A text with its words, sentences, entities and parts of speech, found when first asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from .conversation import Conversation
from .pipelines import Annotation, annotate
from .spacing import Spaced, spaced
from .span import Span
from .words import check_unicode, word_offsets


@dataclass(frozen=True)
class Document:
    """A text and what is in it, at character offsets.

    `words` needs no model; `sentences`, `entities` and `parts_of_speech` run the spaCy
    pipeline named by `pipeline` once; `progress` gets the characters read and those there are while
    it reads a long text. `conversation` is that whose contents the text is, if any; `marked` what a
    person marked in it, None where nobody was asked. Raises TextError where the text is not valid
    Unicode.

    >>> [Document("Bob left.").text[w.start:w.end] for w in Document("Bob left.").words]
    ['Bob', 'left']
    """

    text: str
    pipeline: str = "en_mini"
    progress: Callable[[int, int], None] | None = field(default=None, compare=False, repr=False)
    conversation: Conversation | None = field(default=None, repr=False)
    marked: tuple[Span, ...] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        check_unicode(self.text)

    @classmethod
    def of(
        cls,
        conversation: Conversation,
        pipeline: str = "en_mini",
        marked: tuple[Span, ...] | None = None,
    ) -> Document:
        """Return the contents of a conversation."""
        return cls(conversation.text, pipeline, conversation=conversation, marked=marked)

    @cached_property
    def hash(self) -> str:
        """The SHA-256 of the text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def words(self) -> tuple[Span, ...]:
        """The words: maximal runs that are not space or punctuation."""
        return tuple(Span(start, end) for start, end in word_offsets(self.text))

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
        return annotate(self.text, self.pipeline, self.progress)
