"""Presidio's analyser on a spaCy pipeline of ours; nothing is fetched."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import tldextract
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer
from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine
from presidio_analyzer.nlp_engine.ner_model_configuration import MODEL_TO_PRESIDIO_ENTITY_MAPPING

from ..text.docs import read_names
from ..text.pipelines import load_pipeline
from ..text.spacing import Spaced
from .personal_recognizers import recognizers

# Presidio's two tables of what pipelines call the same things: in its code and in its default.yaml.
_KINDS = {
    **MODEL_TO_PRESIDIO_ENTITY_MAPPING,
    "FAC": "LOCATION",
    "NORP": "NRP",
    "ORGANIZATION": "ORGANIZATION",
    "NRP": "NRP",
    "DATE_TIME": "DATE_TIME",
}
_USUAL = ("PERSON", "ORG", "GPE", "LOC")  # kinds that can be asked for with any pipeline


class PipelineEngine(SpacyNlpEngine):
    """Presidio's view of a pipeline that reads a text with one space between its words."""

    def __init__(self, name: str) -> None:
        pipeline = load_pipeline(name) if name else _blank()
        labels = {label for pipe in pipeline.pipe_labels.values() for label in pipe}
        settings = NerModelConfiguration(
            model_to_presidio_entity_mapping={
                label: kind for label, kind in _KINDS.items() if label in {*labels, *_USUAL}
            },
            labels_to_ignore=sorted(labels - set(_KINDS)),
        )
        models = [{"lang_code": "en", "model_name": name or "blank"}]
        super().__init__(models=models, ner_model_configuration=settings)
        self.pipeline, self.nlp = pipeline, {"en": pipeline}  # type: ignore[assignment]

    def artifacts(self, text: Spaced, language: str) -> Any:
        """Return what the pipeline finds in a text, for `AnalyzerEngine.analyze`.

        Presidio looks for words such as "licence" before a number by their lemmas: where a
        pipeline gives none, the words themselves stand for them. language: that of the text, for
        the recognisers that go by it; Presidio is told English.
        """
        doc = read_names(self.pipeline, text)
        for token in doc:
            if not token.lemma_:
                token.lemma_ = token.lower_
        made: Any = self._doc_to_nlp_artifact(doc, "en")
        made.language = language
        return made


class Enhancer(LemmaContextAwareEnhancer):
    """Presidio's look at the words around a hit, which goes to its token without reading to it.

    Presidio reads a text from its beginning for every hit in it.
    """

    @staticmethod
    def _find_index_of_match_token(
        word: str, start: int, tokens: Sequence[Any], tokens_indices: Sequence[int]
    ) -> int:
        """Return the first token that ends behind `start`."""
        i = max(bisect_right(tokens_indices, start) - 1, 0)
        i += start >= tokens_indices[i] + len(tokens[i])
        if i == len(tokens):
            raise ValueError(f"No token of the text ends behind place {start}.")
        return i


def _blank() -> Any:
    """Return a pipeline that cuts words and names nothing, for a language that has none."""
    import spacy

    return spacy.blank("xx")


@lru_cache(maxsize=2)
def engine(pipeline: str) -> AnalyzerEngine:
    """Return the analyser with Presidio's recognisers and ours; "" is read by no pipeline."""
    # Presidio's e-mail check would fetch a list of domains; its bundled copy does.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    made = AnalyzerEngine(
        nlp_engine=PipelineEngine(pipeline),
        supported_languages=["en"],
        context_aware_enhancer=Enhancer(),
    )
    for recognizer in recognizers():
        made.registry.add_recognizer(recognizer)
    return made
