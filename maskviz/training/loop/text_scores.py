"""Written texts against references: BLEU, chrF, ROUGE.

BLEU (Papineni et al. 2002) and chrF (Popović 2015) by sacreBLEU over the whole sample, ROUGE
(Lin 2004) by rouge-score as the mean over the rows.
"""

from __future__ import annotations

from collections.abc import Sequence

FIGURES = ("bleu", "chrf", "rouge1", "rouge2", "rougeL")
_ROUGE = {"ROUGE-1": "rouge1", "ROUGE-2": "rouge2", "ROUGE-L": "rougeL"}


def available() -> bool:
    """Tell whether the libraries that compute the figures are here."""
    from importlib.util import find_spec

    return all(find_spec(name) for name in ("sacrebleu", "rouge_score"))


def scores(written: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Return BLEU and chrF of all, 0 to 100, and the mean ROUGE F1s, 0 to 1.

    >>> scores(["the cat sat on the mat"], ["the cat sat on the mat"])["rougeL"]
    1.0
    """
    bleu, chrf = bleu_chrf(written, references)
    each = [rouge(text, reference) for text, reference in zip(written, references, strict=True)]
    means = {name: sum(row[shown] for row in each) / len(each) for shown, name in _ROUGE.items()}
    return {"bleu": bleu, "chrf": chrf, **means}


def bleu_chrf(written: Sequence[str], references: Sequence[str]) -> tuple[float, float]:
    """Return corpus BLEU and chrF, each 0 to 100.

    >>> bleu_chrf(["a b c d e"], ["a b c d e"])
    (100.0, 100.0)
    """
    import sacrebleu

    bleu = sacrebleu.corpus_bleu(list(written), [list(references)]).score
    chrf = sacrebleu.corpus_chrf(list(written), [list(references)]).score
    return round(bleu, 6), round(chrf, 6)


def rouge(text: str, reference: str) -> dict[str, float]:
    """Return ROUGE-1, ROUGE-2 and ROUGE-L F1 in [0, 1], words stemmed.

    >>> rouge("the cat sat", "the cat sat")["ROUGE-L"]
    1.0
    """
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(list(_ROUGE.values()), use_stemmer=True)
    found = scorer.score(reference, text)
    return {shown: float(found[name].fmeasure) for shown, name in _ROUGE.items()}
