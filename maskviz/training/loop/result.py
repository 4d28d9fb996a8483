"""What a run found: the figures, and one computed sentence."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...text.percent import percent
from ..model.network import drawn_head
from ..spec.spec import CAUSAL, MULTI, REGRESSION, SINGLE
from .ending import ended_early, steps_asked
from .grouped import group_rows, worst_group
from .metrics import FIGURES

if TYPE_CHECKING:
    from .job import Job

ENOUGH = 20  # held-out rows; figures on fewer say how many they are on


def summarise(
    job: Job, evaluations: list[dict[str, Any]], seconds: float, speed: float | None
) -> dict[str, Any]:
    """Return result.json: figures per split and mask, flat metrics, what was used, a sentence."""
    from ..machine.device import device_name, peak_memory_bytes

    masker = job.trainer.train_dataset.masker
    first = next(iter(job.rows.evaluation))
    labels = job.rows.evaluation[first].labels
    steps = job.recorder.status.get("step") or 0
    asked = steps_asked(job.spec, len(job.trainer.buckets))
    result = {
        "evaluations": evaluations,
        "metrics": metrics(evaluations, first),
        **({"majority": majority(labels)} if job.spec.kind == SINGLE else {}),
        "labels": list(job.rows.label_names),
        "train_rows": len(job.rows.train),
        "rows_left_plain": len(masker.left_plain),
        "realised_ratio": masker.realised_ratio(),
        "steps": steps,
        "steps_asked": asked,
        "ended_early": ended_early(job.spec, steps, asked),
        "seconds": seconds,
        "tokens_per_second": speed,
        "device": device_name(job.device),
        "precision": job.precision,
        **_learned(job),
        "peak_memory_bytes": peak_memory_bytes(job.device),
        "parameters": sum(p.numel() for p in job.trainer.model.parameters()),
        "notes": [*job.rows.notes, *filter(None, [job.trainer.hooks.packing.said])],
    }
    job.recorder.update(peak_memory_bytes=result["peak_memory_bytes"])
    said = (
        finding(result, first, job.spec.kind),
        result["ended_early"],
        drawn_head(job.spec, job.model),
    )
    return {"finding": " ".join(filter(None, said)), **result}


def _learned(job: Job) -> dict[str, Any]:
    """Return what a decoder learned of its rows; empty for other tasks."""
    if job.spec.task != CAUSAL:
        return {}
    lessons, packing = job.rows.train.labels, job.trainer.hooks.packing
    tokens = sum(len(lesson.weights) for lesson in lessons)
    return {
        "tokens": tokens,
        "learned_tokens": sum(lesson.count for lesson in lessons),
        "rows_cut": sum(lesson.cut > 0 for lesson in lessons),
        "packing": packing.works,
        "packing_leak": packing.leak,
    }


def majority(labels: Sequence[Any]) -> float:
    """Return the share of rows that have the most frequent label.

    >>> majority(["a", "a", "b", "a"])
    0.75
    """
    return max(Counter(map(str, labels)).values()) / len(labels)


def metrics(evaluations: Sequence[Mapping[str, Any]], first: str) -> dict[str, float]:
    """Return the figures of the first split, flat, and reliance where there is a distractor."""
    flat = {
        f"{figure}_{row['mask']}": row[figure]
        for row in evaluations
        if row["split"] == first
        for figure in FIGURES
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


def finding(result: Mapping[str, Any], first: str, kind: str) -> str:
    """Say in one sentence what the run reached; `kind` as in RunSpec.kind, or the task.

    >>> figures = {"accuracy_plain": 0.967, "ci95_low_plain": 0.833, "ci95_high_plain": 0.994}
    >>> finding({"metrics": figures, "evaluations": [], "majority": 0.5}, "dev", "label")[:46]
    'Accuracy 96.7\\xa0% (95 %: 83.3 to 99.4) plain; al'
    """
    figures = result["metrics"]
    said = {
        "mlm": _guessed,
        "seq2seq": _written,
        CAUSAL: _taught,
        MULTI: _several,
        REGRESSION: _number,
    }.get(kind)
    sentence = said(figures) if said else _classified(result, figures)
    return f"{sentence}{_few(result.get('evaluations', ()), first)}"


def _few(evaluations: Sequence[Mapping[str, Any]], first: str) -> str:
    """Say on how many rows the figures are, where they are few; else nothing.

    >>> _few([{"split": "dev", "mask": "plain", "rows": 1}], "dev")
    ' That is on 1 row that was held out, too few to say how well it does.'
    """
    rows = max((row["rows"] for row in evaluations if row["split"] == first), default=ENOUGH)
    if rows >= ENOUGH:
        return ""
    shown = "1 row that was" if rows == 1 else f"{rows} rows that were"
    return f" That is on {shown} held out, too few to say how well it does."


def _half(figures: Mapping[str, float], mask: str) -> str:
    """Return what stands behind a share for its interval; one row has none."""
    low, high = (figures.get(f"ci95_{end}_{mask}") for end in ("low", "high"))
    if low is not None and high is not None:
        return f" (95 %: {100 * low:.1f} to {100 * high:.1f})"
    half = figures.get(f"ci95_{mask}")
    return "" if half is None else f" ± {half * 100:.1f}"  # of runs before intervals had ends


def _guessed(figures: Mapping[str, float]) -> str:
    if "loss_masked" not in figures:
        return "No row that was evaluated holds anything hidden: there is no figure of the guesses."
    return (
        f"The model guesses {percent(figures['accuracy_masked'], 1)} of the hidden tokens "
        f"(perplexity {_perplexity(figures['loss_masked'])})."
    )


def _written(figures: Mapping[str, float]) -> str:
    """Say how good the texts are that it writes, else how well it goes on with the right ones.

    >>> _written({"loss_plain": 0.0, "bleu_plain": 43.1, "chrf_plain": 61.2, "rougeL_plain": 0.55,
    ...           "written_rows_plain": 100})
    'On 100 texts written: BLEU 43.1, chrF 61.2, ROUGE-L 0.55 plain.'
    """
    masks = _masks(figures, "chrf")
    said = [f"{_scores(figures, mask)} {mask}" for mask in masks]
    if said:
        return f"On {figures[f'written_rows_{masks[0]}']:.0f} texts written: {'; '.join(said)}."
    return f"Of what it is to write, given what stands before: {_guesses(figures)}."


def _taught(figures: Mapping[str, float]) -> str:
    """Say how well a decoder goes on with what it learns.

    >>> _taught({"loss_plain": 0.0, "accuracy_plain": 0.75})[46:]
    'perplexity 1.0 and 75.0\xa0% of the tokens right plain.'
    """
    return f"Of what is learned, given what stands before: {_guesses(figures)}."


def _guesses(figures: Mapping[str, float]) -> str:
    return "; ".join(
        f"perplexity {_perplexity(figures[f'loss_{mask}'])} and "
        f"{percent(figures[f'accuracy_{mask}'], 1)} of the tokens right {mask}"
        for mask in _masks(figures, "loss")
    )


def _scores(figures: Mapping[str, float], mask: str) -> str:
    shown = (("BLEU", "bleu", ".1f"), ("chrF", "chrf", ".1f"), ("ROUGE-L", "rougeL", ".2f"))
    said = ", ".join(
        f"{name} {figures[f'{key}_{mask}']:{form}}"
        for name, key, form in shown
        if f"{key}_{mask}" in figures
    )
    short = " (no BLEU: no reference has four words)" if f"bleu_{mask}" not in figures else ""
    return said + short


def _several(figures: Mapping[str, float]) -> str:
    said = [
        f"{figures[f'micro_f1_{mask}']:.3f} {mask}, all labels right in "
        f"{percent(figures[f'exact_match_{mask}'], 1)}{_half(figures, mask)}"
        for mask in _masks(figures, "micro_f1")
    ]
    return f"Micro-F1 {'; '.join(said)} of the rows."


def _number(figures: Mapping[str, float]) -> str:
    said = [
        f"{figures[f'mae_{mask}']:.3g} {mask}"
        + (f" (r {figures[f'pearson_{mask}']:.2f})" if f"pearson_{mask}" in figures else "")
        for mask in _masks(figures, "mae")
    ]
    return f"Mean absolute error {', '.join(said)}."


def _masks(figures: Mapping[str, float], figure: str) -> list[str]:
    return [mask for mask in ("plain", "masked") if f"{figure}_{mask}" in figures]


def _perplexity(loss: float) -> str:
    return f"{math.exp(min(loss, 50)):,.1f}"


def _classified(result: Mapping[str, Any], figures: Mapping[str, float]) -> str:
    said = [
        f"{percent(figures[f'accuracy_{mask}'], 1)}{_half(figures, mask)} {mask}"
        for mask in _masks(figures, "accuracy")
    ]
    sentence = f"Accuracy {', '.join(said)}"
    if "reliance_plain" in figures:
        shown = {(r["split"], r["mask"]): percent(r["accuracy"], 1) for r in result["evaluations"]}
        moves = [
            f"from {shown['aligned', mask]} to {shown['reversed', mask]} {mask}"
            for mask in ("plain", "masked")
            if ("reversed", mask) in shown
        ]
        beside = f"with the distractor reversed it goes {' and '.join(moves)}"
    else:
        beside = f"always the most frequent label would give {percent(result['majority'], 1)}"
    worst = worst_group(group_rows(result))
    return f"{'; '.join(filter(None, [sentence, beside, worst]))}."
