"""The strategy `pii`: personal data found by Presidio (https://github.com/microsoft/presidio)."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from ..errors import MissingDependencyError, ParameterError, UnknownNameError
from ..text.document import Document
from ..text.pipelines import pieces_of
from ..text.spacing import Spaced, spaced
from .registry import Parameter, capped, strategy
from .spans import MaskSpan
from .whole_numbers import whole_number

_NAMES = frozenset(("PERSON", "ORGANIZATION", "NRP"))


@strategy(
    "pii",
    "exhaustive",
    "Hides personal data: e-mail and street addresses, phone and card numbers, ids, ages, names.",
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
    analyser = _engine(document.read_by)
    listed = types.split(",") if isinstance(types, str) else types
    wanted = [name.strip().upper() for name in listed if name.strip()]
    known = sorted(analyser.get_supported_entities("en"))
    for name in wanted:
        if name not in known:
            raise UnknownNameError.of("kind of personal data", name, known)
    found: list[MaskSpan] = []
    for start, end in pieces_of(document.text):  # Presidio keeps all of its analysis in memory
        piece = document.text[start:end]
        hits = [
            hit
            for text in _readings(piece)
            for hit in _hits(analyser, text, _language(document), wanted, threshold)
        ]
        found += (_span(hit, a + start, b + start) for hit, a, b in apart(piece, hits))
        if document.progress:
            document.progress(end, len(document.text))
    return capped(document, found, ratio, rng)


def _readings(piece: str) -> list[Spaced]:
    """Return a text with one space between its words and, where that is another, as it stands.

    A pipeline finds most names in the first. In the second it finds now and then one more, a name
    alone on its line, and Presidio, which reads nothing else, is not to hide what we leave.
    """
    text = spaced(piece)
    return [text] if text.text == piece else [text, Spaced(piece, piece, piece)]


def _language(document: Document) -> str:
    """Return the language of the patterns; English for a text that does not tell its own."""
    told = document.found.script not in ("", "Latin")
    return document.language or ("" if told else "en")


def _hits(
    analyser: Any, text: Spaced, language: str, wanted: list[str], threshold: float
) -> list[Any]:
    """Return what Presidio finds in a reading, at places of the text that it was made of."""
    hits: list[Any] = analyser.analyze(
        text.lines, "en", entities=wanted or None, score_threshold=threshold,
        return_decision_process=True, nlp_artifacts=analyser.nlp_engine.artifacts(text, language),
    )  # fmt: skip
    for hit in hits:
        hit.start, hit.end = text.original(hit.start, hit.end)
        if hit.entity_type not in _NAMES:  # a number beside a name is not the name's
            hit.start, hit.end = whole_number(text.source, hit.start, hit.end)
    return hits


def _span(hit: Any, start: int, end: int) -> MaskSpan:
    recogniser = hit.analysis_explanation.recognizer
    reason = f"{hit.entity_type}, score {hit.score:.2f} ({recogniser})"
    return MaskSpan(start, end, reason, float(hit.score), hit.entity_type)


def apart(text: str, hits: Iterable[Any]) -> list[tuple[Any, int, int]]:
    """Return every character of the hits under the best of them, as (hit, start, end) in order.

    Touching parts of one kind are one, and a rest without a letter or digit, such as the comma
    between two hits, goes to the hit beside it.
    """
    owners: dict[int, Any] = {}
    for hit in sorted(hits, key=lambda hit: (-hit.score, hit.start, -hit.end)):
        for place in range(hit.start, hit.end):
            owners.setdefault(place, hit)
    runs: list[tuple[Any, int, int]] = []
    for hit, start, end in _runs(owners):
        before, first, touching = runs[-1] if runs else (None, 0, -1)
        if touching == start and _are_one(text, runs[-1], (hit, start, end)):
            better = hit if not _says(text, first, start) else before
            better = max(before, hit, key=lambda one: one.score) if _alike(before, hit) else better
            runs[-1] = (better, first, end)
        else:
            runs.append((hit, start, end))
    return runs


def _runs(owners: dict[int, Any]) -> list[tuple[Any, int, int]]:
    runs: list[tuple[Any, int, int]] = []
    for place in sorted(owners):
        if runs and runs[-1][2] == place and runs[-1][0] is owners[place]:
            runs[-1] = (owners[place], runs[-1][1], place + 1)
        else:
            runs.append((owners[place], place, place + 1))
    return runs


def _are_one(text: str, first: tuple[Any, int, int], second: tuple[Any, int, int]) -> bool:
    words = _says(text, *first[1:]) and _says(text, *second[1:])
    return not words or _alike(first[0], second[0])


def _alike(first: Any, second: Any) -> bool:
    return first.entity_type == second.entity_type


def _says(text: str, start: int, end: int) -> bool:
    return any(map(str.isalnum, text[start:end]))


def _engine(pipeline: str) -> Any:
    try:
        from .personal_engine import engine
    except ImportError:
        raise MissingDependencyError(
            "The strategy 'pii' needs Presidio: run 'pip install maskviz[presidio]'."
        ) from None
    return engine(pipeline)
