"""The scan of all heads beside one forward a head, in one run, on the same prompt.

    OMP_NUM_THREADS=1 python benchmarks/inside.py

One forward a head is what one writes with transformers: a hook before the output projection that
zeroes the head, and a pass over the prompt; its heads are the model's own, with eager attention.
The scan reads the layers below once and asks about the heads of a layer in one batch. Both answer
for every head, and the largest difference of their log-probabilities is printed. The scan is timed
before the other and behind it, so that a machine that others use weighs on both. It takes one to
four minutes on one core (--every 5 for a fifth of the heads one by one, a fifth of the time).
`fewer_products` is what the scan saves by count: how many multiplications of weights one forward a
head makes, for each of the scan's. What is beyond it comes from larger batches.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import torch

from maskviz.inside.anatomy import anatomy_of
from maskviz.inside.scanning import Scan
from maskviz.inside.tape import eager
from maskviz.masks import apply
from maskviz.models import load_model
from maskviz.models.auto import HEADS
from maskviz.models.checks import finding
from maskviz.models.model import device
from maskviz.readings.question import asked

PROMPT = (
    "When Mary and John went to the store on a rainy Monday in March, they met their old friend "
    "Anna, who had just bought a large bag of apples, two loaves of bread and a bottle of milk "
    "for her family. After a long talk about the weather and the news, John gave a drink to"
)
TOKENS = 60


def main() -> None:
    """Time both ways and print them."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--model", default="smollm2")
    given.add_argument("--clock", choices=("wall", "cpu"), default="cpu")
    given.add_argument("--every", type=int, default=1, help="Of the heads one by one, each nth.")
    given.add_argument("--json", action="store_true")
    options = given.parse_args()
    clock = time.process_time if options.clock == "cpu" else time.perf_counter
    model = load_model(options.model)
    put, read = _put(model)
    anatomy = anatomy_of(model)
    finding(model, "layers read once")
    sets = [[head] for head in anatomy.all_heads]
    scan = Scan(put, anatomy, read)
    scan.answers(sets[:2])
    before, (_, found) = _timed(clock, lambda: scan.answers(sets))
    network = HEADS["generate"].from_pretrained(model.path).to(device()).eval()
    some = anatomy.all_heads[:: options.every]
    alone, expected = _timed(clock, lambda: _one_by_one(network, put, read, some))
    alone *= len(sets) / len(some)
    behind, _ = _timed(clock, lambda: scan.answers(sets))
    apart = float(abs(torch.from_numpy(found)[:: options.every, 0] - expected).max())
    result = {
        "model": model.name,
        "device": device(),
        "clock": options.clock,
        "threads": torch.get_num_threads(),
        "tokens": len(read.input_ids),
        "heads": len(sets),
        "one_forward_a_head_seconds": round(alone, 2),
        "scan_seconds": [round(before, 2), round(behind, 2)],
        "times_as_fast": round(2 * alone / (before + behind), 2),
        "fewer_products": round(_fewer_products(network, anatomy), 2),
        "largest_difference": apart,
    }
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:28}{value}")


def _put(model: Any) -> tuple[Any, Any]:
    """Return the next token asked for behind a prompt of 60 tokens, and what is read."""
    text = PROMPT
    while len(apply(text, "attention", model)) > TOKENS:
        text = text[: text.rindex(" ")]
    put = asked(model, {"name": "next"}).about(text)
    return put, apply(text, "attention", put.model)


def _timed(clock: Callable[[], float], work: Callable[[], Any]) -> tuple[float, Any]:
    if device() != "cpu":
        torch.cuda.synchronize()
    start = clock()
    found = work()
    if device() != "cpu":
        torch.cuda.synchronize()
    return clock() - start, found


def _fewer_products(network: Any, anatomy: Any) -> float:
    """Return what one forward a head multiplies, for each multiplication of the scan's.

    Counted in weights that each token meets: those of a layer, and of the head that makes words,
    which the scan asks at one place alone, as the last layer's MLP.
    """
    layers = network.base_model.layers
    layer = sum(one.numel() for one in layers[0].parameters() if one.dim() > 1)
    head = network.get_output_embeddings().weight.numel()
    heads = anatomy.all_heads
    mlp = sum(one.numel() for one in layers[-1].mlp.parameters())  # read at one place, too
    scan = sum((len(layers) - unit.layer) * layer - mlp for unit in heads)
    return len(heads) * (len(layers) * layer + head) / scan


def _one_by_one(network: Any, put: Any, read: Any, heads: Any) -> torch.Tensor:
    """Return ln p of the plain answer with each head zeroed by a hook, one pass each."""
    ids = torch.tensor([read.input_ids], device=network.device)
    token = put.given["tokens"][0]
    layers = network.base_model.layers
    size = layers[0].self_attn.head_dim
    found = []
    with torch.inference_mode(), eager(network):
        network(input_ids=ids)
        for unit in heads:
            own = slice(unit.head * size, (unit.head + 1) * size)

            def zero(_module: Any, read_in: Any, own: slice = own) -> Any:
                changed = read_in[0].clone()
                changed[..., own] = 0
                return (changed, *read_in[1:])

            handle = layers[unit.layer].self_attn.o_proj.register_forward_pre_hook(zero)
            logits = network(input_ids=ids).logits[0, -1].float()
            handle.remove()
            found.append(float(logits.log_softmax(-1)[token]))
    return torch.tensor(found, dtype=torch.double)


if __name__ == "__main__":
    main()
