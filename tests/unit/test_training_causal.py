"""A decoder learns what the loss mask says: the loss is that of a plain forward pass, exactly."""

from __future__ import annotations

import json
import os
import random
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

import maskviz
from maskviz.errors import DataError
from maskviz.models import load_model
from maskviz.training import RunSpec, defaults
from maskviz.training.data.lessons import with_lessons
from maskviz.training.data.rows import load_rows
from maskviz.training.folder import new_folder
from maskviz.training.loop.assemble import assemble
from maskviz.training.loop.execute import execute
from maskviz.training.loop.recorder import Recorder
from tests.tiny_chat import chat_model

FAMILIES = ("llama", "mistral", "qwen2", "gemma2", "gpt2", "gpt_neox", "opt", "olmo2")
NAMES, TOWNS = ("Anna", "Bob", "Claire", "Ada"), ("Rome", "Oslo", "Paris", "Bern")


def write_talks(path: Path, rows: int = 24) -> Path:
    """Write conversations with an irrelevant sentence each, of several lengths."""
    rng, lines = random.Random(0), []
    for i in range(rows):
        name, town = rng.choice(NAMES), rng.choice(TOWNS)
        asked = f"{name} lives in {town}. {'It rained all day. ' * (i % 3)}Where is {name}?"
        turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": town + "."}]
        if i % 4 == 0:
            turns += [{"role": "user", "content": "Sure?"}, {"role": "assistant", "content": "Yes"}]
        lines.append(json.dumps({"messages": turns, "split": "dev" if i % 6 == 5 else "train"}))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("causal")
    write_talks(folder / "talks.jsonl")
    for family in FAMILIES:
        chat_model(folder / family, family)
    return folder


def spec_of(tiny: Path, family: str = "llama", **values) -> RunSpec:
    defaults = {
        "task": "causal", "model": str(tiny / family), "path": str(tiny / "talks.jsonl"),
        "device": "cpu", "precision": "float32", "max_steps": 4, "learning_rate": 1e-2,
        "per_device_train_batch_size": 4, "logging_steps": 1, "max_length": 120,
    }  # fmt: skip
    return RunSpec.build(**{**defaults, **values})


def assembled(spec: RunSpec, folder: Path):
    """Return the Trainer of a run, and its lessons."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spec.toml").write_text(spec.to_toml())
    model = load_model(spec.model)
    rows = with_lessons(spec, model, load_rows(spec))
    recorder = Recorder(folder)
    trainer, _ = assemble(folder, spec, rows, model, recorder, "cpu", "float32")
    return trainer, rows


def step(trainer, batches) -> tuple[float, dict[str, torch.Tensor]]:
    """Return loss and gradients of one accumulated step as the Trainer takes it."""
    network = trainer.model.eval()  # no dropout
    network.zero_grad()
    count = trainer._get_num_items_in_batch(batches, torch.device("cpu"))
    total = 0.0
    for batch in batches:
        loss = trainer.compute_loss(network, dict(batch), num_items_in_batch=count)
        loss.backward()
        total += loss.item()
    grads = {n: p.grad.clone() for n, p in network.named_parameters() if p.grad is not None}
    return total, grads


def reference(network, lessons, rows) -> tuple[float, dict[str, torch.Tensor]]:
    """Return the same of plain forward passes, a row at a time, with labels shifted by hand."""
    network.zero_grad()
    weight = sum(sum(lessons[i].weights) for i in rows)
    total = 0.0
    for i in rows:
        ids = torch.tensor([lessons[i].plain.input_ids])
        logits = network(input_ids=ids, use_cache=False).logits[0, :-1].float()
        labels = [
            t if w > 0 else -100 for t, w in zip(ids[0].tolist(), lessons[i].weights, strict=True)
        ]
        labels = torch.tensor(labels)[1:]
        each = functional.cross_entropy(logits, labels, ignore_index=-100, reduction="none")
        loss = (each * torch.tensor(lessons[i].weights)[1:]).sum() / weight
        loss.backward()
        total += loss.item()
    grads = {n: p.grad.clone() for n, p in network.named_parameters() if p.grad is not None}
    return total, grads


def same(one, other) -> None:
    loss, grads = one
    wanted, given = other
    assert loss == pytest.approx(wanted, abs=1e-5)
    assert grads.keys() == given.keys()
    for name in grads:
        torch.testing.assert_close(grads[name], given[name], atol=1e-5, rtol=1e-4, msg=name)


@pytest.mark.parametrize(
    ("family", "given"),
    [
        *((family, {}) for family in FAMILIES),
        ("gpt2", {"padding_side": "left"}),
        ("opt", {"padding_side": "left"}),
        ("gemma2", {"packing": True}),
        ("gpt2", {"packing": True}),
        ("llama", {"packing": True, "prompt_weight": 0.25, "max_length": 250}),
        ("qwen2", {"prompt_weight": 0.1, "gradient_checkpointing": True}),
    ],
)
def test_loss_and_gradients_are_those_of_a_plain_pass(tiny, tmp_path, family, given) -> None:
    trainer, rows = assembled(spec_of(tiny, family, **given), tmp_path / "run")
    assert trainer.hooks.packing.works == bool(given.get("packing"))
    data = trainer.train_dataset
    indices = [[0, 1, 2], [3]] if len(data) > 3 else [[0], [1]]
    batches = [trainer.data_collator(data.__getitems__(some)) for some in indices]
    used = [row for some in indices for i in some for row in data.packs[i]]
    found = step(trainer, batches)
    same(found, reference(trainer.model, rows.train.labels, used))


def test_lora_learns_by_the_same_loss(tiny, tmp_path) -> None:
    pytest.importorskip("peft")
    trainer, rows = assembled(spec_of(tiny, "gpt2", lora_r=2), tmp_path / "run")
    for name, weights in trainer.model.named_parameters():
        if "lora_B" in name:  # begins at zero, where A has no gradient
            torch.nn.init.normal_(weights, std=0.1)
    batches = [trainer.data_collator(trainer.train_dataset.__getitems__([0, 1, 2]))]
    same(step(trainer, batches), reference(trainer.model, rows.train.labels, [0, 1, 2]))


def test_packed_rows_do_not_see_each_other_and_recurrent_ones_are_not_packed(tiny) -> None:
    from maskviz.training.model.packing import packing_of

    network = load_model(str(tiny / "mistral")).network("generate")
    assert packing_of(network, "mistral").leak == 0
    from transformers import MambaConfig, MambaForCausalLM

    config = MambaConfig(vocab_size=100, hidden_size=16, num_hidden_layers=1, state_size=4)
    found = packing_of(MambaForCausalLM(config), "mamba")
    assert not found.works
    assert "Packing is off: the architecture 'mamba'" in found.said


@pytest.mark.parametrize("operator", ["delete", "attention"])
@pytest.mark.parametrize("packing", [False, True])
def test_what_is_hidden_moves_no_loss(tiny, tmp_path, operator: str, packing: bool) -> None:
    """Other words in the hidden places: the loss is the same to the last digit."""

    def loss(weather: str) -> float:
        path = tmp_path / "rows.jsonl"
        talks = (tiny / "talks.jsonl").read_text()
        path.write_text(talks.replace("It rained all day.", weather))
        spec = spec_of(
            tiny, "llama", path=str(path), strategy="pattern", operator=operator, packing=packing,
            parameters={"pattern": "It [a-z]+ all day."}, dynamic=False,
        )  # fmt: skip
        trainer, _ = assembled(spec, tmp_path / "run")
        count = range(len(trainer.train_dataset))
        batches = [trainer.data_collator(trainer.train_dataset.__getitems__(list(count)))]
        return step(trainer, batches)[0]

    tokenizer = load_model(str(tiny / "llama")).tokenizer
    rained, *others = ("It rained all day.", *(f"It {c}ained all day." for c in "bcdfghjklmnp"))
    count = len(tokenizer(rained)["input_ids"])
    other = next(said for said in others if len(tokenizer(said)["input_ids"]) == count)
    assert loss(rained) == pytest.approx(loss(other), abs=1e-6)


def test_a_run_trains_evaluates_and_loads_again(tiny) -> None:
    spec = spec_of(
        tiny, strategy="pattern", operator="attention", max_steps=12, eval_steps=6,
        parameters={"pattern": "It rained all day."}, packing=True, prompt_weight=0.1,
    )  # fmt: skip
    run = maskviz.train(spec)
    assert run.state == "done", run.log()
    assert {"loss_plain", "loss_masked", "accuracy_plain"} <= set(run.metrics)
    assert run.result["packing"] is True
    assert run.result["packing_leak"] == 0
    assert 0 < run.result["learned_tokens"] <= run.result["tokens"]
    assert run.reason.startswith("Of what is learned, given what stands before: perplexity ")
    card = (run.folder / "model" / "README.md").read_text()
    assert "pipeline_tag: text-generation" in card
    assert "| learned | `role:assistant, prompts with weight 0.1`" in card
    assert "generate" in load_model(run.id).capabilities
    assert RunSpec.from_file(run.folder / "spec.toml").loss.prompt_weight == 0.1


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"messages": [{"role": "user", "content": "Hi"}]}] * 3, "3 rows without a turn of the"),
        (
            [{"messages": [{"role": "user", "content": "Hi"},
                           {"role": "assistant", "content": " "}]}] * 3,
            "3 rows with an empty answer",
        ),
        ([{"messages": [{"role": "wizard", "content": "Hi"}]}] * 3, "Row 1: .*role 'wizard'"),
        ([{"messages": {"a": {"b": 1}}}] * 3, "Row 1: .*not a conversation"),
        ([{"messages": '[{"role": "user", "content": "Hi'}] * 3, "Row 1: .* is no JSON"),
        (
            [{"messages": [{"role": "user", "content": "Hi " * 200},
                           {"role": "assistant", "content": "Yo"}]}] * 3,
            "nothing that is learned lies within max_length 120",
        ),
    ],
)  # fmt: skip
def test_rows_that_teach_nothing_are_refused_before_a_run(tiny, tmp_path, rows, said) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(DataError, match=said):
        maskviz.train(spec_of(tiny, path=str(path)))


def test_a_long_row_is_cut_on_the_side_that_is_asked_for(tiny, tmp_path) -> None:
    path = tmp_path / "rows.jsonl"
    long = {"role": "user", "content": "Hi " * 200}
    rows = [{"messages": [long, {"role": "assistant", "content": "Yo"}]}] * 4
    path.write_text("\n".join(map(json.dumps, rows)))
    spec = spec_of(tiny, path=str(path), cut="left")
    found = with_lessons(spec, load_model(spec.model), load_rows(spec))
    lesson = found.train.labels[0]
    assert len(lesson.weights) == 120
    assert lesson.cut > 0
    assert lesson.count > 1
    assert any("longer than 120 tokens: cut at the beginning" in note for note in found.notes)


@pytest.mark.parametrize(
    ("row", "learned"),
    [
        ({"prompt": "1 + 1 =", "response": "two"}, "two<|end|>"),
        ({"instruction": "Add", "input": "1 1", "output": "two"}, "two<|end|>"),
        ({"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yo"}]},
         "Yo<|end|>"),
        ({"text": "She loved every minute."}, "She loved every minute.[SEP]"),
    ],
)  # fmt: skip
def test_every_form_of_rows_is_learned(tiny, tmp_path, row, learned: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join([json.dumps(row)] * 4))
    spec = spec_of(tiny, path=str(path))
    model = load_model(spec.model)
    lesson = with_lessons(spec, model, load_rows(spec)).train.labels[0]
    ids = [i for i, w in zip(lesson.plain.input_ids, lesson.weights, strict=True) if w]
    assert model.tokenizer.decode(ids) == learned


def test_the_example_conversations_train(tiny) -> None:
    spec = spec_of(tiny, path="example", max_rows=20)
    rows = load_rows(spec)
    assert len(rows.train) == 20
    assert len(rows.evaluation["dev"]) == 4
    assert with_lessons(spec, load_model(spec.model), rows).train.labels[0].count > 2


def test_a_stopped_run_goes_on_as_if_never_stopped(tiny) -> None:
    """Packs, masks drawn anew each epoch, two batches a step: the same weights to the last bit."""
    spec = spec_of(
        tiny, strategy="random", operator="attention", packing=True, max_steps=10, save_steps=2,
        gradient_accumulation_steps=2, per_device_train_batch_size=1,
    )  # fmt: skip
    folders = [new_folder(spec.changed(name=name)) for name in ("whole", "stopped")]

    asked = []

    def stop(status) -> None:
        if status.get("step") == 5 and status["phase"] == "training" and not asked:
            asked.append(5)
            os.kill(os.getpid(), signal.SIGTERM)

    assert execute(folders[0]) == "done"
    assert execute(folders[1], listener=stop) == "cancelled"
    assert execute(folders[1]) == "done"
    assert "goes on from step" in (folders[1] / "log.txt").read_text()
    whole, again = (load_file(folder / "model" / "model.safetensors") for folder in folders)
    assert whole.keys() == again.keys()
    for name, weights in whole.items():
        assert torch.equal(weights, again[name]), name


@pytest.mark.parametrize(("weights", "rank"), [(299_000_000, 0), (301_000_000, 16)])
def test_large_decoders_are_tuned_by_lora_where_nothing_is_said(monkeypatch, weights, rank) -> None:
    from maskviz.training.machine.model_size import Shape

    monkeypatch.setattr(defaults, "model_shape", lambda _: Shape(weights, weights, 2, 8))
    monkeypatch.setattr(defaults, "available", lambda: True)
    spec = RunSpec.build(task="causal", model="any")
    found, said = defaults.by_size(spec, {})
    assert found.training.lora_r == rank
    assert ("set lora_r to 0" in said) == bool(rank)
    assert defaults.by_size(spec, {"lora_r": 0}) == (spec, "")
    other = RunSpec.build(task="mlm")
    assert defaults.by_size(other, {}) == (other, "")
