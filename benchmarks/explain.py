"""Occlusion and integrated gradients beside Captum, on the same model and texts.

    python benchmarks/explain.py --data reviews.parquet [--where source=sst] [--rows 500]

Occlusion: a score per word of each text, `maskviz.evidence.explain_many` beside Captum's
FeatureAblation on the network as transformers loads it; one feature a word (and one for all that
is no word), the mask token as baseline, under inference mode. Captum goes with its default
`perturbations_per_eval`, with the best of several, found on a tenth of the texts, and with that
one on maskviz's own network, whose matrix products are faster on some processors (see
maskviz/models/linear.py): what is left there is not due to them. Values must be equal to 1e-5.
The texts are a random sample, taken in blocks in which all ways take turns, so that a busy machine
troubles all of them alike; times are sums over the blocks, the spread is that of the blocks.

Integrated gradients: `explain(method="integrated-gradients")` beside Captum's
LayerIntegratedGradients called by hand, over the first texts. Values must be equal to 1e-5.

Needs Captum: pip install 'maskviz[captum]'. Budgets: 3 × the default, 1.5 × the best
setting, on 2 cores. Long reviews take Captum's default minutes each: give a small `--rows`.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import transformers
from captum.attr import FeatureAblation, LayerIntegratedGradients

from maskviz.data import guess_columns, iter_rows, preview
from maskviz.evidence import explain, explain_many
from maskviz.evidence.words.gradients import STEPS, baseline_ids, input_embedding
from maskviz.masks import Mask, apply
from maskviz.masks.operators import overlapping
from maskviz.models import Model, load_model
from maskviz.readings.batches import batch

SETTINGS = (4, 8, 16, 32, 64, 128)  # of perturbations_per_eval
BLOCK = 50
CLOCK: dict[str, Callable[[], float]] = {"now": time.perf_counter}


@dataclass(frozen=True)
class Result:
    """Seconds of each way, how much faster maskviz is, and the largest difference of a value.

    spread_over_default, spread_over_best: slowest and fastest block.
    """

    model: str
    threads: int
    load_average: float
    texts: int
    words: int
    maskviz_seconds: float
    captum_default_seconds: float
    captum_best_seconds: float
    captum_best_setting: int
    captum_best_on_our_network_seconds: float
    speed_over_default: float
    spread_over_default: tuple[float, float]
    speed_over_best: float
    spread_over_best: tuple[float, float]
    speed_over_best_on_our_network: float
    largest_difference: float
    gradient_texts: int
    gradient_largest_difference: float
    within: bool


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="table with a column of texts")
    parser.add_argument("--where", help="take the rows of which this column has this value, a=b")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--rows", type=int, default=500, help="texts, drawn at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-words", type=int, default=10**9, help="leave longer texts out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--gradients", type=int, default=10, help="texts for the second part")
    parser.add_argument(
        "--cpu", action="store_true", help="time the processor, for a busy machine; one thread"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.cpu:
        options.threads, CLOCK["now"] = 1, time.process_time
    torch.set_num_threads(options.threads)
    model = load_model(options.model)
    texts = list(reviews(options.data, options.where, options.max_words))
    order = np.random.default_rng(options.seed).permutation(len(texts))
    texts = [texts[i] for i in order[: options.rows]]
    result = measure(model, texts, options.threads, options.gradients)
    if options.json:
        print(json.dumps(asdict(result)))
        return
    for name, value in asdict(result).items():
        print(f"{name:36}{shown(value):>16}")


def shown(value: Any) -> str:
    """Return a figure as text."""
    if isinstance(value, tuple):
        return " to ".join(map(shown, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def reviews(path: str, where: str | None, most: int) -> Iterator[str]:
    """Yield the texts of a table that have words, no more than `most`."""
    column = guess_columns(preview(path, rows=200)).text
    name, _, value = (where or "").partition("=")
    for row in iter_rows(path):
        text = str(row[column])
        if (not name or str(row[name]) == value) and 0 < len(Mask(text).words) <= most:
            yield text


def measure(model: Model, texts: list[str], threads: int, gradients: int) -> Result:
    """Let the ways take turns over blocks of the texts."""
    own, plain = model.network("classify"), plain_network(model)
    list(explain_many(texts[:4], model))
    ablate(model, plain, texts[0], 1)
    best = best_setting(model, plain, texts[: min(BLOCK, max(3, len(texts) // 10))])
    ways: dict[str, Callable[[list[str]], list[Any]]] = {
        "maskviz": lambda block: [ours(e) for e in explain_many(block, model)],
        "default": lambda block: [ablate(model, plain, t, 1) for t in block],
        "best": lambda block: [ablate(model, plain, t, best) for t in block],
        "own": lambda block: [ablate(model, own, t, best) for t in block],
    }
    blocks, largest, words = [], 0.0, 0
    size = min(BLOCK, -(-len(texts) // 4))
    for start in range(0, len(texts), size):
        block, found, seconds = texts[start : start + size], {}, {}
        for name, way in ways.items():
            begin = CLOCK["now"]()
            found[name] = way(block)
            seconds[name] = CLOCK["now"]() - begin
        blocks.append(seconds)
        for mine, *theirs in zip(*found.values(), strict=True):
            words += len(mine)
            largest = max(largest, *(float(np.abs(mine - other).max()) for other in theirs))
    difference = integrated_difference(model, plain, texts[:gradients])
    total = {name: sum(block[name] for block in blocks) for name in ways}
    faster = {name: total[name] / total["maskviz"] for name in ways}
    within = faster["default"] >= 3 and faster["best"] >= 1.5 and max(largest, difference) <= 1e-5
    return Result(
        model.name, threads, os.getloadavg()[0], len(texts), words, total["maskviz"],
        total["default"], total["best"], best, total["own"],
        faster["default"], spread(blocks, "default"), faster["best"], spread(blocks, "best"),
        faster["own"], largest, min(gradients, len(texts)), difference, within,
    )  # fmt: skip


def plain_network(model: Model) -> Any:
    """Return the classifier as a user of transformers has it."""
    return transformers.AutoModelForSequenceClassification.from_pretrained(model.path).eval()


def spread(blocks: list[dict[str, float]], name: str) -> tuple[float, float]:
    """Return the smallest and the largest of the blocks' ratios."""
    ratios = [block[name] / block["maskviz"] for block in blocks]
    return min(ratios), max(ratios)


def ours(explanation: Any) -> np.ndarray:
    """Return the scores of one text, (words,)."""
    return np.array([word.score for word in explanation.words])


def best_setting(model: Model, network: Any, texts: list[str]) -> int:
    """Return the fastest `perturbations_per_eval` over the texts, each tried twice."""

    def seconds(setting: int) -> float:
        begin = CLOCK["now"]()
        for text in texts:
            ablate(model, network, text, setting)
        return CLOCK["now"]() - begin

    return min(SETTINGS, key=lambda setting: min(seconds(setting) for _ in range(2)))


def ablate(model: Model, network: Any, text: str, perturbations_per_eval: int) -> np.ndarray:
    """Return Captum's scores of a text, (words,), for its predicted label."""
    words, encoding = Mask(text).words, apply(text, "mask", model)
    inputs = batch(model, [encoding])
    mask = Mask(text, tuple(_span(start, end) for start, end in words))
    owner = overlapping(model.tokenise(text), mask)
    features = torch.tensor([[0 if word is None else word + 1 for word in owner]])

    def forward(ids: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        seen = seen.expand(len(ids), -1)
        return network(input_ids=ids, attention_mask=seen).logits.softmax(-1)

    with torch.inference_mode():
        label = int(forward(inputs["input_ids"], inputs["attention_mask"]).argmax())
        scores = FeatureAblation(forward).attribute(
            inputs["input_ids"], baselines=model.tokenizer.mask_token_id, target=label,
            additional_forward_args=(inputs["attention_mask"],), feature_mask=features,
            perturbations_per_eval=perturbations_per_eval,
        )[0]  # fmt: skip
    first = {word: i for i, word in reversed(list(enumerate(owner)))}
    return np.array([float(scores[first[i]]) if i in first else 0.0 for i in range(len(words))])


def _span(start: int, end: int) -> Any:
    from maskviz.masks import MaskSpan

    return MaskSpan(start, end)


def integrated_difference(model: Model, network: Any, texts: list[str]) -> float:
    """Return the largest difference of a word's integrated gradients from Captum's."""
    largest = 0.0

    def forward(ids: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        return network(input_ids=ids, attention_mask=seen).logits

    for text in texts:
        encoding = apply(text, "mask", model)
        inputs = batch(model, [encoding])
        found = explain(text, model, "integrated-gradients")
        values = LayerIntegratedGradients(forward, input_embedding(network)).attribute(
            inputs["input_ids"], baseline_ids(model, encoding), n_steps=STEPS,
            target=model.labels.index(found.label),
            additional_forward_args=(inputs["attention_mask"],), internal_batch_size=STEPS,
        ).sum(-1)[0]  # fmt: skip
        for word in found.words:
            inside = [
                float(value)
                for value, offset in zip(values, encoding.offsets, strict=True)
                if offset and word.start <= offset[0] < word.end
            ]
            largest = max(largest, abs(sum(inside) - word.score))
    return largest


if __name__ == "__main__":
    main()
