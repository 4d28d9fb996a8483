"""Make the bundled model `mini`: `python recipes/mini.py --data DIR --out maskviz/assets/mini`.

Vocabulary, masked language modelling, then sentiment beside it; resumable at any point by the
same command. See recipes/README.md for time, memory and the data it reads.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from mini_batches import Labelled, Pieces, continuations, label_pools, with_teacher
from mini_data import build_cache
from mini_model import Mini, Size, build_config, load_folder, save_folder
from mini_teacher import TeacherPlan, soft_labels
from mini_train import Plan, Trainer
from tokenizers import Tokenizer


def arguments() -> argparse.Namespace:
    """Command line of the recipe."""
    parser = argparse.ArgumentParser(description=__doc__)
    data = os.environ.get("MASKVIZ_DATA", "data")
    parser.add_argument("--data", type=Path, default=Path(data), help="folder of parquet files")
    parser.add_argument("--out", type=Path, default=Path("maskviz/assets/mini"))
    parser.add_argument("--work", type=Path, default=Path("build/mini"), help="checkpoints")
    parser.add_argument("--start", type=Path, help="a finished folder whose weights are trained on")
    parser.add_argument("--teacher", type=Path, help="folder of a larger pretrained encoder")
    parser.add_argument("--sentences", type=int, default=150_000, help="the teacher is asked about")
    parser.add_argument("--pretrain-minutes", type=float, default=Plan.pretrain_minutes)
    parser.add_argument("--joint-minutes", type=float, default=Plan.joint_minutes)
    parser.add_argument("--max-steps", type=int, default=0, help="per stage; 0 = by the clock")
    parser.add_argument("--muon-rate", type=float, default=Plan.muon_rate)
    parser.add_argument("--adam-rate", type=float, default=Plan.adam_rate)
    parser.add_argument("--label-weight", type=float, default=Plan.label_weight)
    parser.add_argument("--vocab-size", type=int, default=16_000)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def make_plan(options: argparse.Namespace) -> Plan:
    """The plan that the options ask for."""
    return Plan(
        pretrain_minutes=options.pretrain_minutes,
        joint_minutes=options.joint_minutes,
        max_steps=options.max_steps,
        muon_rate=options.muon_rate,
        adam_rate=options.adam_rate,
        label_weight=options.label_weight,
        label_batches=2 if options.teacher else 1,
        seed=options.seed,
    )


def main() -> None:
    """Run or resume every stage and write the model folder."""
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    options.work.mkdir(parents=True, exist_ok=True)
    cache = options.work / "cache"
    known = Tokenizer.from_file(str(options.start / "tokenizer.json")) if options.start else None
    tokenizer = build_cache(options.data, cache, options.vocab_size, options.seed, known)
    continues = continuations(tokenizer)
    pieces = Pieces(np.load(cache / "stream.npy", mmap_mode="r"), continues, options.seed)
    soft = None
    if options.teacher:
        plan = TeacherPlan(seed=options.seed)
        soft = soft_labels(options.teacher, cache, options.sentences, plan)
    sentiment = with_teacher(pd.read_parquet(cache / "sentiment.parquet"), soft)
    labelled = Labelled(label_pools(tokenizer, sentiment), continues, options.seed)
    model = Mini(build_config(tokenizer.get_vocab_size(), Size()))
    if options.start:
        load_folder(model, options.start)
    trainer = Trainer(model, pieces, labelled, make_plan(options), options.work)

    if not trainer.load("joint"):
        trainer.load("pretrain")
        trainer.run("pretrain", options.pretrain_minutes)
        trainer.load("pretrain", fresh_clock=True)
    trainer.run("joint", options.joint_minutes)
    save_folder(trainer.model, tokenizer, options.out)
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
