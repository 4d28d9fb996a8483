"""Make the bundled model `mini-chat`: `python recipes/mini_chat.py --data DIR`.

Vocabulary, then one run of training on plain text, verdicts and questions; resumable at any point
by the same command. See recipes/README.md for time, memory and the data it reads.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from chat_batches import Examples, Rows
from chat_data import REVIEWS, build_cache
from chat_model import Chat, Size, build_config, save_folder
from chat_train import Plan, Trainer


def arguments() -> argparse.Namespace:
    """Command line of the recipe."""
    parser = argparse.ArgumentParser(description=__doc__)
    data = os.environ.get("MASKVIZ_DATA", "data")
    parser.add_argument("--data", type=Path, default=Path(data), help="folder of parquet files")
    parser.add_argument("--out", type=Path, default=Path("maskviz/assets/mini-chat"))
    parser.add_argument("--work", type=Path, default=Path("build/mini-chat"))
    parser.add_argument("--minutes", type=float, default=Plan.minutes)
    parser.add_argument("--decay", type=float, default=Plan.decay, help="share of the budget")
    parser.add_argument("--max-steps", type=int, default=0, help="0 = by the clock")
    parser.add_argument("--long", type=int, default=Plan.long, help="tokens a row in the decay")
    parser.add_argument("--tokens-per-step", type=int, default=Plan.tokens_per_step)
    parser.add_argument("--muon-rate", type=float, default=Plan.muon_rate)
    parser.add_argument("--adam-rate", type=float, default=Plan.adam_rate)
    parser.add_argument("--answer-weight", type=float, default=Plan.answer_weight)
    parser.add_argument("--layers", type=int, default=Size.layers)
    parser.add_argument("--hidden", type=int, default=Size.hidden)
    parser.add_argument("--intermediate", type=int, default=Size.intermediate)
    parser.add_argument("--vocab-size", type=int, default=4096)
    parser.add_argument("--reviews", type=int, default=REVIEWS, help="how many are read")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    """Run or resume the training and write the model folder."""
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    options.work.mkdir(parents=True, exist_ok=True)
    cache, seed = options.work / "cache", options.seed
    tokenizer = build_cache(options.data, cache, options.vocab_size, seed, options.reviews)
    verdicts = pd.read_parquet(cache / "verdicts.parquet")
    examples = Examples(tokenizer, list(verdicts["text"]), list(verdicts["label"]), seed)
    rows = Rows(np.load(cache / "stream.npy", mmap_mode="r"), examples, seed)
    plan = Plan(
        minutes=options.minutes,
        decay=options.decay,
        max_steps=options.max_steps,
        long=options.long,
        tokens_per_step=options.tokens_per_step,
        muon_rate=options.muon_rate,
        adam_rate=options.adam_rate,
        answer_weight=options.answer_weight,
        seed=seed,
    )
    size = Size(options.layers, options.hidden, intermediate=options.intermediate)
    model = Chat(build_config(tokenizer.get_vocab_size(), size))
    trainer = Trainer(model, rows, plan, options.work)
    trainer.load()
    trainer.run()
    save_folder(trainer.model.llama, tokenizer, options.out)
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
