"""Pairs of texts: joined as the tokenizer joins them, told apart in the picture."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import torch

from maskviz.attention import attend
from maskviz.attention.pairs import join_pair
from maskviz.attention.view import merge_words, view, without_special
from maskviz.figures.canvas import blocks
from maskviz.inside.tape import eager
from maskviz.masks import apply
from maskviz.models import load_model

A, B = "Anna loved the film.", "He saw it too."


def test_a_pair_is_read_as_the_tokenizer_reads_it(tiny) -> None:
    """With the ids and token types of a pair, BERT attends just as it would be told to."""
    model = load_model(tiny("bert"))
    text = join_pair(A, B, model)
    captured = attend(text, model)
    first, second = (model.tokenizer(t, add_special_tokens=False)["input_ids"] for t in (A, B))
    start, end = model.tokenizer.cls_token_id, model.tokenizer.sep_token_id
    ids = [start, *first, end, *second, end]
    assert list(captured.encoding.input_ids) == ids
    types = [0] * (len(first) + 2) + [1] * (len(second) + 1)
    network = model.main_network()
    given = {"input_ids": torch.tensor([ids]), "token_type_ids": torch.tensor([types])}
    with torch.no_grad(), eager(network):
        layers = network.base_model(**given, output_attentions=True).attentions
    expected = np.stack([layer[0].numpy() for layer in layers])
    assert np.abs(captured.weights - expected).max() < 5e-4


def test_the_parts_keep_their_letters_when_words_are_merged(tiny) -> None:
    model = load_model(tiny("bert"))
    shown = view(attend(join_pair(A, B, model), model))
    assert len(blocks(shown.segments)) == 2
    first, second = blocks(merge_words(without_special(shown)).segments)
    assert (first[2], second[2]) == ("A", "B")
    assert first[1] == second[0]
    assert blocks(view(attend(A, model)).segments) == []


def test_without_a_pair_nothing_is_passed_besides_ids_and_mask(tiny) -> None:
    from maskviz.readings.batches import batch

    model = load_model(tiny("bert"))
    assert set(batch(model, [apply(A, "mask", model)])) == {"input_ids", "attention_mask"}


def test_the_command_takes_a_pair_and_a_method() -> None:
    command = ["attend", A, "--pair", B, "--method", "rollout", "--json"]
    answer = subprocess.run(
        [sys.executable, "-m", "maskviz", *command], capture_output=True, text=True, check=True
    )
    document = json.loads(answer.stdout)
    assert document["method"] == "rollout"
    assert document["heads"] == 1
    assert "[SEP]" in document["tokens"][1:-1]
