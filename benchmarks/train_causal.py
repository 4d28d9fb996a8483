"""One fine-tune of a decoder beside TRL's SFTTrainer: real tokens per second, peak of memory, loss.

    pip install trl datasets
    python benchmarks/train_causal.py --model smollm2                  # all weights, mixed lengths
    python benchmarks/train_causal.py --model smollm2 --lengths equal
    python benchmarks/train_causal.py --model path/to/gemma --lora 16 --lengths long --steps 8

Both learn the same rows: conversations from a seeded generator, read by the model's own template,
the same tokens learned (TRL gets `input_ids` and `assistant_masks`, as `maskviz audit --loss
--export trl` writes them). Precision, gradient checkpointing, optimiser, learning rate, trained
weights, seed, batch and number of steps are the same. TRL runs as it comes (batches at random) and
at its best here: rows grouped by length, and packed. maskviz runs with length buckets, and packed.
Each variant has a process of its own, so that the peak is its own; its first step is not counted.
transformers groups rows by length within a quarter of the batches, 50 at most: give some hundred
`--rows` for that. Real tokens: padding is not counted, and its share is printed. `--clock cpu`
counts the processor's time of all threads, which a busy machine changes little, in the place of
the wall's.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

VARIANTS = ("maskviz", "maskviz packed", "trl", "trl by length", "trl packed")
WORDS = ("the", "river", "bends", "twice", "before", "mill", "and", "nobody", "remembers", "stone")


def write_rows(path: Path, lengths: str, count: int) -> None:
    """Write conversations of mixed, equal or long lengths, the same for a seed."""
    rng = random.Random(0)  # noqa: S311 - a seeded stream

    def said(low: int, high: int) -> str:
        return " ".join(rng.choice(WORDS) for _ in range(rng.randint(low, high)))

    sizes = {"mixed": (4, 220, 4, 90), "equal": (60, 60, 40, 40), "long": (300, 300, 80, 80)}
    a, b, c, d = sizes[lengths]
    rows = []
    for i in range(count + 4):
        turns = [{"role": "user", "content": said(a, b)}]
        turns.append({"role": "assistant", "content": said(c, d)})
        rows.append({"messages": turns, "split": "train" if i < count else "dev"})
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


def spec_of(given: argparse.Namespace, data: Path, packing: bool) -> Any:
    """Return the run that all variants train."""
    from maskviz.training import RunSpec

    return RunSpec.build(
        task="causal", model=given.model, path=str(data), max_steps=given.steps, seed=0,
        per_device_train_batch_size=given.batch, max_length=given.max_length, packing=packing,
        precision=given.precision, gradient_checkpointing=given.checkpointing,
        lora_r=given.lora, lora_alpha=32, lora_dropout=0.0, learning_rate=1e-4,
        lr_scheduler_type="constant", device="auto",
    )  # fmt: skip


def train_maskviz(given: argparse.Namespace, data: Path, packing: bool) -> Any:
    """Return a Trainer of maskviz, and the number of tokens of its collator's last batch."""
    from maskviz.models import load_model
    from maskviz.training.data.lessons import with_lessons
    from maskviz.training.data.rows import load_rows
    from maskviz.training.loop.assemble import assemble
    from maskviz.training.loop.recorder import Recorder
    from maskviz.training.machine.device import resolve_device, resolve_precision

    spec = spec_of(given, data, packing)
    folder = data.parent / "run"
    folder.mkdir()
    (folder / "spec.toml").write_text(spec.to_toml(), encoding="utf-8")
    model = load_model(spec.model)
    rows = with_lessons(spec, model, load_rows(spec))
    device = resolve_device(spec.device)
    precision = resolve_precision(spec.precision, device)
    trainer, _ = assemble(folder, spec, rows, model, Recorder(folder), device, precision)
    return trainer


def train_trl(given: argparse.Namespace, data: Path, variant: str) -> Any:
    """Return TRL's Trainer over the same tokens."""
    from datasets import Dataset
    from transformers import AutoModelForCausalLM
    from trl import SFTConfig, SFTTrainer

    from maskviz.models import load_model
    from maskviz.training.loss_audit import Examined
    from maskviz.training.loss_export import FORMS
    from maskviz.training.machine.device import resolve_device, resolve_precision

    examined = Examined.of(spec_of(given, data, packing=False))
    rows = [
        FORMS["trl"](examined, spoken, examined.teacher.learned(spoken, i))
        for i, spoken in enumerate(examined.rows)
    ][: given.rows or given.steps * given.batch]
    model = load_model(given.model)
    device = resolve_device("auto")
    precision = resolve_precision(given.precision, device)
    options: dict[str, Any] = {}
    if variant == "trl packed":
        options["packing"] = True
    if variant == "trl by length":
        options["train_sampling_strategy"] = "group_by_length"
    config = SFTConfig(
        output_dir=str(data.parent / "trl"), max_steps=given.steps, seed=0,
        per_device_train_batch_size=given.batch, max_length=given.max_length,
        bf16=precision == "bf16", learning_rate=1e-4,
        lr_scheduler_type="constant", gradient_checkpointing=given.checkpointing,
        logging_steps=1, save_strategy="no", report_to="none", use_cpu=device == "cpu",
        disable_tqdm=True, **options,
    )  # fmt: skip
    peft = None
    if given.lora:
        from peft import LoraConfig

        peft = LoraConfig(
            task_type="CAUSAL_LM", r=given.lora, lora_alpha=32, lora_dropout=0.0,
            target_modules="all-linear",
        )  # fmt: skip
    network = AutoModelForCausalLM.from_pretrained(model.path, dtype="float32")
    return SFTTrainer(
        network, args=config, train_dataset=Dataset.from_list(rows),
        processing_class=model.tokenizer, peft_config=peft,
    )  # fmt: skip


def measured(trainer: Any, clock: str) -> dict[str, Any]:
    """Train; return seconds, real tokens and padding behind the first step, and the losses."""
    from transformers import TrainerCallback

    now = time.process_time if clock == "cpu" else time.perf_counter
    collate = trainer.data_collator
    counts, marks, losses = [], [], []

    def counting(rows: Any) -> Any:
        batch = collate(rows)
        every = batch["input_ids"].numel()
        real = batch.get("real_tokens")
        if real is None and "attention_mask" in batch:
            real = int(batch["attention_mask"].sum())
        counts.append((every if real is None else real, every))
        return batch

    class Marks(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            marks.append(now())

        def on_log(self, *_: Any, logs: dict[str, float] | None = None, **__: Any) -> None:
            if logs and "loss" in logs:
                losses.append(round(logs["loss"], 4))

    trainer.data_collator = counting
    trainer.add_callback(Marks())
    trainer.train()
    steps = counts[1 : len(marks)]
    real, every = sum(r for r, _ in steps), sum(e for _, e in steps)
    return {
        "seconds": marks[-1] - marks[0],
        "tokens": real,
        "padding": 1 - real / every if every else 0.0,
        "losses": losses,
    }


def one(given: argparse.Namespace) -> dict[str, Any]:
    """Train one variant in this process, and return its figures."""
    from maskviz.training.machine.device import peak_memory_bytes, resolve_device

    with tempfile.TemporaryDirectory() as name:
        os.environ.setdefault("MASKVIZ_HOME", f"{name}/home")
        data = Path(name) / "rows.jsonl"
        write_rows(data, given.lengths, given.rows or given.steps * given.batch)
        if given.only.startswith("maskviz"):
            trainer = train_maskviz(given, data, given.only.endswith("packed"))
        else:
            trainer = train_trl(given, data, given.only)
        found = measured(trainer, given.clock)
    return {**found, "peak": peak_memory_bytes(resolve_device("auto"))}


def compare(arguments: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Train each variant in a process of its own, and print a line for it."""
    found: dict[str, dict[str, Any]] = {}
    for variant in VARIANTS:
        if variant.startswith("trl") and not (find_spec("trl") and find_spec("datasets")):
            print(f"{variant:<16}needs pip install trl datasets")
            continue
        command = [sys.executable, __file__, *arguments, "--only", variant]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        if said.returncode:
            print(f"{variant:<16}failed: {said.stderr.strip().splitlines()[-1][:120]}")
            continue
        row = json.loads(said.stdout.splitlines()[-1])
        found[variant] = row
        speed, base = row["tokens"] / row["seconds"], found.get("trl")
        ratio = f"{speed / (base['tokens'] / base['seconds']):5.2f} x trl" if base else ""
        print(
            f"{variant:<16}{speed:9,.0f} tokens/s  padding {row['padding']:5.1%}  "
            f"peak {row['peak'] / 1e9:5.2f} GB  loss {row['losses'][-1:]} {ratio}"
        )
    return found


def main() -> None:
    """Read the options; compare, or train the one variant that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--lengths", choices=("mixed", "equal", "long"), default="mixed")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rows", type=int, default=0, help="0: as many as the steps take")
    parser.add_argument("--max-length", type=int, default=512)
    parser.add_argument("--lora", type=int, default=0, help="rank; 0 trains all weights")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--checkpointing", action="store_true")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--json", help="write the figures here")
    parser.add_argument("--only", choices=VARIANTS)
    given = parser.parse_args()
    if given.only:
        print(json.dumps(one(given)))
        return
    found = compare(sys.argv[1:])
    if given.json:
        Path(given.json).write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
