"""Masks: training collators beside Hugging Face's, annotation in one pass, a file as a stream.

    python benchmarks/masks.py [collators] [annotation] [stream] [--rounds 7] [--rows 320]
                               [--texts 10000] [--lines 1000000] [--json]

collators: milliseconds from rows to tensors, our masks and transformers'
DataCollatorForLanguageModeling on the same batches of 32 rows in turn, both 80/10/10. The peer
gets its features tokenised beforehand with its special tokens mask, its quickest way, and so do
we. Its whole-word option stands beside `random` (both hide whole words, both put only mask
tokens). Annotations are made before the first timed batch. Targets: random-token at least 1.0
times its speed, random, span and entity 0.5.

annotation: reviews that the bundled pipeline reads in one pass, and a sample read one by one.

stream: `maskviz mask --file`, strategy random, as a process of its own; its peak memory on a
hundredth of the lines and on all of them.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

BATCH, LONGEST, ALONE = 32, 128, 200
PEER, WHOLE_WORD = "transformers", "transformers, whole words"
# strategy, operator, the peer it stands beside, target of its speed / the peer's
CASES = (
    ("random-token", "corrupt", PEER, 1.0),
    ("random", "corrupt", PEER, 0.5),
    ("span", "corrupt", PEER, 0.5),
    ("entity", "corrupt", PEER, 0.5),
    ("random", "mask", WHOLE_WORD, 0.5),
)


def reviews(count: int, sentences: int = 8) -> Iterator[str]:
    """Yield texts of about 100 words, made of the example set's rows."""
    from maskviz.data import make_example

    short = make_example(1000, seed=0)["text"].tolist()
    rng = random.Random(0)  # noqa: S311  repeatable, not secret
    for _ in range(count):
        yield " ".join(rng.choice(short) for _ in range(sentences))


# collators ----------------------------------------------------------------------------------


def collators(rounds: int, rows: int) -> list[dict[str, Any]]:
    """Return for each case the median milliseconds of a batch, ours and the peer's."""
    from maskviz.models import load_model

    model, texts = load_model("mini"), list(reviews(rows))
    peers = _peers(model.tokenizer, texts)
    ours = {case: _ours(model, texts, *case[:2]) for case in CASES}
    times: dict[Any, list[float]] = {key: [] for key in (*peers, *ours)}
    for turn in range(rounds + 1):
        for key, run in (*peers.items(), *ours.items()):
            seconds = _seconds(run)
            if turn:  # the first round lays out rows and annotates
                times[key].append(1000 * seconds * BATCH / rows)
    found = {key: statistics.median(values) for key, values in times.items()}
    return [
        {
            "strategy": case[0],
            "operator": case[1],
            "peer": case[2],
            "ms": round(found[case], 3),
            "peer_ms": round(found[case[2]], 3),
            "ratio": round(found[case[2]] / found[case], 2),
            "target": case[3],
        }
        for case in CASES
    ]


def _peers(tokenizer: Any, texts: list[str]) -> dict[str, Callable[[], None]]:
    from transformers import DataCollatorForLanguageModeling

    def run(whole_word_mask: bool) -> Callable[[], None]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that whole words take no random tokens
            collator = DataCollatorForLanguageModeling(tokenizer, whole_word_mask=whole_word_mask)
        made = tokenizer(
            texts,
            truncation=True,
            max_length=LONGEST,
            padding=whole_word_mask,  # that option does not pad its offsets
            return_special_tokens_mask=True,
            return_offsets_mapping=whole_word_mask,
        )
        features = [{key: made[key][i] for key in made} for i in range(len(texts))]

        def batches() -> None:
            for start in range(0, len(features), BATCH):
                collator([dict(f) for f in features[start : start + BATCH]])

        return batches

    return {PEER: run(False), WHOLE_WORD: run(True)}


def _ours(model: Any, texts: list[str], strategy: str, operator: str) -> Callable[[], None]:
    from maskviz.training.data.batches import Collator, MaskedRows
    from maskviz.training.data.masking import Masker
    from maskviz.training.spec.spec import MaskingSpec

    masker = Masker(model, texts, MaskingSpec(strategy, operator), 0, LONGEST)
    rows = MaskedRows(masker, [0] * len(texts))
    collator = Collator(model.tokenizer.pad_token_id, "mlm")

    def batches() -> None:
        rows.epoch += 1
        for start in range(0, len(texts), BATCH):
            indices = range(start, min(start + BATCH, len(texts)))
            collator(rows.__getitems__(indices))

    return batches


def _seconds(run: Callable[[], None]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


# annotation ---------------------------------------------------------------------------------


def annotation(count: int) -> dict[str, Any]:
    """Return texts a second in one pass over `count` texts and one by one over a sample."""
    from tqdm import tqdm

    from maskviz.text import Document, load_pipeline
    from maskviz.text.together import annotate_together

    load_pipeline()
    alone = [Document(text) for text in reviews(ALONE)]
    apart = _seconds(lambda: [document.entities for document in alone])
    documents = [Document(f"{text} {i}") for i, text in enumerate(reviews(count))]
    with tqdm(total=count, desc="annotating", unit=" texts") as bar:
        together = _seconds(
            lambda: annotate_together(documents, lambda done: bar.update(done - bar.n))
        )
    words = sum(len(document.words) for document in documents)
    return {
        "texts": count,
        "words": words,
        "seconds": round(together, 1),
        "texts_per_second": round(count / together, 1),
        "one_by_one_per_second": round(ALONE / apart, 1),
        "ratio": round(count / together * apart / ALONE, 2),
    }


# stream -------------------------------------------------------------------------------------


def stream(lines: int) -> list[dict[str, Any]]:
    """Return seconds and peak memory of `maskviz mask --file` on few and on all lines."""
    with tempfile.TemporaryDirectory() as folder:
        return [_streamed(Path(folder), n) for n in (max(1, lines // 100), lines)]


def _streamed(folder: Path, lines: int) -> dict[str, Any]:
    source, out = folder / f"{lines}.txt", folder / f"{lines}.out"
    with source.open("w", encoding="utf-8") as file:
        pool = list(reviews(1000, sentences=1))
        file.writelines(f"{pool[i % len(pool)]}\n" for i in range(lines))
    # A child of its own measures the peak: RUSAGE_CHILDREN keeps the largest of all children.
    program = (
        "import resource, subprocess, sys;"
        "subprocess.run(sys.argv[1:], check=True);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)"
    )
    command = [sys.executable, "-m", "maskviz", "mask", "--file", str(source), "-s", "random"]
    started = time.perf_counter()
    with out.open("wb") as written:
        done = subprocess.run(
            [sys.executable, "-c", program, *command],
            check=True, stdout=written, stderr=subprocess.PIPE, cwd=ROOT,
        )  # fmt: skip
    seconds = time.perf_counter() - started
    with out.open("rb") as file:
        masked = sum(1 for _ in file)
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "lines": lines,
        "masked_lines": masked,
        "megabytes": round(source.stat().st_size / 1e6, 1),
        "seconds": round(seconds, 1),
        "lines_per_second": round(lines / seconds),
        "peak_mb": round(int(done.stderr) * unit / 1e6, 1),
    }


# printing -----------------------------------------------------------------------------------


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = {"collators", "annotation", "stream"}
    parser.add_argument("parts", nargs="*", default=[], help="collators, annotation, stream")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--rows", type=int, default=320)
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    asked = set(options.parts) or parts
    if asked - parts:
        parser.error(f"unknown part {sorted(asked - parts)[0]!r}: choose of {sorted(parts)}")
    found: dict[str, Any] = {}
    if "collators" in asked:
        found["collators"] = collators(options.rounds, options.rows)
    if "annotation" in asked:
        found["annotation"] = annotation(options.texts)
    if "stream" in asked:
        found["stream"] = stream(options.lines)
    print(json.dumps(found) if options.json else "\n".join(_lines(found)))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    for row in found.get("collators", ()):
        name = f"{row['strategy']}, {row['operator']}"
        met = "met" if row["ratio"] >= row["target"] else "MISSED"
        yield (
            f"{name:22} {row['ms']:7.2f} ms a batch, {row['peer']} {row['peer_ms']:.2f} ms: "
            f"{row['ratio']:.2f} × its speed (target {row['target']} ×, {met})"
        )
    if row := found.get("annotation"):
        yield (
            f"annotation: {row['texts']:,} texts ({row['words']:,} words) in {row['seconds']} s, "
            f"{row['texts_per_second']} texts/s; one by one {row['one_by_one_per_second']}: "
            f"{row['ratio']} ×"
        )
    for row in found.get("stream", ()):
        yield (
            f"stream: {row['lines']:,} lines, {row['megabytes']} MB in {row['seconds']} s "
            f"({row['lines_per_second']:,} lines/s), peak {row['peak_mb']} MB"
        )


if __name__ == "__main__":
    main()
