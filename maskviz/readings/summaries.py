"""Summaries: the most central sentences of a text, or what an encoder–decoder writes.

Extractive, with any encoder, from its own token vectors: a sentence is the mean of its tokens'
vectors v/‖v‖, each weighted by a/(a + p) with p the frequency of its letters in English (Arora et
al. 2017, a = 0.01). Centrality is the cosine to the mean of all sentences (centroid, Radev et al.
2004), standardised within the text. To it come half a point for the first sentence and minus
|ln(words / 22)|, so that neither fragments nor lists win. The numbers were chosen on the training
part of SciTLDR.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import ParameterError, TextError
from ..models.model import Model, load_model
from ..text.words import word_offsets
from .translation import cut_of, sentence_spans, task_prefix
from .written import generate

SMOOTHING = 0.01
FIRST = 0.5
USUAL_WORDS = 22
SAME = 0.97  # cosine from which a sentence says what a chosen one said
NEW_TOKENS = 128


@dataclass(frozen=True)
class RankedSentence:
    """One sentence `source[start:end]`; a higher score is more central, and has no unit."""

    start: int
    end: int
    text: str
    score: float
    chosen: bool


@dataclass(frozen=True)
class Summary:
    """A summary and how it came about.

    method: `extractive` (sentences of the source, in their order) or `abstractive`.
    sentences: every sentence of the source with its score; empty where the model wrote itself.
    notice: what of the source the model did not read, or empty.
    """

    source: str
    text: str
    model: str
    method: str
    sentences: tuple[RankedSentence, ...] = ()
    notice: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values."""
        return {**asdict(self), "sentences": [asdict(s) for s in self.sentences]}


def summarise(
    text: str,
    model: Model | str = "mini",
    sentences: int = 1,
    *,
    num_beams: int = 4,
    max_new_tokens: int = NEW_TOKENS,
    prefix: str | None = None,
) -> Summary:
    """Summarise a text: an encoder chooses sentences, an encoder–decoder writes its own.

    sentences: how many an encoder chooses. num_beams, max_new_tokens, prefix: for an
    encoder–decoder, as in `translate`. Raises TextError for an empty text, ParameterError for a
    number out of range.

    >>> summarise("Bob is here. Bob and Ann are here with the dog. It rains.").method
    'extractive'
    """
    if not text.strip():
        raise TextError("The text is empty: enter at least one sentence.")
    if sentences < 1:
        raise ParameterError(f"sentences is {sentences} and must be a whole number of 1 or more.")
    loaded = load_model(model)
    if "translate" in loaded.capabilities:
        return _abstractive(text, loaded, num_beams, max_new_tokens, prefix)
    spans = sentence_spans(text)
    pieces = [text[start:end] for start, end in spans]
    scores, vectors = _scores(pieces, loaded)
    chosen = _chosen(scores, vectors, sentences)
    ranked = tuple(
        RankedSentence(start, end, piece, round(float(score), 6), n in chosen)
        for n, ((start, end), piece, score) in enumerate(zip(spans, pieces, scores, strict=True))
    )
    kept = " ".join(s.text for s in ranked if s.chosen)
    return Summary(text, kept, loaded.name, "extractive", ranked)


def rank_sentences(sentences: Sequence[str], model: Model | str = "mini") -> list[int]:
    """Return the numbers of the sentences, the most central first; a tie goes to the earlier."""
    scores, _ = _scores(sentences, load_model(model))
    return sorted(range(len(sentences)), key=lambda n: -scores[n])


def _abstractive(
    text: str, model: Model, num_beams: int, max_new_tokens: int, prefix: str | None
) -> Summary:
    words = task_prefix(model, "summarization") if prefix is None else prefix
    (answer,) = generate([words + text], model, num_beams=num_beams, max_new_tokens=max_new_tokens)
    cut = cut_of(answer, words + text, len(words))
    notice = cut[:1].upper() + cut[1:]
    return Summary(text, answer.text, model.name, "abstractive", notice=notice)


def _scores(sentences: Sequence[str], model: Model) -> tuple[Any, Any]:
    """Return the scores (sentences,) and unit vectors (sentences, d)."""
    import numpy as np

    vectors = _unit(np.stack([_vector(sentence, model) for sentence in sentences]))
    centrality = vectors @ _unit(vectors.mean(0))
    spread = centrality.std()
    scores = (centrality - centrality.mean()) / spread if spread > 1e-6 else 0.0 * centrality
    words = np.array([max(1, len(word_offsets(sentence))) for sentence in sentences])
    scores -= np.abs(np.log(words / USUAL_WORDS))
    scores[0] += FIRST
    return scores, vectors


def _vector(sentence: str, model: Model) -> Any:
    """Return the weighted mean of a sentence's token vectors, (d,)."""
    import numpy as np
    from wordfreq import word_frequency

    table = model.main_network().get_input_embeddings().weight.detach()
    found = model.tokenise(sentence)
    places = [n for n, offset in enumerate(found.offsets) if offset is not None]
    if not places:
        return np.zeros(table.shape[1])
    rows = table[[found.input_ids[n] for n in places]].double().cpu().numpy()  # (tokens, d)
    weights = np.array(
        [SMOOTHING / (SMOOTHING + word_frequency(found.tokens[n], "en")) for n in places]
    )
    return weights @ _unit(rows) / weights.sum()


def _unit(vectors: Any) -> Any:
    import numpy as np

    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def _chosen(scores: Any, vectors: Any, count: int) -> set[int]:
    """Return the best sentences; one that repeats a chosen one only where no other is left."""
    order = sorted(range(len(scores)), key=lambda n: -scores[n])
    kept: list[int] = []
    for n in order:
        if len(kept) < count and all(vectors[n] @ vectors[k] < SAME for k in kept):
            kept.append(n)
    rest = [n for n in order if n not in kept]
    return {*kept, *rest[: max(0, count - len(kept))]}
