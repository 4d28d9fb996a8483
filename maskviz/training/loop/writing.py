"""What a tuned encoder–decoder writes, against what it should have written: BLEU, chrF, ROUGE.

BLEU (Papineni et al. 2002) and chrF (Popović 2015) by sacreBLEU over the whole sample, ROUGE
(Lin 2004) by rouge-score as the mean over the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..data.rows import Part
    from .execute import Job

WRITTEN_ROWS = 100  # of each part, always the same ones: writing is slow
FIGURES = ("bleu", "chrf", "rouge1", "rouge2", "rougeL")
_ROUGE = {"ROUGE-1": "rouge1", "ROUGE-2": "rouge2", "ROUGE-L": "rougeL"}


def available() -> bool:
    """Tell whether the libraries that compute the figures are here."""
    from importlib.util import find_spec

    return all(find_spec(name) for name in ("sacrebleu", "rouge_score"))


def written_figures(job: Job, part: Part) -> dict[str, dict[str, Any]]:
    """Return the figures of a part by mask, with `written_rows`, on how many rows they rest.

    Greedy search, so that nothing is drawn. Empty where sacreBLEU or rouge-score is missing.
    """
    from .assemble import evaluation_sets

    if not available():
        job.recorder.log("no BLEU and ROUGE: pip install sacrebleu rouge-score")
        return {}
    chosen = part.sample(WRITTEN_ROWS)
    found = {}
    for mask, rows in evaluation_sets(job.spec, job.model, chosen).items():
        written = _written(job, rows)
        found[mask] = {**scores(written, chosen.labels), "written_rows": len(written)}
    return found


def _written(job: Job, rows: Any) -> list[str]:
    """Let the network write for every row; the answers come in the order of the rows."""
    from ..data.batches import SortedBatches
    from ..data.collating import target_limit
    from .pacer import Cancelled

    trainer, written = job.trainer, [""] * len(rows)
    trainer.model.eval()
    for indices in SortedBatches(rows.masker.lengths, trainer.args.eval_batch_size):
        if job.pacer.stop_asked:
            raise Cancelled
        batch = trainer._prepare_inputs(trainer.data_collator(rows.__getitems__(indices)))
        ids = _generated(trainer, batch, target_limit(job.spec, job.model))
        texts = job.model.tokenizer.batch_decode(ids, skip_special_tokens=True)
        for index, text in zip(indices, texts, strict=True):
            written[index] = text.strip()
        job.recorder.update()
    return written


def _generated(trainer: Any, batch: Mapping[str, Any], limit: int) -> Any:
    import torch

    read = {name: batch[name] for name in ("input_ids", "attention_mask")}
    matrix = batch.get("attention_matrix")
    autocast = trainer.compute_loss_context_manager()
    with torch.inference_mode(), autocast, trainer.hooks.fed(None, matrix):
        return trainer.model.generate(
            **read, max_new_tokens=limit, num_beams=1, do_sample=False, use_cache=True
        )  # (rows, tokens)


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
