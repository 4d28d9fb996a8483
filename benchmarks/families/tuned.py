"""Checks of training: a matrix in it, and two steps of a run whose model answers as it should."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from .answers import folder_of
from .checks import check
from .marks import Report, guarded, must, own
from .roster import classes
from .subject import Subject, fresh
from .tiny import HIDDEN, TEXT, build

_CLASSIFIERS = """
    bert roberta deberta-v2 modernbert xlm-roberta distilbert electra mobilebert ibert squeezebert
    big_bird longformer reformer funnel xlnet fnet xlm nystromformer canine esm llama qwen3
    qwen3_moe qwen3_next gemma3_text gpt2 gpt_oss mistral bloom opt jamba falcon
    modernbert-decoder t5 bart ctrl
"""
_GUESSERS = "bert roberta albert electra deberta mpnet modernbert xlm-roberta convbert bart"
_WRITERS = """
    t5 mt5 bart mbart marian pegasus prophetnet longt5 led switch_transformers m2m_100 fsmt t5gemma
"""
RUNS = [
    (name, head)
    for head, names in (("cls", _CLASSIFIERS), ("mlm", _GUESSERS), ("s2s", _WRITERS))
    for name in names.split()
]
TASKS = {"cls": "classification", "mlm": "mlm", "s2s": "seq2seq"}


@check("Matrix in training", ("mlm", "cls", "s2s"))
def trained_under_a_matrix(one: Subject) -> None:
    """In training a matrix of ones changes nothing, and a window something."""
    import numpy as np
    import torch

    from maskviz.masks import attention_matrix
    from maskviz.training.model.hooks import CoreHooks, require_matrix

    network = fresh(one.cls, one.folder)
    hooks = CoreHooks(network)
    require_matrix(network, hooks, one.model.family)
    states: list[Any] = []
    core = network.get_encoder() if one.two_sided else network.base_model

    def hook(_module: Any, _given: Any, output: Any) -> None:
        found = output.last_hidden_state if hasattr(output, "last_hidden_state") else output[0]
        states.append(found.detach())

    core.register_forward_hook(hook)

    def under(allowed: Any) -> Any:
        logs = torch.finfo(torch.float32).min * (1 - torch.as_tensor(allowed).float())
        with hooks.fed(None, logs[None, None]):
            one.passed(one.ids, network=network)
        return states[-1]

    own(lambda: one.passed(one.ids, network=network))
    plain = states[-1]
    size = float(plain.abs().max()) + 1e-9
    ones = np.ones((len(one.ids), len(one.ids)), bool)
    same, moved = (
        float((under(allowed) - plain).abs().max()) / size
        for allowed in (ones, attention_matrix("window", one.plain, width=2))
    )
    must(moved > 1e-5, "a window of 2 changes nothing")
    must(same < 1e-3, f"a matrix of ones changes the states by {same:.2g} of their size")


def train_one(name: str, head: str, root: Path) -> Report:
    """Train two steps of the fitting task; the run ends done, and its model answers."""
    report = Report()
    guarded(report, "trains", lambda: _trained(name, head, root))
    return report


def _trained(name: str, head: str, root: Path) -> None:
    import numpy as np
    import transformers

    import maskviz
    from maskviz.errors import ModelError

    folder = folder_of(root, f"train-{name}", head)
    _, tokenizer = build(name, head, folder)
    operator = "unk" if tokenizer.mask_token_id is None else "mask"
    columns = {"s2s": {"target_column": "target"}, "cls": {"label_column": "label"}}.get(head, {})
    run = maskviz.train(
        model=str(folder), data=str(_rows(root)), task=TASKS[head], strategy="random", ratio=0.3,
        operator=operator, max_steps=2, per_device_train_batch_size=4, max_length=48,
        max_target_length=16, text_column="text", **columns,
    )  # fmt: skip
    if run.state != "done":
        named = str(run.reason).startswith("The architecture") or "Error" not in str(run.reason)
        raise (ModelError if named else RuntimeError)(f"{run.state}: {run.reason}")
    model = maskviz.load_model(run.id)
    if head != "cls":
        return
    found = maskviz.compare(maskviz.mask(TEXT, "pattern", words=HIDDEN), run.id, operator=operator)
    network = fresh(getattr(transformers, classes()[head][name]), Path(model.path))
    import torch

    ids = torch.tensor([tokenizer(TEXT)["input_ids"]])
    with torch.no_grad():
        logits = network(ids, attention_mask=torch.ones_like(ids)).logits[0]
    have = np.array(list(found.original.probabilities.values()))
    want = logits.softmax(-1).numpy()
    must(have.shape == want.shape, f"{have.shape[0]} labels of {want.shape[0]}")
    must(np.abs(have - want).max() < 1e-3, f"{have.round(4)} and {want.round(4)}")


def _rows(root: Path) -> Path:
    path = root / "rows.csv"
    if not path.exists():
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "label", "target"])
            for i in range(24):
                kind = (
                    ("A dull", "negative", "slow") if i % 2 else ("The warm", "positive", "great")
                )
                text = f"{kind[0]} film of Anna and Paris was number {i}."
                writer.writerow([text, kind[1], f"It was {kind[2]}."])
    return path
