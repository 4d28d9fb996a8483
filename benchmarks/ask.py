"""A language model is asked: beside Captum, beside single passes, and how much memory it takes.

    python benchmarks/ask.py --model smollm2 [--prompts 30 --words 40-200 --parts memory,first]

occlusion   the log-probability of an answer without each word in turn, beside Captum's
            LLMAttribution over FeatureAblation with `use_cached_outputs=False` (with True its
            scores are not those of a leave-one-out). Captum is given the same words as features and
            the same token in their place. It goes token by token as it does by default; a second
            column has it read the whole answer in one pass (`forward_in_tokens=False`).
            Scores must be equal to 1e-4.
reference   a set of 99 other masks of two words, beside 100 single passes of the same network, and
            of the network as transformers loads it (see maskviz/models/linear.py). `floor` is what
            the first ratio cannot fall below: tokens that differ from all others or stand behind
            other ones, and those of the answer, over the tokens of 100 passes, times the share of
            the weights that is not the head's, which single passes run at every token.
first       the time to the first token that is written, beside transformers' generate.
memory      peak over the loaded model of Compare on 1,000 tokens with a vocabulary of 262,144,
            beside one plain pass with all logits; each in a process of its own.

The ways take turns prompt by prompt, so that a busy machine troubles all alike. `--clock cpu`
counts the processor's time instead. Needs Captum: pip install 'maskviz[captum]'.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from captum.attr import FeatureAblation, LLMAttribution, TextTokenInput

from maskviz.data import make_example
from maskviz.evidence.chance.reference import reference_set
from maskviz.masks import Mask, apply
from maskviz.masks.spans import MaskSpan
from maskviz.models import Model, load_model
from maskviz.readings.language import answering
from maskviz.readings.question import Question, asked, in_batches

ANSWER, LENGTHS = 5, [40, 200]  # tokens of an answer; words of a prompt, from and to
VOCABULARY, LONG = 262_144, 1000
CLOCK: dict[str, Callable[[], float]] = {"now": time.perf_counter}
Row = dict[str, Any]


def main() -> None:
    """Run the parts that are asked for and print one JSON document."""
    options = arguments()
    if options.child:
        print(json.dumps(peak(options.child, options.model)))
        return
    CLOCK["now"] = time.process_time if options.clock == "cpu" else time.perf_counter
    model = load_model(options.model)
    LENGTHS[:] = map(int, options.words.split("-"))
    texts = prompts(options.prompts)
    parts: dict[str, Callable[[], Row]] = {
        "occlusion": lambda: occlusion(model, texts),
        "reference": lambda: reference(model, texts),
        "first": lambda: first(model, texts),
        "memory": memory,
    }
    with torch.inference_mode(False):
        found = {name: parts[name]() for name in options.parts.split(",")}
    about = {"model": model.name, "prompts": len(texts), "threads": torch.get_num_threads()}
    print(json.dumps({**about, "clock": options.clock, **found}, indent=2))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--prompts", type=int, default=30)
    parser.add_argument("--words", default="40-200", help="of a prompt, from and to")
    parser.add_argument("--parts", default="occlusion,reference,first,memory")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--child", choices=("compare", "plain"), help=argparse.SUPPRESS)
    return parser.parse_args()


def prompts(count: int) -> list[str]:
    """Return texts of 40 to 200 words, made of the example's sentences, and a question."""
    rng = random.Random(0)  # noqa: S311  repeatable, not secret
    steps = [i / (count - 1) for i in range(count)] if count > 1 else [0.5]
    sentences = [str(text) for text in make_example(400)["text"]]
    found = []
    for step in steps:
        words = LENGTHS[0] + int((LENGTHS[1] - LENGTHS[0]) * step) - 8
        said: list[str] = []
        while len(said) < words:
            said += rng.choice(sentences).split()
        found.append(" ".join(said[:words]) + ". All in all, one would say that it is")
    return found


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that some work takes, and what it gives."""
    begin = CLOCK["now"]()
    found = work()
    return CLOCK["now"]() - begin, found


def own_answer(model: Model, text: str) -> Question:
    """Return the question how probable the model's own beginning of an answer is."""
    return asked(model, {"name": "answer", "longest": ANSWER}).about(text)


def neutral(model: Model) -> int:
    """Return the id in the place of a hidden word."""
    tokenizer = model.tokenizer
    return int(tokenizer.unk_token_id if tokenizer.unk_token_id is not None else 0)


def occlusion(model: Model, texts: list[str]) -> Row:
    """Hide each word in turn, with maskviz and with Captum."""
    network = model.network("generate")
    way = LLMAttribution(FeatureAblation(network), model.tokenizer)
    seconds: dict[str, list[float]] = {"maskviz": [], "captum": [], "captum_one_pass": []}
    largest = 0.0
    for text in texts:
        put = own_answer(model, text)
        words = _words(model, text)
        target = torch.tensor(put.model.tails[0].own)  # type: ignore[attr-defined]
        given: Any = _WordInput(model, text, words)
        spent, own = timed(lambda put=put, text=text: _without_each(put, text))
        seconds["maskviz"].append(spent)
        for name, tokens in (("captum", True), ("captum_one_pass", False)):
            spent, theirs = timed(
                lambda given=given, target=target, tokens=tokens: way.attribute(
                    given, target=target, use_cached_outputs=False, forward_in_tokens=tokens
                )
            )
            seconds[name].append(spent)
            largest = max(
                largest, float((theirs.seq_attr.double() - torch.tensor(own)).abs().max())
            )
    total = {name: sum(values) for name, values in seconds.items()}
    return {
        "seconds": total,
        "times_faster": total["captum"] / total["maskviz"],
        "times_faster_than_one_pass": total["captum_one_pass"] / total["maskviz"],
        "largest_difference": largest,
    }


def _without_each(put: Question, text: str) -> list[float]:
    """Return the fall of the answer's log-probability without each word, by the operator unk."""
    words = Mask(text).words
    masks = [Mask(text, (MaskSpan(*word),)) for word in words]
    reads = [apply(text, "attention", put.model)]
    reads += [apply(mask, "unk", put.model) for mask in masks]
    logits = put.logits(reads)
    return [float(logits[0, 0] - row) for row in logits[1:, 0]]


def _words(model: Model, text: str) -> list[list[int]]:
    """Return the tokens of each word."""
    from maskviz.masks.operators import overlapping

    mask = Mask(text, tuple(MaskSpan(*word) for word in Mask(text).words))
    owners = overlapping(asked(model, "answer").model.tokenise(text), mask)
    return [[i for i, own in enumerate(owners) if own == w] for w in range(len(mask.spans))]


class _WordInput(TextTokenInput):
    """What Captum asks of an input: its features are words, hidden by one token for each."""

    def __init__(self, model: Model, text: str, words: list[list[int]]) -> None:
        self.ids = torch.tensor([asked(model, "answer").model.tokenise(text).input_ids])
        self.words, self.token = words, neutral(model)
        self.n_itp_features, self.values = len(words), [str(i) for i in range(len(words))]

    def to_tensor(self) -> torch.Tensor:
        return torch.ones(1, len(self.words))

    def to_model_input(self, perturbed: torch.Tensor | None = None) -> torch.Tensor:
        if perturbed is None:
            return self.ids
        rows = self.ids.repeat(len(perturbed), 1)
        for row, kept in zip(rows, perturbed.tolist(), strict=True):
            for word, there in zip(self.words, kept, strict=True):
                if there != 1:
                    row[word] = self.token
        return rows

    def format_attr(self, values: torch.Tensor) -> torch.Tensor:
        return values


def reference(model: Model, texts: list[str]) -> Row:
    """Ask about 99 other masks of two words, and pass 100 prompts one by one."""
    network, theirs = model.network("generate"), as_loaded(model)
    seconds: dict[str, list[float]] = {"set": [], "single": [], "single_as_transformers_loads": []}
    tokens, largest = {"single": 0, "floor": 0}, 0.0
    for text in texts:
        put = own_answer(model, text)
        words = Mask(text).words
        chosen = Mask(text, (MaskSpan(*words[3]), MaskSpan(*words[len(words) // 2])))
        masks = reference_set(chosen, put.model).masks[:99]
        reads = [apply(text, "attention", put.model)]
        reads += [apply(mask, "delete", put.model) for mask in masks]
        rows = [torch.tensor([read.input_ids]) for read in reads]
        spent, found = timed(lambda put=put, reads=reads: put.logits(reads))
        seconds["set"].append(spent)
        seconds["single"].append(timed(lambda rows=rows: _passes(network, rows))[0])
        spent = timed(lambda rows=rows: _passes(theirs, rows))[0]
        seconds["single_as_transformers_loads"].append(spent)
        some = [0, 1, len(reads) // 2, len(reads) - 1]
        alone = in_batches(put, [reads[i] for i in some], 1)
        largest = max(largest, float(abs(found[some] - alone).max()))
        tokens["single"] += sum(map(len, reads))
        tokens["floor"] += _distinct(reads) + len(reads) * (put.model.tails[0].scored - 1)  # type: ignore[attr-defined]
    total = {name: sum(values) for name, values in seconds.items()}
    return {
        "seconds": total,
        "ratio": total["set"] / total["single"],
        "ratio_as_transformers_loads": total["set"] / total["single_as_transformers_loads"],
        "tokens": tokens,
        "floor": tokens["floor"] / tokens["single"] * _body(network),
        "largest_difference": largest,
    }


def as_loaded(model: Model) -> Any:
    """Return the network as transformers loads it, without what maskviz makes faster of it."""
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(model.path, dtype=torch.float32).eval()


def _body(network: Any) -> float:
    """Return the share of what is multiplied for a token that is not the head's."""
    words, head = network.get_input_embeddings().weight, network.get_output_embeddings().weight
    body = sum(p.numel() for p in network.parameters() if p is not words and p is not head)
    return float(body / (body + head.numel()))


def _distinct(reads: list[Any]) -> int:
    """Return how many tokens differ from those of the other texts, or stand behind other ones."""
    return len({read.input_ids[: i + 1] for read in reads for i in range(len(read))})


def _passes(network: Any, rows: list[torch.Tensor]) -> None:
    with torch.inference_mode():
        for ids in rows:
            network(input_ids=ids, attention_mask=torch.ones_like(ids))


def first(model: Model, texts: list[str]) -> Row:
    """Write one token, with maskviz and with transformers."""
    network, seconds = model.network("generate"), {"maskviz": [], "transformers": []}
    for text in texts:
        read = apply(text, "attention", asked(model, "answer").model)
        ids = torch.tensor([read.input_ids])
        for _ in range(3):
            spent, own = timed(lambda read=read: answering.written(model, read, 1))
            seconds["maskviz"].append(spent)
            spent, theirs = timed(
                lambda ids=ids: network.generate(
                    ids, attention_mask=torch.ones_like(ids), max_new_tokens=1, do_sample=False
                )
            )
            seconds["transformers"].append(spent)
            assert own == tuple(theirs[0, ids.shape[1] :].tolist())
    middle = {name: median(values) for name, values in seconds.items()}
    return {"median_seconds": middle, "ratio": middle["maskviz"] / middle["transformers"]}


def memory() -> Row:
    """Compare on a long prompt with a large vocabulary, and one plain pass, each in a process."""
    with tempfile.TemporaryDirectory() as folder:
        _large_vocabulary(Path(folder))
        found = {}
        for name in ("compare", "plain"):
            command = [sys.executable, __file__, "--child", name, "--model", folder]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found[name] = json.loads(done.stdout.strip().splitlines()[-1])
    return {"peak_bytes": found, "ratio": found["compare"] / found["plain"]}


def _large_vocabulary(folder: Path) -> None:
    """Write a small Llama with a vocabulary of 262,144 and a byte-level tokenizer."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {token: i for i, token in enumerate([*letters, "<end>"])}
    core = Tokenizer(models.BPE(vocab=words, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        **dict.fromkeys(("eos_token", "pad_token"), "<end>"),
        model_max_length=4096,
    )
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=4096,
        tie_word_embeddings=True, eos_token_id=words["<end>"], bos_token_id=words["<end>"],
    )  # fmt: skip
    torch.manual_seed(0)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def peak(what: str, folder: str) -> int:
    """Return how far the memory of this process rises over that of the loaded model."""
    from maskviz.evidence import compare_masks

    model = load_model(folder)
    network = model.network("generate")
    text = "The film was good and the story dull. " * 40
    text = text[:LONG]
    ids = torch.tensor([model.tokenise(text).input_ids])
    put = asked(model, {"name": "next", "target": "a", "against": "b"})
    put.logits([apply("a b", "attention", put.model)])
    _reset_peak()
    before = _peak()
    if what == "plain":
        with torch.inference_mode():
            network(input_ids=ids, attention_mask=torch.ones_like(ids))
    else:
        words = Mask(text).words
        chosen = Mask(text, (MaskSpan(*words[3]), MaskSpan(*words[60])))
        compare_masks([("two words", chosen)], put, "delete")
    return _peak() - before


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
