"""LoRA saves the model that was evaluated: shared weights are refused, logits are compared."""

from __future__ import annotations

from pathlib import Path

import pytest

import maskviz
from maskviz.errors import ModelError
from maskviz.runs.service import submit
from maskviz.training.check import preflight
from maskviz.training.model import lora, lora_check
from tests.tiny_models import build
from tests.tiny_runs import tiny_spec

pytest.importorskip("peft")
MLM = {"task": "mlm", "operator": "mask"}
TARGET = {"task": "seq2seq", "target_column": "label", "operator": "delete"}
# architecture, head, task, modules: what shares weights with something else
TIED = [
    ("bert", "MaskedLM", MLM, "word_embeddings"),
    ("roberta", "MaskedLM", MLM, "query, embeddings.word_embeddings"),
    ("distilbert", "MaskedLM", MLM, "word_embeddings"),
    ("modernbert", "MaskedLM", MLM, "tok_embeddings"),
    ("t5", "Seq2SeqLM", TARGET, "shared"),
    ("t5", "Seq2SeqLM", TARGET, "embed_tokens,q"),
    ("bart", "Seq2SeqLM", TARGET, "shared"),
    ("marian", "Seq2SeqLM", TARGET, "lm_head"),
]
# and what does not
FREE = [
    ("bert", "SequenceClassification", {}, "word_embeddings"),
    ("bert", "MaskedLM", MLM, "query,value"),
    ("modernbert", "MaskedLM", MLM, "all-linear"),
    ("gpt2", "SequenceClassification", {}, "c_attn"),
    ("llama", "SequenceClassification", {}, "all-linear"),
    ("t5", "Seq2SeqLM", TARGET, "q,v"),
    ("bart", "Seq2SeqLM", TARGET, "all-linear"),
]


def _spec(folder: Path, family: str, head: str, values: dict, modules: str):
    model = str(build(family, folder / f"{family}-{head}", head))
    more = {"max_steps": 4, "lora_r": 2, "lora_dropout": 0.1, "lora_target_modules": modules}
    return tiny_spec(folder, **{"operator": "delete", **more, **values, "model": model})


@pytest.mark.parametrize(("family", "head", "values", "modules"), TIED)
def test_shared_weights_are_refused_before_there_is_a_run(tmp_path, family, head, values, modules):
    spec = _spec(tmp_path, family, head, values, modules)
    for door in (preflight, submit):
        with pytest.raises(ModelError, match="which shares its weights") as refused:
            door(spec)
    assert str(refused.value).count("\n") == 0
    named = [name.strip() for name in modules.split(",")]
    assert any(f"leave '{name}' out" in str(refused.value) for name in named)


@pytest.mark.parametrize(("family", "head", "values", "modules"), FREE)
def test_what_is_saved_answers_as_what_was_tuned(
    tmp_path, monkeypatch, family, head, values, modules
):
    compared = []

    def seen(before, after, spec, when):
        compared.append((when, (before - after).abs().max().item()))
        lora_check.require_same(before, after, spec, when)

    monkeypatch.setattr("maskviz.training.model.network.require_same", seen)
    run = maskviz.train(_spec(tmp_path, family, head, values, modules))
    assert run.state == "done", run.reason
    assert [when for when, _ in compared] == ["merged", "saved"]
    assert all(moved < 1e-4 for _, moved in compared)
    assert run.adapter_path is not None


def test_a_merge_that_moves_the_logits_ends_the_run_and_keeps_nothing(tmp_path, monkeypatch):
    def wrong(network):
        plain = network.merge_and_unload()
        for weight in plain.parameters():
            weight.data.mul_(1.1)
        return plain

    monkeypatch.setattr(lora, "merged", wrong)
    run = maskviz.train(_spec(tmp_path, "bert", "SequenceClassification", {}, "query"))
    assert run.state == "failed"
    assert "The model merged is another than the one tuned" in run.reason
    assert "lora_target_modules 'query'" in run.reason
    assert (run.model_path, run.adapter_path) == (None, None)


@pytest.mark.parametrize("modules", ["shared", "embed_tokens"])
def test_the_bundled_translator_is_refused_by_name(tmp_path, modules):
    spec = tiny_spec(
        tmp_path, **TARGET, model="mini-translate", lora_r=2, lora_target_modules=modules
    )
    with pytest.raises(ModelError, match=f"leave '{modules}' out of lora_target_modules"):
        preflight(spec)
