"""The stages of a run: prepared, trained, evaluated and finished."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...paths import write_atomic
from ..data.hits import require_hits
from ..data.rows import Rows, load_rows
from ..model.mask_token import learning_mask
from ..model.network import drawn_head
from ..spec.spec import CAUSAL, SINGLE, RunSpec
from .job import Job
from .recorder import Recorder


def prepare(folder: Path, threads: int | None, recorder: Recorder, rows: Rows | None = None) -> Job:
    """Load data, model and trainer."""
    import torch
    from transformers import set_seed

    from ...models import load_model
    from ..machine.device import device_name, resolve_device, resolve_precision
    from .assemble import assemble
    from .checkpoints import same_rows

    began = time.monotonic()
    spec = RunSpec.from_file(folder / "spec.toml")
    device = resolve_device(spec.device)
    precision = resolve_precision(spec.precision, device)
    if threads:
        torch.set_num_threads(threads)
    set_seed(spec.seed)
    recorder.phase("reading the data")
    rows = rows or load_rows(spec)
    for note in rows.notes:
        recorder.log(note)
    same_rows(folder, rows, recorder.writes)
    recorder.phase("loading the model")
    recorder.update(device=device_name(device), precision=precision)
    model = learning_mask(spec, load_model(spec.model))
    rows = rows.in_order(model.labels) if spec.kind == SINGLE else rows
    if spec.task == CAUSAL:
        rows = _as_lessons(spec, model, rows, recorder)
    if note := drawn_head(spec, model):
        recorder.log(note)
        rows = replace(rows, notes=(*rows.notes, note))
    trainer, pacer = assemble(folder, spec, rows, model, recorder, device, precision)
    require_hits(trainer.train_dataset.masker)
    precision = "bf16" if trainer.args.bf16 else "float32"
    return Job(folder, spec, rows, model, trainer, pacer, recorder, device, precision, began)


def _as_lessons(spec: RunSpec, model: Any, rows: Rows, recorder: Recorder) -> Rows:
    """Return the rows as a decoder learns them; what there is to say of them is logged."""
    from ..data.lessons import with_lessons

    found = with_lessons(spec, model, rows)
    for note in found.notes[len(rows.notes) :]:
        recorder.log(note)
    return found


def train(job: Job) -> None:
    """Train from the last complete checkpoint, or from the start."""
    from .checkpoints import checkpoints, step_of

    found = checkpoints(job.folder / "checkpoints")
    last = found[-1] if found else None
    step = step_of(last) if last else 0
    job.recorder.rewind(step)
    if last and _is_complete(job, last):
        job.recorder.log(f"trained before, to step {step}")
        job.recorder.update(step=step, steps=step)
        job.trainer._load_from_checkpoint(str(last))
    else:
        if last:
            job.recorder.log(f"goes on from step {step}")
        job.trainer.train(resume_from_checkpoint=str(last) if last else None)
    _take_best(job)


def _take_best(job: Job) -> None:
    """Go back to the best weights where the run may stop early, or names what they are best in."""
    from .checkpoints import checkpoints

    best = job.pacer.patience.best_step
    kept = {p.name: p for p in checkpoints(job.folder / "checkpoints")}
    chosen = kept.get(f"checkpoint-{best}")
    if chosen is not None and best != job.trainer.state.global_step:
        job.recorder.log(f"takes the weights of step {best}, where {job.pacer.patience.said}")
        job.trainer._load_from_checkpoint(str(chosen))


def _is_complete(job: Job, checkpoint: Path) -> bool:
    """Tell whether training was over at this checkpoint."""
    if minutes := job.spec.training.max_minutes:
        return job.recorder.seconds >= minutes * 60
    if job.pacer.patience.is_over:
        return True
    state = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    return state["global_step"] >= state["max_steps"]


def evaluate(job: Job) -> dict[str, Any]:
    """Evaluate every part of the data, plain and masked, and say what was found."""
    from .answers import Answers
    from .metrics import FIGURES
    from .result import summarise
    from .sets import evaluation_sets
    from .writing import written_figures

    job.recorder.phase("evaluating")
    trained = job.recorder.seconds
    speed = job.recorder.status.get("tokens_per_second")
    evaluations = []
    answers = Answers(job.trainer)
    for split, part in job.rows.evaluation.items():
        written = written_figures(job, part) if job.spec.task == "seq2seq" else {}
        for mask, rows in evaluation_sets(job.spec, job.model, part).items():
            with answers.of(split, mask, part, rows):
                figures = job.trainer.evaluate(rows, metric_key_prefix="eval")
            kept = {name: figures[f"eval_{name}"] for name in FIGURES if f"eval_{name}" in figures}
            kept |= written.get(mask, {})
            if job.trainer.by_group:
                kept["group_accuracy"] = job.trainer.by_group
                kept["group_rows"] = {g: part.groups.count(g) for g in job.trainer.by_group}
            evaluations.append({"split": split, "mask": mask, "rows": len(rows), **kept})
    answers.save(job.folder)
    return summarise(job, evaluations, trained, speed)


def finish(job: Job, result: dict[str, Any]) -> None:
    """Write the result and the model."""
    from ..model.network import save_network

    job.recorder.phase("saving the model")
    if not job.recorder.writes:
        return
    write_atomic(job.folder / "result.json", json.dumps(result, indent=2, ensure_ascii=False))
    save_network(job.trainer.model, job.model, job.folder, job.spec, result)
