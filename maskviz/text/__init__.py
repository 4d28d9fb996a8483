"""Text with its words, sentences, entities and parts of speech at character offsets."""

from .alignment import Tokenised, tokenise
from .document import Document
from .pipelines import load_pipeline, pipeline_names
from .span import Span

__all__ = [
    "Document",
    "Span",
    "Tokenised",
    "ages",
    "alignment",
    "beginning",
    "conversation",
    "docs",
    "document",
    "language",
    "languages",
    "listed",
    "load_pipeline",
    "marked",
    "marks",
    "percent",
    "pipeline_names",
    "pipelines",
    "remarks",
    "shelf",
    "spacing",
    "span",
    "specials",
    "together",
    "tokenise",
    "words",
]
