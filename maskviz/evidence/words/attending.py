"""Scores from attention: how much of it a word gets from where the answer is read.

Attention does not know the label: it says where a model looks, whatever it answers. The methods
are those of `maskviz.attention.methods`.
"""

from __future__ import annotations

from ...errors import CapabilityError
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

        text, totals = request.text, [0.0] * len(request.words)
        bounds = windows(request.model, text) if request.long == "windows" else ((0, len(text)),)
        for start, end in bounds:
            inside = [i for i, (s, e) in enumerate(request.words) if s >= start and e <= end]
            if inside:
                found = word_scores(text[start:end], request.model, way)
                for i, value in zip(inside, found, strict=False):
                    totals[i] = value / len(bounds)
        return Scores(tuple(totals))


for _way, _summary in _WAYS.items():
    _scored_by(_way, _summary)
