"""What a tuned encoder–decoder writes, against what it should have written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..data.rows import Part
    from .job import Job

WRITTEN_ROWS = 100  # of each part, always the same ones: writing is slow


def written_figures(job: Job, part: Part) -> dict[str, dict[str, Any]]:
    """Return the figures of a part by mask, with `written_rows`, on how many rows they rest.

    Greedy search, so that nothing is drawn. Empty where sacreBLEU or rouge-score is missing.
    """
    from .sets import evaluation_sets
    from .text_scores import available, scores

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
    for indices in SortedBatches(rows.lengths, trainer.args.eval_batch_size):
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
