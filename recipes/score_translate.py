"""Figures of `mini-translate` on the dev file, by sacreBLEU's own defaults.

BLEU (13a tokens, cased) and chrF2 over the whole file, one reference each; beam search with four
beams through `maskviz.generate`. Intervals: sacreBLEU's bootstrap over sentences, 1,000 resamples.
Neither measure sees which kind of space stands before a French question mark.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
from sacrebleu.metrics import BLEU, CHRF
from score_common import RESAMPLES, Figure

from maskviz.models import load_model
from maskviz.readings import generate


def translate_figures(folder: Path, data: Path, rows: int | None = None) -> list[Figure]:
    """BLEU and chrF over the first `rows` of the dev file, or all of it."""
    dev = pd.read_parquet(data / "translation_dev.parquet").head(rows)
    answers = generate(list(dev["en"]), load_model(str(folder)))
    written, references = [answer.text for answer in answers], [list(dev["fr"])]
    return [
        corpus_figure("mini-translate BLEU", BLEU(), written, references),
        corpus_figure("mini-translate chrF", CHRF(), written, references),
    ]


def corpus_figure(
    name: str, metric: BLEU | CHRF, written: list[str], references: list[list[str]]
) -> Figure:
    """One of sacreBLEU's measures over a corpus, on the scale 0 to 1."""
    found = metric.corpus_score(written, references, n_bootstrap=RESAMPLES)
    said = json.loads(found.format(width=4, is_json=True, signature=str(metric.get_signature())))
    middle, half = said.get("confidence_mean", 0.0), said.get("confidence_var", 0.0)
    values = said["score"], max(0.0, middle - half), middle + half
    return Figure(name, *(value / 100 for value in values), len(written))
