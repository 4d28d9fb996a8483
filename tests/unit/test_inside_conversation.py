"""Heads and layers asked about a conversation, beside transformers on the rendered prompt."""

from __future__ import annotations

import json

import pytest
import torch
from transformers import AutoModelForCausalLM

from maskviz.models import load_model

TALK = [
    {"role": "user", "content": "My dog is Rex. My horse is Lola."},
    {"role": "user", "content": "What is my horse called?"},
]


@pytest.fixture
def talk(tmp_path) -> str:
    file = tmp_path / "talk.json"
    file.write_text(json.dumps(TALK))
    return str(file)


@pytest.fixture(scope="module")
def plain():
    """Return (log-probabilities of the next token, with a head's columns zeroed or None)."""
    model = load_model("mini-chat")
    network = AutoModelForCausalLM.from_pretrained(model.path).eval()
    ids = model.tokenizer.apply_chat_template(
        TALK, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )["input_ids"]
    size = network.config.hidden_size // network.config.num_attention_heads

    def answer(layer: int | None = None, head: int = 0) -> torch.Tensor:
        def zero(_module, read_in):
            changed = read_in[0].clone()
            changed[..., head * size : (head + 1) * size] = 0
            return (changed, *read_in[1:])

        part = network.model.layers[layer or 0].self_attn.o_proj
        handle = part.register_forward_pre_hook(zero) if layer is not None else None
        with torch.inference_mode():
            logits = network(input_ids=ids).logits[0, -1].double()
        if handle:
            handle.remove()
        return logits.log_softmax(-1)

    return answer


def test_the_lens_ends_at_the_answer(run, talk, plain) -> None:
    code, out, _ = run(
        "lens", "--conversation", talk, "-m", "mini-chat", "--next", "-s", "turn",
        "--indices", "1", "--json",
    )  # fmt: skip
    assert code == 0
    found = json.loads(out)
    last = found["plain"][-1]
    assert abs(last["probability"] - float(plain().exp().max())) < 1e-4
    assert last["rank"] == 1
    assert found["masked"][-1]["probability"] != last["probability"]


def test_heads_are_scanned_in_a_conversation(run, talk, plain) -> None:
    code, out, _ = run(
        "heads", "--conversation", talk, "-m", "mini-chat", "--next", "--unit-operator", "zero",
        "--json",
    )  # fmt: skip
    assert code == 0
    found = json.loads(out)
    before = plain()
    token = int(before.argmax())

    def odds(p: torch.Tensor) -> float:
        return float(p[token] - torch.log1p(-p[token].exp()))

    for one in found["heads"][:: max(1, len(found["heads"]) // 4)]:
        layer, head = map(int, one["head"].split("."))
        after = plain(layer - 1, head - 1)
        assert abs(one["effect"] - (odds(after) - odds(before))) < 1e-3


def test_heads_take_what_a_turn_hides(run, talk) -> None:
    code, out, _ = run(
        "compare", "--conversation", talk, "-m", "mini-chat", "--heads", "1.1", "--unit-operator",
        "from", "-s", "turn", "--indices", "1", "--next", "--json",
    )  # fmt: skip
    assert code == 0, out
    assert json.loads(out)["units"]


def test_a_file_and_a_conversation_are_one_too_many(run, talk) -> None:
    code, _, error = run("heads", "--conversation", talk, "--file", talk, "-m", "mini-chat")
    assert code
    assert "--file and --conversation are given" in error
