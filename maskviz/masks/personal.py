"""The strategy `pii`: personal data found by Presidio (https://github.com/microsoft/presidio)."""

from __future__ import annotations

import random
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from ..errors import MissingDependencyError, ParameterError, UnknownNameError
from ..text.document import Document
from ..text.pipelines import pieces_of
from .registry import Parameter, capped, strategy
from .spans import MaskSpan


@strategy(
    "pii",
    "exhaustive",
    "Hides personal data: e-mail addresses, phone and card numbers, ids, ages, names.",
    needs=frozenset({"pipeline", "presidio"}),
    parameters=(
        Parameter("types", "text", "", "kinds such as EMAIL_ADDRESS,PHONE_NUMBER; empty: all"),
        Parameter(
            "threshold",
            "number",
            0.4,
            "least score of Presidio from which a hit is hidden",
            label="Threshold: score, 0 to 1",
            step=0.05,
        ),
    ),
)
def personal(
    document: Document,
    ratio: float | None,
    rng: random.Random,
    *,
    types: str | Iterable[str] = "",
    threshold: float = 0.4,
) -> list[MaskSpan]:
    """Choose what Presidio's recognisers find; its score and recogniser are kept as the reason."""
    if not 0 <= threshold <= 1:
        raise ParameterError(f"The threshold is {threshold} and must lie in [0, 1], such as 0.4.")
    engine = _engine(document.pipeline)
    listed = types.split(",") if isinstance(types, str) else types
    wanted = [name.strip().upper() for name in listed if name.strip()]
    known = sorted(engine.get_supported_entities("en"))
    for name in wanted:
        if name not in known:
            raise UnknownNameError.of("kind of personal data", name, known)
    found: list[MaskSpan] = []
    for start, end in pieces_of(document.text):  # Presidio keeps all of its analysis in memory
        hits = engine.analyze(
            document.text[start:end], "en", entities=wanted or None, score_threshold=threshold,
            return_decision_process=True,
        )  # fmt: skip
        found += _disjoint(hits, start)
        if document.progress:
            document.progress(end, len(document.text))
    return capped(document, found, ratio, rng)


def _disjoint(hits: Iterable[Any], moved: int) -> list[MaskSpan]:
    """Keep of overlapping hits the best, in a text that begins `moved` characters before them."""
    taken: set[int] = set()
    kept = []
    for hit in sorted(hits, key=lambda hit: (-hit.score, hit.start, -hit.end)):
        if taken.isdisjoint(range(hit.start, hit.end)):
            taken.update(range(hit.start, hit.end))
            recogniser = hit.analysis_explanation.recognizer
            reason = f"{hit.entity_type}, score {hit.score:.2f} ({recogniser})"
            start, end = hit.start + moved, hit.end + moved
            kept.append(MaskSpan(start, end, reason, float(hit.score), hit.entity_type))
    return sorted(kept, key=lambda span: span.start)


@lru_cache(maxsize=2)
def _engine(pipeline: str) -> Any:
    """Return Presidio's analyser on the chosen spaCy pipeline; nothing is fetched."""
    try:
        import tldextract
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine
    except ImportError:
        raise MissingDependencyError(
            "The strategy 'pii' needs Presidio: run 'pip install maskviz[presidio]'."
        ) from None
    from ..text.pipelines import load_pipeline
    from .personal_age import AgeRecognizer

    # Presidio's e-mail check would fetch a list of domains; its bundled copy does.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    labels = {"PERSON": "PERSON", "ORG": "ORGANIZATION", "GPE": "LOCATION", "LOC": "LOCATION"}
    settings = NerModelConfiguration(
        model_to_presidio_entity_mapping=labels, labels_to_ignore=["MISC"]
    )
    nlp = SpacyNlpEngine(
        models=[{"lang_code": "en", "model_name": pipeline}], ner_model_configuration=settings
    )
    nlp.nlp = {"en": load_pipeline(pipeline)}  # type: ignore[assignment]  # it begins as None
    engine = AnalyzerEngine(nlp_engine=nlp, supported_languages=["en"])
    engine.registry.add_recognizer(AgeRecognizer())
    return engine
