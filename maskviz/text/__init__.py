"""Text with its words, sentences, entities and parts of speech at character offsets."""

from .alignment import Tokenised, tokenise
from .document import Document, Span
from .pipelines import load_pipeline, pipeline_names

__all__ = ["Document", "Span", "Tokenised", "load_pipeline", "pipeline_names", "tokenise"]
