"""What a run found: the figures, and one computed sentence."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .execute import Job


def summarise(
    job: Job, evaluations: list[dict[str, Any]], seconds: float, speed: float | None
) -> dict[str, Any]:
    """Return result.json: figures per split and mask, flat metrics, what was used, a sentence."""
    from .device import device_name, peak_memory_bytes

    masker = job.trainer.train_dataset.masker
    first = next(iter(job.rows.evaluation))
    labels = Counter(job.rows.evaluation[first].labels)
    result = {
        "evaluations": evaluations,
        "metrics": metrics(evaluations, first),
        "majority": max(labels.values()) / sum(labels.values()),
        "labels": list(job.rows.label_names),
        "train_rows": len(job.rows.train),
        "rows_left_plain": len(masker.left_plain),
        "realised_ratio": masker.realised_ratio(),
        "steps": job.recorder.status.get("step") or 0,
        "seconds": seconds,
        "tokens_per_second": speed,
        "device": device_name(job.device),
        "precision": job.precision,
        "peak_memory_bytes": peak_memory_bytes(job.device),
        "parameters": sum(p.numel() for p in job.trainer.model.parameters()),
        "notes": list(job.rows.notes),
    }
    job.recorder.update(peak_memory_bytes=result["peak_memory_bytes"])
    return {"finding": finding(result, first, job.spec.task), **result}


def metrics(evaluations: Sequence[Mapping[str, Any]], first: str) -> dict[str, float]:
    """Return the figures of the first split, flat, and reliance where there is a distractor."""
    flat = {
        f"{figure}_{row['mask']}": row[figure]
        for row in evaluations
        if row["split"] == first
        for figure in ("accuracy", "ci95", "macro_f1", "loss")
        if figure in row
    }
    for mask in ("plain", "masked"):
        accuracy = {
            row["split"]: row["accuracy"]
            for row in evaluations
            if row["mask"] == mask and "accuracy" in row
        }
        if {"aligned", "reversed"} <= set(accuracy):
            flat[f"reliance_{mask}"] = accuracy["aligned"] - accuracy["reversed"]
            flat[f"accuracy_reversed_{mask}"] = accuracy["reversed"]
    return flat


def finding(result: Mapping[str, Any], first: str, task: str) -> str:
    """Say in one sentence what the run reached.

    >>> figures = {"accuracy_plain": 0.841, "ci95_plain": 0.012}
    >>> finding({"metrics": figures, "evaluations": [], "majority": 0.5}, "dev", "classification")
    'Accuracy 84.1 % ± 1.2 plain; always the most frequent label would give 50.0 %.'
    """
    figures = result["metrics"]
    if task == "mlm":
        return (
            f"The model guesses {_percent(figures['accuracy_masked'])} of the hidden tokens "
            f"(perplexity {math.exp(min(figures['loss_masked'], 50)):,.1f})."
        )
    said = [
        f"{_percent(figures[f'accuracy_{mask}'])} ± {figures[f'ci95_{mask}'] * 100:.1f} {mask}"
        for mask in ("plain", "masked")
        if f"accuracy_{mask}" in figures
    ]
    sentence = f"Accuracy {', '.join(said)}"
    if "reliance_plain" in figures:
        rows = {(r["split"], r["mask"]): r["accuracy"] for r in result["evaluations"]}
        sentence += (
            f"; with the distractor reversed it goes from "
            f"{_percent(rows['aligned', 'plain'])} to {_percent(rows['reversed', 'plain'])} plain"
        )
        if ("reversed", "masked") in rows:
            sentence += (
                f" and from {_percent(rows['aligned', 'masked'])} to "
                f"{_percent(rows['reversed', 'masked'])} masked"
            )
        return sentence + "."
    return f"{sentence}; always the most frequent label would give {_percent(result['majority'])}."


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"
