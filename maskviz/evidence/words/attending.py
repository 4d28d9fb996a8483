"""Scores from attention: how much of it a word gets from where the answer is read.

Attention does not know the label: it says where a model looks, whatever it answers. The methods
are those of `maskviz.attention.methods`.
"""

from __future__ import annotations

from ...readings.windows import windows
from .methods import Question, Scores, method

_WAYS = {
    "mean": "the mean over heads and layers",
    "rollout": "attention followed through the layers",
    "flow": "the maximum flow through the layers",
    "norm": "weighted by the norm of what is carried",
    "relevance": "attention times its gradient, followed through the layers",
}


def _scored_by(way: str, summary: str) -> None:
    @method(f"attention-{way}", "share", f"Attention a word gets: {summary}.")
    def score(question: Question) -> Scores:
        from ...attention.scores import word_scores

        text, totals = question.text, [0.0] * len(question.words)
        bounds = windows(question.model, text) if question.long == "windows" else ((0, len(text)),)
        for start, end in bounds:
            inside = [i for i, (s, e) in enumerate(question.words) if s >= start and e <= end]
            if inside:
                found = word_scores(text[start:end], question.model, way)
                for i, value in zip(inside, found, strict=False):
                    totals[i] = value / len(bounds)
        return Scores(tuple(totals))


for _way, _summary in _WAYS.items():
    _scored_by(_way, _summary)
