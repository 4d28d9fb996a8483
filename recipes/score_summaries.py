"""Figures of the extractive summariser on SciTLDR's dev file.

ROUGE-L F1 with Porter's stemmer (rouge-score), per abstract the highest over its references, as is
the custom with SciTLDR (Cachola et al. 2020); one sentence is chosen. Lead-1, the first sentence,
is scored in the same way, and so is the difference of the two. Intervals over abstracts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from rouge_score.rouge_scorer import RougeScorer
from score_common import Figure, ratio_figure

from maskviz.models import load_model
from maskviz.readings import rank_sentences


def rouge_l(summary: str, references: Sequence[str], scorer: RougeScorer) -> float:
    """The highest ROUGE-L F1 of a summary over its references."""
    return max(scorer.score(reference, summary)["rougeL"].fmeasure for reference in references)


def summary_figures(folder: Path, data: Path, rows: int | None = None) -> list[Figure]:
    """ROUGE-L of the summariser on the vectors of `mini`, of lead-1, and their difference."""
    dev = pd.read_parquet(data / "summaries_dev.parquet").head(rows)
    model = load_model(str(folder))
    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    central, lead = [], []
    for sentences, references in zip(dev["source"], dev["target"], strict=True):
        best = rank_sentences(list(sentences), model)[0]
        central.append(rouge_l(sentences[best], references, scorer))
        lead.append(rouge_l(sentences[0], references, scorer))
    values = {
        "summariser ROUGE-L": np.array(central),
        "lead-1 ROUGE-L": np.array(lead),
        "summariser ROUGE-L, difference to lead-1": np.array(central) - np.array(lead),
    }
    ones = np.ones(len(dev))
    return [ratio_figure(name, value, ones) for name, value in values.items()]
