"""Make the bundled model `mini-translate`: `python recipes/translate.py --data DIR`.

Vocabulary, then one run of training on sentence pairs; resumable at any point by the same
command. See recipes/README.md for time, memory and the data it reads.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import torch
from translate_batches import PairStream
from translate_data import build_cache
from translate_model import Size, Translator, build_config, save_folder
from translate_train import Plan, Trainer
from translate_vectors import joint_vectors


def arguments() -> argparse.Namespace:
    """Command line of the recipe."""
    parser = argparse.ArgumentParser(description=__doc__)
    data = os.environ.get("MASKVIZ_DATA", "data")
    parser.add_argument("--data", type=Path, default=Path(data), help="folder of parquet files")
    parser.add_argument("--out", type=Path, default=Path("maskviz/assets/mini-translate"))
    parser.add_argument("--work", type=Path, default=Path("build/mini-translate"))
    parser.add_argument("--minutes", type=float, default=Plan.minutes)
    parser.add_argument("--max-steps", type=int, default=0, help="0 = by the clock")
    parser.add_argument("--batch-tokens", type=int, default=2048, help="target tokens a step")
    parser.add_argument("--muon-rate", type=float, default=Plan.muon_rate)
    parser.add_argument("--adam-rate", type=float, default=Plan.adam_rate)
    parser.add_argument("--embedding-rate", type=float, default=Plan.embedding_rate)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--encoder-layers", type=int, default=Size.encoder_layers)
    parser.add_argument("--decoder-layers", type=int, default=Size.decoder_layers)
    parser.add_argument("--hidden", type=int, default=Size.hidden)
    parser.add_argument("--intermediate", type=int, default=Size.intermediate)
    parser.add_argument("--vocab-size", type=int, default=6_000)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    """Run or resume the training and write the model folder."""
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    options.work.mkdir(parents=True, exist_ok=True)
    seed, tokens = options.seed, options.batch_tokens
    tokenizer, pairs = build_cache(options.data, options.work / "cache", options.vocab_size, seed)
    stream = PairStream(tokenizer, pairs.train, tokens, seed)
    validation = PairStream(tokenizer, pairs.validation, tokens, seed)
    size = Size(
        encoder_layers=options.encoder_layers,
        decoder_layers=options.decoder_layers,
        hidden=options.hidden,
        intermediate=options.intermediate,
    )
    config = build_config(tokenizer.get_vocab_size(), size, options.dropout)
    plan = Plan(
        minutes=options.minutes,
        max_steps=options.max_steps,
        muon_rate=options.muon_rate,
        adam_rate=options.adam_rate,
        embedding_rate=options.embedding_rate,
        seed=seed,
    )
    model = Translator(config)
    trainer = Trainer(model, stream, validation, plan, options.work)
    if not trainer.load():
        vocabulary = tokenizer.get_vocab_size()
        vectors = joint_vectors(stream.sources, stream.targets, vocabulary, size.hidden, seed)
        trainer.start_from(vectors)
    trainer.run()
    print(f"validation loss {trainer.validate():.4f}")
    trainer.use_average()
    save_folder(trainer.model.t5, tokenizer, options.out)
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
