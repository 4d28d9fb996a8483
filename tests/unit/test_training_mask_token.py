"""A decoder learns a mask token: words hidden in what it reads are still to be predicted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch.nn import functional

import maskviz
from maskviz.errors import CapabilityError, ParameterError
from maskviz.models import load_model
from maskviz.models.abilities import abilities
from maskviz.training import RunSpec
from maskviz.training.data.lessons import with_lessons
from maskviz.training.data.rows import load_rows
from maskviz.training.loop.assemble import assemble
from maskviz.training.loop.recorder import Recorder
from maskviz.training.loop.script import write_script
from maskviz.training.model.mask_token import learning_mask
from tests.tiny_chat import chat_model
from tests.unit.test_training_causal import write_talks

FAMILIES = ("llama", "gpt2", "gemma2", "gpt_neox", "opt")  # tied tables and others, with biases
THOUGHT = "random & role:assistant"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("masked")
    write_talks(folder / "talks.jsonl")
    return folder


def spec_of(tiny: Path, family: str, **values) -> RunSpec:
    if not (tiny / family).exists():
        chat_model(tiny / family, family)
    given = {
        "task": "causal", "model": str(tiny / family), "path": str(tiny / "talks.jsonl"),
        "device": "cpu", "precision": "float32", "max_steps": 3, "learning_rate": 1e-2,
        "per_device_train_batch_size": 4, "strategy": THOUGHT, "operator": "mask", "ratio": 0.6,
    }  # fmt: skip
    return RunSpec.build(**{**given, **values})


@pytest.mark.parametrize("family", FAMILIES)
def test_hidden_words_of_an_answer_are_masked_where_read_and_learned_all_the_same(
    tiny, tmp_path, family
) -> None:
    spec = spec_of(tiny, family)
    plain = load_model(spec.model)
    model = learning_mask(spec, plain)
    assert plain.mask_token_id is None
    assert model.mask_token_id == len(plain.tokenizer)
    rows = with_lessons(spec, model, load_rows(spec))
    trainer, _ = assemble(tmp_path, spec, rows, model, Recorder(tmp_path), "cpu", "float32")
    tables = (
        trainer.model.get_input_embeddings().weight,
        trainer.model.get_output_embeddings().weight,
    )
    before = plain.network("generate")
    own = (before.get_input_embeddings().weight, before.get_output_embeddings().weight)
    for table, old in zip(tables, own, strict=True):
        size = len(old)
        torch.testing.assert_close(table[:size], old)
        torch.testing.assert_close(table[size], old.mean(0))
    items = trainer.train_dataset.__getitems__(list(range(12)))
    hidden = 0
    total, weight = 0.0, 0.0
    for [row], lesson in zip(items, rows.train.labels, strict=False):
        read, ids = list(row.input_ids), list(lesson.plain.input_ids)
        off = [i for i, (a, b) in enumerate(zip(read, ids, strict=True)) if a != b]
        hidden += len(off)
        assert all(read[i] == model.mask_token_id and lesson.weights[i] for i in off)
        with torch.inference_mode():
            logits = trainer.model.eval()(input_ids=torch.tensor([read])).logits[0]
        each = functional.cross_entropy(logits[:-1], torch.tensor(ids)[1:], reduction="none")
        total += (each * torch.tensor(lesson.weights)[1:]).sum().item()
        weight += sum(lesson.weights[1:])
    assert hidden
    batch = trainer.data_collator(items)
    count = trainer._get_num_items_in_batch([batch], torch.device("cpu"))
    with torch.inference_mode():
        loss = trainer.compute_loss(trainer.model, dict(batch), num_items_in_batch=count)
    assert loss.item() == pytest.approx(total / weight, abs=1e-5)


@pytest.mark.parametrize("family", ["llama", "gpt_neox"])
def test_what_a_run_saves_has_learned_the_token_and_goes_on_from_it(tiny, family) -> None:
    run = maskviz.train(spec_of(tiny, family))
    assert run.state == "done", run.reason
    tuned = load_model(run.id)
    assert tuned.mask_token == "<mask>"
    assert abilities(run.id).mask
    assert not abilities(str(tiny / family)).mask
    network = tuned.network("generate")
    learned = network.get_input_embeddings().weight
    begun = load_model(str(tiny / family)).network("generate").get_input_embeddings().weight
    assert len(learned) == len(begun) + 1
    assert not torch.allclose(learned[-1], begun.mean(0), atol=1e-3)
    shown = maskviz.apply("Anna lives in Rome.", "mask", tuned)
    assert tuned.mask_token_id not in shown.input_ids
    hides = maskviz.mask("Anna lives in Rome.", "random", ratio=0.5, seed=1)
    assert maskviz.apply(hides, "mask", tuned).input_ids.count(tuned.mask_token_id) >= 2
    again = learning_mask(spec_of(tiny, family, model=run.id), tuned)
    assert again is tuned


@pytest.mark.parametrize("operator", ["mask", "corrupt"])
def test_lora_leaves_the_table_of_words_and_is_refused(tiny, operator) -> None:
    with pytest.raises(ParameterError, match="set lora_r to 0"):
        spec_of(tiny, "llama", lora_r=4, operator=operator)


@pytest.mark.parametrize("operator", ["delete", "attention"])
def test_other_operators_need_no_token(tiny, operator) -> None:
    spec = spec_of(tiny, "llama", operator=operator)
    model = load_model(spec.model)
    assert learning_mask(spec, model) is model
    with pytest.raises(CapabilityError, match="no mask token"):
        maskviz.apply(maskviz.mask("Anna lives in Rome.", "random"), "mask", model)


def test_a_script_begins_with_the_token(tiny, tmp_path) -> None:
    folder = write_script(spec_of(tiny, "llama"), tmp_path / "script")
    assert (folder / "start" / "model.safetensors").is_file()
    config = json.loads((folder / "start" / "config.json").read_text())
    assert config["vocab_size"] == len(load_model(str(tiny / "llama")).tokenizer) + 1
    assert 'HERE / "start"' in (folder / "train.py").read_text()
