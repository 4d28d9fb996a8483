"""The strategy `key`: hides the words that decide the task."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from ...errors import CapabilityError, LanguageError, UnknownNameError
from ...masks.registry import Parameter, budget, strategy
from ...masks.spans import MaskSpan
from ...models.model import Model
from ...text.document import Document
from ...text.languages import language_name

WAYS = ("model", "keyness", "tfidf", "lexicon")
Scored = tuple[float, str]


@strategy(
    "key",
    "budgeted",
    "Hides the words that decide the answer.",
    default_ratio=0.15,
    needs=frozenset({"classifier"}),
    seeded=False,
    asks=lambda given: given.get("by", "model") == "model",
    parameters=(
        Parameter(
            "by",
            "choice",
            "model",
            "the model's own attribution, or counts over texts",
            WAYS,
            "Decided by",
        ),
        Parameter("model", "text", "mini", "the classifier that is asked", loaded=True),
        Parameter("data", "text", "", "table with texts and labels; empty: the example set"),
    ),
)
def key(
    document: Document,
    ratio: float,
    rng: random.Random,
    *,
    by: str = "model",
    model: Model | None = None,
    data: str = "",
) -> Iterator[MaskSpan]:
    """Choose the words with the highest scores, the earlier one between equals.

    `by`: `model` (fall of the predicted label when the word is hidden, ranked in log-odds, since
    near 1 probabilities differ in their last digits alone; the score is that of p), `keyness`
    (|z| of the log-odds with a Dirichlet prior over labelled texts), `tfidf`, or `lexicon` (a list
    of words that carry a verdict; hides no more words than are on it). The model is there wherever
    it is the one that decides.
    """
    if by not in WAYS:
        raise UnknownNameError.of("way to find key words", by, WAYS)
    if model is not None:
        scored, ranked = _by_model(document, model)
    else:
        scored = _by_words(document, by, data)
        ranked = sorted(range(len(scored)), key=lambda i: (-scored[i][0], i))
    for i in ranked[: budget(len(document.words), ratio)]:
        score, reason = scored[i]
        if reason:
            yield MaskSpan(document.words[i].start, document.words[i].end, reason, score)


def _by_model(document: Document, model: Model) -> tuple[list[Scored], Sequence[int]]:
    """Return a score and a reason for each word, and the words by strength."""
    from .attribution import explain

    if "classify" not in model.capabilities:
        raise CapabilityError(
            f"'key' by model asks a classifier, which {model.name!r} ({model.family}) is not: "
            "choose another way (--by tfidf, keyness or lexicon; in an expression key:tfidf), or "
            "a classifier such as 'mini'."
        )
    found = explain(document.text, model)
    scored = [
        (
            w.score,
            f"hiding it alone {'lowers' if w.score >= 0 else 'raises'} "
            f"p({found.label}) by {abs(w.score):.3f}",
        )
        for w in found.words
    ]
    return scored, found.ranked


def _by_words(document: Document, by: str, data: str) -> list[Scored]:
    from .keyness import keyness_scores, labelled_data, tfidf_scores

    if by == "lexicon":
        return _by_lexicon(document)
    texts, labels = labelled_data(data)
    if by == "tfidf":
        return [(s, f"tf·idf {s:.2f}") for s in tfidf_scores(document.text, texts)]
    scores = keyness_scores(document.text, texts, labels)
    return [(s, f"tells the labels apart, |z| = {s:.1f}") for s in scores]


def _by_lexicon(document: Document) -> list[Scored]:
    from ...masks.listed import expressions, has_list
    from ...masks.matching import find_all

    code = document.language or "en"
    if not has_list("sentiment", code):
        raise LanguageError(
            f"'key' by lexicon has no list of {language_name(code)}, this text's language: put "
            f"a 'sentiment.txt' into the folder 'lexicons/{code}' of maskviz's folder, or choose "
            "another way, such as --by model."
        )
    listed = {
        c
        for expression in expressions("sentiment", language=code)
        for start, end in find_all(expression, document.text)
        for c in range(start, end)
    }
    return [(1.0, "on the word list") if w.start in listed else (0.0, "") for w in document.words]
