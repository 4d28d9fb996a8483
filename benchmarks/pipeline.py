"""A file through `compare_file` beside a loop of transformers' own pipeline over the same texts.

    python benchmarks/pipeline.py --data reviews.parquet [--where source=sst] [--rows 300]

The peer is `pipeline("text-classification", batch_size=32, top_k=None)` on the network as
transformers loads it, in the order of the rows; it is handed the plain and the masked texts ready
made, where ours reads the file, chooses the masks and adds the figures up within its time. Masked
texts are written out with the mask token in the place of each hidden token, and only those count
that tokenise to what maskviz reads. Held to: 3 × its speed on two cores, equal labels, and
probabilities to 1e-5. `--cpu` takes the processor's time on one thread, for a busy machine.
"""

from __future__ import annotations

import argparse
import csv
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
import transformers

from maskviz import mask
from maskviz.data import guess_columns, iter_rows, preview
from maskviz.evidence import compare_file
from maskviz.evidence.files.tally import RowResult
from maskviz.masks import Mask, apply
from maskviz.models import Model, load_model

_BATCH, _NEAR = 32, 1e-5


def main() -> None:
    """Let both read the same texts, and print seconds, ratio and the largest difference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="table with a column of texts")
    parser.add_argument("--where", default="", help="take rows of which this column is so, a=b")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--strategies", default="random,attribute")
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--cpu", action="store_true")
    asked = parser.parse_args()
    clock = time.process_time if asked.cpu else time.perf_counter
    torch.set_num_threads(1 if asked.cpu else 2)
    model, names = load_model(asked.model), asked.strategies.split(",")
    own = transformers.AutoModelForSequenceClassification.from_pretrained(model.path).eval()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "texts.csv")
        write(path, asked.data, asked.where, asked.rows)
        compare_file(path, names, text_column="text", model=model, draws=0, limit=32)
        rows: list[RowResult] = []
        begin = clock()
        compare_file(path, names, text_column="text", model=model, draws=0, each=rows.append)
        ours = clock() - begin
    texts, answers = texts_of(model, rows, names)
    ask = transformers.pipeline(
        "text-classification", own, tokenizer=model.tokenizer, batch_size=_BATCH, top_k=None
    )
    ask(texts[:_BATCH], truncation=True)
    begin = clock()
    found = ask(texts, truncation=True)
    theirs = clock() - begin
    told = compared(found, answers)
    asked_of_us = len(rows) * (1 + len(names))
    print(f"{len(rows)} rows, {asked_of_us} texts, of which the pipeline is given {len(texts)}")
    print(f"maskviz {ours:.1f} s, pipeline {theirs:.1f} s, load {os.getloadavg()[0]:.1f}")
    print(f"texts a second: {(asked_of_us / ours) / (len(texts) / theirs):.2f} times as many")
    print(f"labels that differ: {told[0]}; largest difference of a probability {told[1]:.1e}")
    if told[0] or told[1] > _NEAR:
        raise SystemExit("The answers differ.")


def write(path: Path, data: str, where: str, most: int) -> None:
    """Write the first texts of a table as a CSV."""
    column, (name, _, value) = guess_columns(preview(data, rows=200)).text, where.partition("=")
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("text",))
        for row in iter_rows(data):
            if (not name or str(row[name]) == value) and Mask(str(row[column])).words:
                writer.writerow((row[column],))
                most -= 1
            if not most:
                return


def texts_of(
    model: Model, rows: list[RowResult], names: list[str]
) -> tuple[list[str], list[tuple[str, float]]]:
    """Return the plain and masked texts as strings, with what maskviz answered to each."""
    texts, answers = [], []
    for row in rows:
        texts.append(row.text)
        answers.append((row.label, row.probability))
        for name in names:
            written = spelt(model, mask(row.text, name, seed=row.seed))
            if written is not None:
                effect = row.effects[name]
                texts.append(written)
                answers.append((effect.label, effect.probability))
    return texts, answers


def spelt(model: Model, chosen: Mask) -> str | None:
    """Return a text with the mask token for each hidden token; None where it reads otherwise."""
    plain, read = model.tokenise(chosen.text), apply(chosen, "mask", model)
    if plain.truncated_at is not None:
        return None
    parts, at = [], 0
    for place, one, other in zip(plain.offsets, plain.input_ids, read.input_ids, strict=True):
        if place is not None and one != other:
            parts += [chosen.text[at : place[0]], model.mask_token or ""]
            at = place[1]
    written = "".join([*parts, chosen.text[at:]])
    same = list(model.tokenizer(written)["input_ids"]) == list(read.input_ids)
    return written if same else None


def compared(found: Any, answers: list[tuple[str, float]]) -> tuple[int, float]:
    """Return how many labels differ, and the largest difference of a probability."""
    differ, largest = 0, 0.0
    for scores, (label, probability) in zip(found, answers, strict=True):
        by_label = {one["label"]: one["score"] for one in scores}
        differ += max(by_label, key=by_label.__getitem__) != label
        largest = max(largest, abs(by_label[label] - probability))
    return differ, largest


if __name__ == "__main__":
    main()
