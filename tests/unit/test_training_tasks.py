"""Every kind of task on a tiny model: it trains, has figures of its own, and loads again."""

from __future__ import annotations

import csv
import math
import random
from pathlib import Path

import numpy as np
import pytest

import maskviz
from maskviz.errors import DataError, ParameterError, UnknownNameError
from maskviz.training import RunSpec
from maskviz.training.data.rows import Part as RowPart
from maskviz.training.data.rows import Rows, load_rows
from maskviz.training.data.targets import class_weights
from maskviz.training.folder import Run
from tests.tiny_models import build
from tests.tiny_runs import BAD, GOOD, tiny_model, tiny_spec


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    """A folder with models and a table that has a target of every kind."""
    folder = tmp_path_factory.mktemp("tasks")
    tiny_model(folder / "model")
    build("bert", folder / "mlm", "MaskedLM")
    build("t5", folder / "t5", "Seq2SeqLM")
    rng = random.Random(0)
    with (folder / "rows.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label", "labels", "score", "target"])
        for i in range(64):
            good, bad = rng.sample(GOOD, i % 3), rng.sample(BAD, (i // 3) % 3)
            words = [*good, *bad, "the", "film"]
            rng.shuffle(words)
            labels = ", ".join(["warm"] * bool(good) + ["cold"] * bool(bad)) or "-"
            label = "good" if len(good) > len(bad) else "bad"
            rows.writerow([" ".join(words), label, labels, len(good) - len(bad), words[0]])
    return folder


def _train(tiny: Path, **values) -> Run:
    run = maskviz.train(tiny_spec(tiny, **{"max_steps": 12, "eval_steps": 6, **values}))
    assert run.state == "done", run.log()
    return run


def test_several_labels_a_row(tiny):
    run = _train(tiny, problem_type="multi_label_classification", label_column="labels")
    assert run.result["labels"] == ["cold", "warm"]
    assert {"micro_f1_plain", "exact_match_masked"} <= set(run.metrics)
    assert run.reason.startswith("Micro-F1 ")
    encoding = maskviz.apply(maskviz.mask("the film loved", "random", ratio=0), model=str(run.id))
    from maskviz.readings.labels import predict

    answer = predict(run.id, [encoding])[0]
    assert set(answer.probabilities) == {"cold", "warm"}
    assert not math.isclose(sum(answer.probabilities.values()), 1)  # each for itself


def test_a_regression_learns_numbers(tiny):
    run = _train(
        tiny, problem_type="regression", label_column="score", max_steps=60, learning_rate=5e-3,
        strategy="none",
    )  # fmt: skip
    assert run.reason.startswith("Mean absolute error ")
    assert run.metrics["pearson_plain"] > 0.5
    assert "accuracy_plain" not in run.metrics
    assert "| mae |" in (run.model_path / "README.md").read_text()


def test_huge_values_to_learn_are_named_before_and_as_the_cause_of_an_infinite_loss(tiny):
    from maskviz.training.data.rows import load_rows

    rows = [f"film number {i},{i}e25" for i in range(1, 25)]
    table = tiny / "huge.csv"
    table.write_text("text,price\n" + "\n".join(rows) + "\n")
    values = {"problem_type": "regression", "label_column": "price", "path": str(table)}
    (note,) = load_rows(tiny_spec(tiny, **values)).notes
    assert "'price' reach 2.4e+26: divide them" in note
    run = maskviz.train(tiny_spec(tiny, **values, logging_steps=1))
    assert run.state == "failed"
    assert "became inf at step 1: the values to learn reach 2" in run.reason


def test_a_text_is_written_from_a_masked_one(tiny):
    pytest.importorskip("sacrebleu")
    from transformers import AutoModelForSeq2SeqLM

    spec = {"task": "seq2seq", "model": str(tiny / "t5"), "operator": "delete"}
    run = _train(tiny, **spec, target_column="target")
    assert {"loss_plain", "loss_masked", "accuracy_plain"} <= set(run.metrics)
    for mask in ("plain", "masked"):
        assert run.metrics[f"written_rows_{mask}"] == run.result["evaluations"][0]["rows"]
        assert all(0 <= run.metrics[f"{name}_{mask}"] <= 100 for name in ("chrf", "rougeL"))
    assert f"{run.metrics['chrf_plain']:.1f}" in run.reason
    assert "BLEU, chrF, ROUGE-L" in (run.model_path / "README.md").read_text()
    tuned = AutoModelForSeq2SeqLM.from_pretrained(run.model_path)
    assert tuned.config.is_encoder_decoder
    assert tuned.config.use_cache  # what Trainer turned off
    assert tuned.generation_config.use_cache is not False


@pytest.mark.parametrize(
    ("values", "head"),
    [
        ({}, "SequenceClassification"),
        ({"task": "mlm", "model": "mlm"}, "MaskedLM"),
    ],
)
def test_lora_tunes_little_and_leaves_a_plain_model(tiny, values, head):
    pytest.importorskip("peft")
    import transformers
    from safetensors.numpy import load_file

    values = {**values, **({"model": str(tiny / values["model"])} if "model" in values else {})}
    run = _train(tiny, **values, lora_r=2, lora_dropout=0.0)
    assert "lora" not in "".join(load_file(run.model_path / "model.safetensors"))
    network, said = getattr(transformers, f"AutoModelFor{head}").from_pretrained(
        run.model_path, output_loading_info=True
    )
    assert not said["missing_keys"]
    assert not said["unexpected_keys"]
    before = load_file((tiny / (values.get("model") or "model")) / "model.safetensors")
    after = {k: v.detach().numpy() for k, v in network.state_dict().items()}
    name = "bert.encoder.layer.0.attention.self.query.weight"
    assert abs(before[name] - after[name]).max() > 0
    table = "bert.embeddings.word_embeddings.weight"
    assert abs(before[table] - after[table]).max() == 0
    assert "LoRA, rank 2" in (run.model_path / "README.md").read_text()
    _same_through_peft(run, tiny / (values.get("model") or "model"), head, network)


def _same_through_peft(run, base, head, merged):
    """Load the matrices alone onto the base as the card says, and compare the outputs."""
    import re

    import torch
    import transformers
    from peft import PeftModel
    from safetensors.numpy import load_file

    card = (run.adapter_path / "README.md").read_text()
    assert str(base.parent) not in card + (run.adapter_path / "adapter_config.json").read_text()
    assert f"`{base.name}` goes with it" in card
    call = re.search(rf"= (AutoModelFor{head}\.from_pretrained\(.*\))", card)[1]
    call = call.replace(repr(base.name), repr(str(base)))  # where the reader has it
    network = PeftModel.from_pretrained(eval(call, vars(transformers)), run.adapter_path)
    ids = torch.tensor([[2, 5, 6, 7, 8, 3]])
    with torch.no_grad():
        there, here = network.eval()(ids).logits, merged.eval()(ids).logits
    assert torch.allclose(there, here, atol=1e-5)
    tensors = load_file(run.adapter_path / "adapter_model.safetensors")
    assert not [name for name in tensors if "embeddings" in name]


def test_it_stops_early_and_takes_the_best_weights(tiny):
    run = _train(
        tiny, early_stopping_patience=2, max_steps=400, eval_steps=5, learning_rate=5e-2,
        strategy="none",
    )  # fmt: skip
    losses = [(line["plain_loss"], line["step"]) for line in run.history if "plain_loss" in line]
    best, last = min(losses)[1], max(step for _, step in losses)
    assert last < 400
    assert sum(step > best for _, step in losses) == 2
    assert f"takes the weights of step {best}" in run.log()
    assert run.metrics["loss_plain"] == pytest.approx(min(losses)[0], abs=1e-3)


def test_a_matrix_acts_in_training_and_evaluation(tiny):
    masked = _train(tiny, matrix="hidden-keys", seed=3)
    without = _train(tiny, seed=3)
    assert masked.metrics["loss_masked"] != without.metrics["loss_masked"]
    alone = _train(tiny, strategy="none", matrix="window", matrix_parameters={"width": 1})
    assert alone.metrics["loss_masked"] != alone.metrics["loss_plain"]


def test_an_architecture_without_matrices_is_named(tiny, tmp_path):
    model = build("fnet", tmp_path / "model")
    run = maskviz.train(tiny_spec(tiny, model=str(model), strategy="none", matrix="causal"))
    assert run.state == "failed"
    assert "'fnet' takes no attention matrix" in run.reason


def test_the_head_of_an_mlm_at_hidden_tokens_gives_the_loss_of_the_whole(tiny):
    import torch

    from maskviz.models import load_model
    from maskviz.training.data.collating import hidden_alone
    from maskviz.training.model.hooks import CoreHooks
    from maskviz.training.model.network import load_network

    torch.manual_seed(0)
    spec = tiny_spec(tiny, task="mlm", model=str(tiny / "mlm"))
    network = load_network(spec, load_model(spec.model), ("text",)).eval()
    hooks = CoreHooks(network)
    ids = torch.randint(5, 60, (3, 9))
    labels = torch.where(torch.rand(3, 9) < 0.3, ids, -100)
    whole = network(input_ids=ids, labels=labels).loss
    sparse = hidden_alone(labels)
    with hooks.fed(sparse["head_positions"], None):
        picked = network(input_ids=ids, labels=sparse["labels"])
    assert picked.logits.shape[:2] == (1, (labels != -100).sum())
    assert picked.loss.item() == pytest.approx(whole.item(), rel=1e-6)


@pytest.mark.parametrize("family", ["bert", "roberta", "modernbert", "gpt2"])
def test_a_head_is_kept_for_its_own_labels_and_drawn_for_others(family, tmp_path):
    import torch

    from maskviz.models import load_model
    from maskviz.training.model.network import load_network
    from maskviz.training.spec.spec import RunSpec

    names = {0: "bad", 1: "good"}
    folder = build(family, tmp_path, id2label=names, label2id={"bad": 0, "good": 1})
    model = load_model(str(folder))
    spec = RunSpec.build(model=str(folder))
    kept, numbered, drawn = (
        load_network(spec, model, labels).state_dict()
        for labels in (("bad", "good"), ("0", "1"), ("fine", "poor"))
    )
    last = {name for name in kept if not torch.equal(kept[name], drawn[name])}
    assert last
    assert all(len(kept[name]) == 2 for name in last)  # nothing below the last layer
    assert drawn[max(last)].std() > 0
    assert all(torch.equal(kept[name], numbered[name]) for name in kept)


def test_an_mlm_batch_without_a_hidden_token_costs_nothing(tiny):
    parameters = {"pattern": "loved"}  # in some rows only
    run = _train(
        tiny, task="mlm", model=str(tiny / "mlm"), strategy="pattern", parameters=parameters,
        ratio=None, per_device_train_batch_size=2,
    )  # fmt: skip
    assert all(math.isfinite(line["loss"]) for line in run.history if "loss" in line)


def test_balanced_weights_are_scikit_learns():
    compute_class_weight = pytest.importorskip("sklearn.utils.class_weight").compute_class_weight
    labels = [0, 0, 0, 1, 2, 2]
    wanted = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    assert class_weights(labels, 3) == pytest.approx(list(wanted))


def test_balanced_weights_change_the_run(tiny):
    weighed = _train(tiny, class_weights="balanced", gradient_accumulation_steps=2)
    assert (
        weighed.metrics["loss_plain"]
        != _train(tiny, gradient_accumulation_steps=2).metrics["loss_plain"]
    )


def test_a_model_keeps_its_own_order_of_labels(tiny):
    rows = load_rows(tiny_spec(tiny))
    assert rows.label_names == ("bad", "good")
    turned = rows.in_order(("good", "bad"))
    assert [1 - label for label in rows.train.labels] == list(turned.train.labels)
    other = Rows(RowPart(("a",), (0,)), {}, ("x",))
    assert other.in_order(("y",)) is other


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ({"problem_type": "regression", "label_column": "label"}, DataError, "needs numbers"),
        ({"task": "seq2seq", "target_column": "nope"}, DataError, "no column 'nope'"),
        ({"problem_type": "several"}, UnknownNameError, "multi_label_classification"),
        ({"matrix": "windw"}, UnknownNameError, "same-sentence"),
        ({"matrix": "custom"}, ParameterError, "made for one text"),
        ({"matrix": "window", "operator": "delete"}, ParameterError, "changes their number"),
        ({"matrix": "hidden-keys", "strategy": "none"}, ParameterError, "choose a strategy"),
        ({"task": "mlm", "class_weights": "balanced"}, ParameterError, "class_weights"),
        ({"lora_r": -1}, ParameterError, "lora_r is -1"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(tiny, values, error, words):
    with pytest.raises(error, match=words):
        load_rows(tiny_spec(tiny, **values))


def test_a_kind_survives_its_toml():
    assert RunSpec.from_toml(RunSpec(problem_type="regression").to_toml()).kind == "regression"


@pytest.mark.parametrize("lora_r", [0, 2])
def test_checkpointed_layers_learn_the_same(tiny, lora_r, recwarn):
    if lora_r:
        pytest.importorskip("peft")
    model = str(build("modernbert", tiny / "modernbert"))
    plain, checkpointed = (
        _train(tiny, model=model, lora_r=lora_r, lora_dropout=0.0, gradient_checkpointing=chosen)
        for chosen in (False, True)
    )
    losses = [
        [row["loss"] for row in run.history if "loss" in row] for run in (plain, checkpointed)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert not [w for w in recwarn if "checkpointing" in str(w.message)]


def test_a_network_that_cannot_checkpoint_its_layers_is_named(tiny, monkeypatch):
    from transformers import BertForSequenceClassification

    monkeypatch.setattr(BertForSequenceClassification, "supports_gradient_checkpointing", False)
    run = maskviz.train(tiny_spec(tiny, gradient_checkpointing=True))
    assert run.state == "failed"
    assert "'bert' takes no gradient_checkpointing" in run.reason
