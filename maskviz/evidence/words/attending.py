"""Scores from attention: how much of it a word gets from where the answer is read.

Attention does not know the label: it says where a model looks, whatever it answers. The methods
are those of `maskviz.attention.methods`. It is looked at over 1,024 tokens at most: of a longer
text the first, or window by window.
"""

from __future__ import annotations

from ...errors import CapabilityError
from ...inside.beginning import LONGEST
from ...readings.windows import windows
from .methods import Request, Scores, method

_WAYS = {
    "mean": "the mean over heads and layers",
    "rollout": "attention followed through the layers",
    "flow": "the maximum flow through the layers",
    "norm": "weighted by the norm of what is carried",
    "relevance": "attention times its gradient, followed through the layers",
}


def _scored_by(way: str, summary: str) -> None:
    @method(f"attention-{way}", "share", f"Attention a word gets: {summary}.")
    def score(request: Request) -> Scores:
        from ...attention.scores import word_scores

        if way == "relevance" and request.question.name != "labels":
            raise CapabilityError(
                f"attention-relevance follows the gradient of a classifier's label, and "
                f"{request.question.name!r} was asked: choose attention-rollout or gradient-input."
            )

        text, model, totals = request.text, request.model, [0.0] * len(request.words)
        whole = ((0, len(text)),)
        bounds = windows(model, text, LONGEST) if request.long == "windows" else whole
        for start, end in bounds:
            inside = [i for i, (s, e) in enumerate(request.words) if s >= start and e <= end]
            if inside:
                found = word_scores(text[start:end], model, way)
                for i, value in zip(inside, found, strict=False):
                    totals[i] = value / len(bounds)
        return Scores(tuple(totals), notice=_notice(request, len(bounds)))


def _notice(request: Request, count: int) -> str:
    """Say where attention is read otherwise than the answer, for a model that takes long texts."""
    model, text = request.model, request.text
    if model.max_length <= LONGEST or model.tokenise(text, LONGEST).truncated_at is None:
        return ""
    if request.long == "windows":
        return f"Attention is read in {count} windows of at most {LONGEST:,} tokens."
    end = model.tokenise(text, LONGEST).truncated_at
    return (
        f"Attention is read over the first {LONGEST:,} tokens: words behind character {end:,} "
        "have the score 0."
    )


for _way, _summary in _WAYS.items():
    _scored_by(_way, _summary)
