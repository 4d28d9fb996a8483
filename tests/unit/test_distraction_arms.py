"""Irrelevant sentences: what is read once, what is thought first, and the arms of the command."""

from __future__ import annotations

import json
import math
import sys

import pytest
import torch

from maskviz import cli
from maskviz.data import distraction as data
from maskviz.evidence.cells import read_cells
from maskviz.evidence.distraction import asking
from maskviz.evidence.distraction.asking import Asked, ask, oracle, spoken
from maskviz.evidence.distraction.experiment import EVERY, SPOKEN, Experiment, usual_arms
from maskviz.evidence.distraction.thinking import End, write
from maskviz.models import load_model
from maskviz.models.checks import Finding
from maskviz.training.spec.mask_spec import NO_STRATEGY, MaskingSpec
from tests.tiny_chat import chat_model

PLAIN = MaskingSpec(NO_STRATEGY, "delete")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return load_model(str(chat_model(tmp_path_factory.mktemp("chat") / "llama", "llama")))


@pytest.mark.parametrize("name", ["mini-chat", "tiny"])
@pytest.mark.parametrize("operator", ["none", "delete", "attention"])
def test_what_right_and_wrong_answers_stand_behind_may_be_read_once(
    name, operator, tiny, monkeypatch
) -> None:
    model = tiny if name == "tiny" else load_model(name)
    network, asked = model.network("generate"), data.questions(18, seed=2, k=2)
    masking = PLAIN if operator == "none" else oracle(operator)
    found = ask(network, model, asked, masking)
    monkeypatch.setattr(asking, "finding", lambda *_: Finding(False))
    alone = ask(network, model, asked, masking)
    assert found.log_p == pytest.approx(alone.log_p, abs=1e-4)
    assert (found.right, found.preferred) == (alone.right, alone.preferred)
    assert found.tokens == alone.tokens


@pytest.mark.parametrize("name", ["mini-chat", "tiny"])
def test_who_thinks_first_is_right_where_its_own_words_end_in_the_answer(name, tiny) -> None:
    model = tiny if name == "tiny" else load_model(name)
    network, tokenizer = model.network("generate"), model.tokenizer
    asked = data.questions(6, seed=4, k=1)
    prompts, written = [], []
    for one in asked:
        said = [{"role": "user", "content": one.asked}]
        before = tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True)
        ids = tokenizer(before, add_special_tokens=False).input_ids
        prompts.append((ids, [1] * len(ids)))
        with torch.inference_mode():
            new = network.generate(torch.tensor([ids]), max_new_tokens=12, do_sample=False)[0]
        written.append(tokenizer.decode(new[len(ids) :], skip_special_tokens=True))
    end = End(frozenset([tokenizer.eos_token_id, *_ends(network)]))
    assert [text for text, _ in write(network, model, prompts, end, 12)] == written
    found = Asked(model, asked, thinks=True).put(network, PLAIN)
    assert len(found.log_p) == len(asked)
    assert all(math.isfinite(value) and value < 0 for value in found.log_p)
    for one in asked:
        assert all(sentence in one.text for sentence in one.thought.split(". ")[:-1])
        assert one.family != "look up" or one.answer in one.thought
        row = spoken(one, before="Listen.", thought=one.thought)
        assert row.conversation.turns[1].content == f"{one.thought} {one.answer}"
        assert [row.conversation.text[s.start : s.end] for s in row.marked] == [
            one.text[s.start : s.end] for s in one.beside
        ]


def _ends(network) -> list[int]:
    ends = network.generation_config.eos_token_id
    return ends if isinstance(ends, list) else [ends]


def test_a_large_model_has_the_arms_by_words_and_no_mask_token_under_lora(monkeypatch) -> None:
    shape = type("Shape", (), {})
    for weights, lacking in ((1e8, {*SPOKEN}), (5e8, {*SPOKEN, "thought"}), (2e9, {"thought"})):
        own = shape()
        own.weights = weights
        for home in ("maskviz.training.machine.model_size", "maskviz.training.defaults"):
            monkeypatch.setattr(f"{home}.model_shape", lambda _, own=own: own)
        assert set(EVERY) - set(usual_arms("any")) == lacking


def test_the_command_runs_every_arm_and_goes_on_where_it_stopped(tiny, monkeypatch, capsys) -> None:
    arms = ("base", "inoculation", "thought")
    asked = ["--model", str(tiny.path), "--rows", "108", "--tests", "6", "--steps", "1"]
    asked += ["--seeds", "2", "--arms", ",".join(arms), "--processes", "1"]
    monkeypatch.setattr(sys, "argv", ["maskviz", "bench", "distraction", *asked, "--json"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    out, err = capsys.readouterr()
    assert not stopped.value.code
    assert "6 of 6: thought, seed 1" in err
    shown = json.loads(out)
    assert set(shown["arms"]) == set(arms)
    assert 0.05 < shown["arms"]["thought"]["hidden"] < 0.3
    assert shown["verdicts"] == []
    experiment = Experiment(str(tiny.path), 2, 108, 6, 1, arms=arms)
    assert read_cells(experiment) == shown["cells"]
    (experiment.folder / "inoculation-1.json").unlink()
    monkeypatch.setattr(sys, "argv", ["maskviz", "bench", "distraction", *asked])
    with pytest.raises(SystemExit):
        cli.main()
    out, err = capsys.readouterr()
    assert err.count("seed") == 1  # the one that was missing
    assert "ln p of the right answer" in out
    assert "percent preferred" in out
    assert read_cells(experiment) == shown["cells"]  # the same cell again gives the same figures
