"""Make the bundled English pipeline: `python recipes/en_mini.py --data DIR --out FOLDER`.

Tags (UPOS), sentence boundaries and names (PERSON, ORG, GPE, LOC, MISC) with spaCy's small
convolutional network, taught by people's labels and by a larger encoder tuned on them. See
recipes/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import spacy
import torch
from checksums import write_checksums
from en_data import Augmenter, Row, by_length, exchanged, names_of, read_ner, usable
from en_silver import labelled, with_names
from en_teacher import tuned
from en_templates import template_rows
from en_vectors import VectorSize, load_vectors, make_vectors
from spacy.language import Language
from spacy.symbols import IDS
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import fix_random_seed
from thinc.api import Adam

# How often a sentence of each source is drawn, for the teacher and for the pipeline itself: most
# from what people type; `review`, `everyday` and `wikipedia` are labelled by the teacher.
TEACHER_SHARES = {
    "uner-ewt": 0.16,
    "wnut17": 0.20,
    "btc": 0.42,
    "wikigold": 0.06,
    "crossner": 0.06,
    "wikiann": 0.04,
    "template": 0.06,
}
SHARES = {
    "uner-ewt": 0.16,
    "wnut17": 0.17,
    "btc": 0.30,
    "wikigold": 0.05,
    "crossner": 0.05,
    "wikipedia": 0.05,
    "template": 0.06,
    "review": 0.11,
    "everyday": 0.05,
}


def arguments() -> argparse.Namespace:
    """Command line of the recipe."""
    parser = argparse.ArgumentParser(description=__doc__)
    data = os.environ.get("MASKVIZ_DATA", "data")
    parser.add_argument("--data", type=Path, default=Path(data), help="folder of parquet files")
    parser.add_argument("--out", type=Path, default=Path("maskviz/assets/en_mini"))
    parser.add_argument("--work", type=Path, default=Path("build/en_mini"), help="what is kept")
    parser.add_argument("--teacher", type=Path, required=True, help="a pretrained uncased encoder")
    parser.add_argument("--start", type=Path, help="a pipeline whose names are trained further")
    parser.add_argument("--teacher-minutes", type=float, default=16.0)
    parser.add_argument("--tag-minutes", type=float, default=9.0)
    parser.add_argument("--ner-minutes", type=float, default=42.0)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--drop", type=float, default=0.3, help="dropout")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


NETWORK = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    "width": 96,
    "depth": 4,
    "embed_size": 2000,
    "window_size": 1,
    "maxout_pieces": 3,
    "subword_features": True,
    "pretrained_vectors": True,
}


def build(vectors: Path) -> Language:
    """An untrained pipeline with the vectors in place."""
    nlp = spacy.blank("en")
    load_vectors(nlp, vectors)
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96, "upstream": "tok2vec"}
    nlp.add_pipe("tok2vec", config={"model": NETWORK})
    tagger = {"@architectures": "spacy.Tagger.v2", "tok2vec": listener}
    nlp.add_pipe("morphologizer", config={"model": tagger})
    nlp.add_pipe("senter", config={"model": tagger})
    add_names(nlp)
    return nlp


def add_names(nlp: Language) -> None:
    """Add an untrained recogniser of names, before a wrong sentence start can cut a name."""
    parser = {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": "ner",
        "extra_state_tokens": False,
        "hidden_width": 64,
        "maxout_pieces": 2,
        "use_upper": True,
        "tok2vec": NETWORK,
    }
    nlp.add_pipe("ner", config={"model": parser}, first=True)


def name_example(nlp: Language, row: Row) -> Example:
    """A training example for the names of a row."""
    reference = Doc(nlp.vocab, words=list(row.tokens))
    reference.ents = [Span(reference, start, end, label) for start, end, label in row.spans]
    return Example(Doc(nlp.vocab, words=list(row.tokens)), reference)


def tag_example(nlp: Language, sentences: pd.DataFrame, lower: bool) -> Example:
    """A training example for tags and boundaries from sentences that follow one another."""
    words: list[str] = []
    tags: list[str] = []
    starts: list[bool] = []
    for tokens, upos in zip(sentences["tokens"], sentences["upos"], strict=True):
        words += [token.lower() if lower else token for token in tokens]
        tags += list(upos)
        starts += [index == 0 for index in range(len(tokens))]
    reference = Doc(nlp.vocab, words=words, pos=tags, sent_starts=starts)
    return Example(Doc(nlp.vocab, words=words), reference)


def tag_batches(
    nlp: Language, frame: pd.DataFrame, names: dict[int, list[tuple[str, ...]]], seed: int
) -> Iterator[list[Example]]:
    """Endless batches of documents of one to six sentences in a row, with some other names."""
    rng = np.random.default_rng(seed)
    while True:
        batch: list[Example] = []
        words = 0
        while words < 800:
            start = int(rng.integers(len(frame)))
            sentences = frame.iloc[start : start + int(rng.integers(1, 7))]
            varied = [
                exchanged(list(words), list(tags), names, rng)
                for words, tags in zip(sentences["tokens"], sentences["upos"], strict=True)
            ]
            sentences = sentences.assign(tokens=varied)
            batch.append(tag_example(nlp, sentences, lower=rng.random() < 0.05))
            words += len(batch[-1].reference)
        yield batch


def name_rows(
    rows: list[Row], names: dict[str, list[tuple[str, ...]]], shares: dict[str, float], seed: int
) -> Iterator[Row]:
    """Endless rows drawn by the shares of the sources, each varied."""
    rng = np.random.default_rng(seed)
    augment = Augmenter(names, seed)
    by_source: dict[str, list[Row]] = {name: [] for name in shares}
    for row in filter(usable, rows):
        source = row.source.split("-")[0] if "crossner" in row.source else row.source
        if source in shares:
            by_source[source].append(row)
    by_source["template"] = template_rows(8000, names, rng)
    sources, weights = list(shares), np.array(list(shares.values()))
    while True:
        pool = by_source[sources[rng.choice(len(sources), p=weights / weights.sum())]]
        yield augment(pool[rng.integers(len(pool))])


def name_batches(nlp: Language, rows: Iterator[Row]) -> Iterator[list[Example]]:
    """Endless batches of about 900 words."""
    while True:
        batch: list[Example] = []
        words = 0
        while words < 900:
            row = next(rows)
            batch.append(name_example(nlp, row))
            words += len(row.tokens)
        yield batch


def train(
    nlp: Language,
    optimizer: Adam,
    batches: Iterator[list[Example]],
    minutes: float,
    rate: float,
    drop: float,
    name: str,
) -> None:
    """Update until the minutes are used up; warm-up, then a linear fall of the rate to zero."""
    begin, step, losses = time.monotonic(), 0, {}
    report = begin + 30
    while (share := (time.monotonic() - begin) / (60 * minutes)) < 1.0:
        optimizer.learn_rate = rate * min(1.0, (step + 1) / 100) * max(0.02, 1.0 - share)
        nlp.update(next(batches), sgd=optimizer, losses=losses, drop=drop)
        step += 1
        if time.monotonic() > report:
            report = time.monotonic() + 30
            print(f"{name} {share:.2f} step {step} {losses}", flush=True)
            losses = {}


def first_round(
    nlp: Language,
    options: argparse.Namespace,
    rows: list[Row],
    names: dict[str, list[tuple[str, ...]]],
) -> None:
    """Tags and boundaries in a pipeline that knows nothing yet; its names are only made ready."""
    frame = pd.read_parquet(options.data / "pos.parquet")
    frame = frame[frame["split"] == "train"].reset_index(drop=True)
    sample = [tag_example(nlp, frame.iloc[i : i + 1], False) for i in range(len(frame))]
    labelled = [name_example(nlp, row) for row in rows[:4000]]
    nlp.initialize(joined(sample, labelled))
    tags = tag_batches(nlp, frame, by_length(names), options.seed)
    pipes = ["tok2vec", "morphologizer", "senter"]
    run_stage(nlp, pipes, tags, options.tag_minutes, options.rate, drop=0.15)


def run_stage(
    nlp: Language,
    pipes: list[str],
    batches: Iterator[list[Example]],
    minutes: float,
    rate: float,
    drop: float,
) -> None:
    """Train some components and leave the average of their weights over the steps in them."""
    with nlp.select_pipes(enable=pipes):
        optimizer = Adam(rate, L2=0.01, grad_clip=1.0, use_averages=True)
        train(nlp, optimizer, batches, minutes, rate, drop, "+".join(pipes))
        with nlp.use_params(optimizer.averages):
            keep = {pipe: nlp.get_pipe(pipe).to_bytes(exclude=["vocab"]) for pipe in pipes}
    for pipe, state in keep.items():
        nlp.get_pipe(pipe).from_bytes(state, exclude=["vocab"])


def joined(*groups: list[Example]) -> Callable[[], list[Example]]:
    """The examples from which spaCy reads labels and sizes."""
    return lambda: [example for group in groups for example in group]


def save(nlp: Language, out: Path) -> None:
    """Write the folder without the words met in training, which the network does not need."""
    nlp.meta.update(name="maskviz_en_mini", version="0.1.0", license="CC BY-SA 4.0")
    nlp.to_disk(out)
    labels = {label for names in nlp.pipe_labels.values() for label in names}
    strings = sorted({*spacy.blank("en").vocab.strings, *labels, *IDS})
    (out / "vocab" / "strings.json").write_text(json.dumps(strings, ensure_ascii=False, indent=0))
    write_checksums(out)


def main() -> None:
    """Tune the teacher, let it label and give the vectors, train the pipeline, write its folder."""
    options = arguments()
    fix_random_seed(options.seed)
    torch.manual_seed(options.seed)
    options.work.mkdir(parents=True, exist_ok=True)
    gold, _ = read_ner(options.data)
    gold_names = names_of([row for row in gold if usable(row)])
    taught = name_rows(gold, gold_names, TEACHER_SHARES, options.seed)
    teacher, words = tuned(options.teacher, options.work, taught, options.teacher_minutes)
    silver = labelled(teacher, words, options.data, gold, options.work, options.seed)
    found = names_of(silver)
    names = {kind: [*known, *found.get(kind, [])] for kind, known in gold_names.items()}
    if options.start:
        nlp = spacy.load(options.start)
    else:
        size = VectorSize()
        nlp = build(make_vectors(options.data, options.work, options.teacher, teacher, size))
        first_round(nlp, options, gold, names)
    rows = name_rows([*gold, *with_names(silver, options.seed)], names, SHARES, options.seed)
    run_stage(
        nlp, ["ner"], name_batches(nlp, rows), options.ner_minutes, options.rate, options.drop
    )
    save(nlp, options.out)
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
