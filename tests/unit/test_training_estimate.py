"""The estimate before a run: what it counts, and what it rests on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from maskviz.training.estimate import estimate, steps_of
from maskviz.training.folder import new_folder
from maskviz.training.machine import machine
from maskviz.training.machine.model_size import model_shape, tensor_sizes
from tests.tiny_runs import tiny_spec

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    return tiny_spec(tmp_path_factory.mktemp("tiny"), max_steps=-1, num_train_epochs=2.0)


def test_steps_and_rows_follow_the_budget(spec):
    assert steps_of(spec, 72) == (18, 144)
    assert steps_of(spec.changed(gradient_accumulation_steps=2), 72) == (10, 144)
    assert steps_of(spec.changed(max_steps=7), 72) == (7, 56)


def test_the_model_is_measured_from_its_files(spec):
    import torch
    from transformers import AutoModelForSequenceClassification

    network = AutoModelForSequenceClassification.from_pretrained(spec.model, dtype=torch.float32)
    shape = model_shape(spec.model)
    assert shape.weights == sum(p.numel() for p in network.parameters())
    assert (shape.layers, shape.width) == (2, 16)
    assert shape.dense == shape.weights - network.bert.embeddings.word_embeddings.weight.numel()


def test_no_row_is_longer_than_the_model_takes(spec):
    from maskviz.models import load_model
    from maskviz.training.machine.model_size import token_lengths

    (length,) = token_lengths(spec.model, ["film " * 5000], 8192)
    assert length == load_model(spec.model).max_length < 8192


def test_both_halves_of_an_encoder_decoder_are_counted(tmp_path):
    from tests.tiny_models import build

    folder = build("t5", tmp_path / "t5", "Seq2SeqLM")
    config = json.loads((folder / "config.json").read_text())
    shape = model_shape(str(folder))
    assert shape.layers == config["num_layers"] + config["num_decoder_layers"]
    assert (shape.width, shape.vocabulary) == (config["d_model"], config["vocab_size"])


def test_a_gpu_holds_tensors_alone(spec, monkeypatch):
    monkeypatch.setattr(machine, "_free_on_gpu", lambda: 80.0)
    spec = spec.changed(device="auto", precision="auto")
    there, here = estimate(spec), estimate(spec.changed(device="cpu"))
    assert 79 < there.gigabytes_free < 80.0  # a process takes some before its first tensor
    assert there.gigabytes_free != here.gigabytes_free
    assert there.gigabytes < 0.1 < 0.4 < here.gigabytes  # no process of Python and torch
    assert estimate(spec.changed(precision="float32")).gigabytes > there.gigabytes
    assert there.minutes < here.minutes


@pytest.mark.parametrize(("left", "free"), [([], 9.0), ([3_000_000_000], 3.0), ([2**60], 9.0)])
def test_a_container_has_what_its_limit_leaves(left, free, monkeypatch):
    whole = type("Memory", (), {"available": 9_000_000_000})
    monkeypatch.setattr("psutil.virtual_memory", lambda: whole)
    monkeypatch.setattr("maskviz.models.memory._free_in_groups", lambda: iter(left))
    assert machine.Machine.of("cpu") == machine.Machine(False, free)


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_what_a_gpu_keeps_for_the_backward_pass_is_what_torch_keeps(precision):
    import torch
    from transformers import AutoModel

    from maskviz.paths import assets
    from maskviz.training import RunSpec
    from maskviz.training.machine import memory

    spec = RunSpec.build(precision=precision, per_device_train_batch_size=16)
    network = AutoModel.from_pretrained(assets() / "mini").train()
    weights = {p.untyped_storage().data_ptr() for p in network.parameters()}
    kept = {}

    def note(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    ids = torch.randint(10, 200, (16, 64), generator=torch.Generator().manual_seed(0))
    visible = torch.ones_like(ids)
    visible[0, -1] = 0
    half = precision == "bf16"
    hooks = torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor)
    with hooks, torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
        network(input_ids=ids, attention_mask=visible)
    shape = model_shape("mini")
    estimated = memory.gigabytes(spec, shape, [64] * 10, gpu=True) * 1e9
    estimated -= memory._GPU_WORKSPACE + 12 * shape.weights
    assert estimated == pytest.approx(sum(kept.values()), rel=0.1)


def test_the_first_guess_and_then_what_was_measured(spec):
    first = estimate(spec)
    assert "first guess" in first.basis
    assert (first.rows, first.steps) == (72, 18)
    assert first.minutes > 0
    assert first.fits
    folder = new_folder(spec)
    known = {"parameters": model_shape(spec.model).weights, "device": "cpu, 1 threads"}
    (folder / "result.json").write_text(json.dumps({**known, "tokens_per_second": 100.0}))
    assert "first guess" in estimate(spec).basis  # it had hardly got going
    known |= {"steps": 10, "tokens_per_second": 100.0}
    (folder / "result.json").write_text(json.dumps(known))
    second = estimate(spec)
    assert "from 1 earlier run" in second.basis
    assert second.minutes > second.tokens / 100 / 60  # the evaluations come on top
    assert second.sentence().startswith("About ")


def test_the_machines_speed_is_counted_in_processor_time(monkeypatch):
    from types import SimpleNamespace

    ticks = iter([0, 9, 10, 11, 20, 29, 30, 39, 40, 49])  # four of the five took longer
    monkeypatch.setattr(machine, "time", SimpleNamespace(thread_time=lambda: next(ticks)))
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    operations = 64 * 2 * machine._MATRIX**3
    assert machine.matrix_flops.__wrapped__() == 3 * operations


def test_the_first_guess_knows_which_precision_is_fast_here(spec, monkeypatch):
    def minutes(precision, native):
        monkeypatch.setattr(machine, "_native_bf16", lambda: native)
        return estimate(spec.changed(precision=precision)).minutes

    monkeypatch.setattr(machine, "matrix_flops", lambda: 1e11)
    assert minutes("auto", True) < minutes("auto", False) == minutes("float32", True)
    assert minutes("bf16", False) == minutes("float32", False)  # emulated


def test_a_budget_in_minutes_is_the_estimate(spec):
    assert estimate(spec.changed(max_minutes=3.0)).minutes == 3.0


def test_memory_grows_with_the_batch_and_says_when_it_does_not_fit(spec):
    small, large = estimate(spec), estimate(spec.changed(per_device_train_batch_size=4096))
    assert large.gigabytes > small.gigabytes
    from dataclasses import replace

    assert not replace(large, gigabytes_free=0.1).fits


def test_a_strategy_that_asks_a_model_about_each_word_is_counted(spec):
    listed = estimate(spec.changed(strategy="key", parameters={"by": "lexicon"}))
    asking = estimate(spec.changed(strategy="key"))
    assert estimate(spec).minutes == listed.minutes
    assert asking.minutes > 1.5 * listed.minutes
    weights = model_shape(spec.model).weights
    assert asking.gigabytes - listed.gigabytes == pytest.approx(0.05 + 8 * weights / 1e9, rel=0.1)
    joined = spec.changed(second={"strategy": "key"})
    assert estimate(joined).minutes == pytest.approx(asking.minutes)


@pytest.mark.slow
def test_the_measured_peak_is_within_a_quarter_of_the_estimate(spec):
    from maskviz.training.folder import read_json

    folder = new_folder(spec)
    code = (
        "import sys; from pathlib import Path; from maskviz.training.loop.execute import execute;"
    )
    code += "execute(Path(sys.argv[1]), threads=1)"
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, cwd=ROOT)
    peak = read_json(folder / "result.json")["peak_memory_bytes"] / 1e9
    assert estimate(spec).gigabytes == pytest.approx(peak, rel=0.25)


def test_tensor_sizes_reads_the_header_alone(spec):
    path = Path(spec.model) / "model.safetensors"
    assert sum(tensor_sizes(path).values()) == model_shape(spec.model).weights


def test_estimating_imports_no_torch(spec):
    code = (
        "import sys; from maskviz.training import RunSpec;"
        "from maskviz.training.estimate import estimate;"
        "estimate(RunSpec.from_toml(sys.argv[1])); print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, spec.to_toml()], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_layers_that_are_computed_again_need_less_memory(tmp_path):
    whole, less = (
        estimate(tiny_spec(tmp_path, model="mini", gradient_checkpointing=chosen)).gigabytes
        for chosen in (False, True)
    )
    assert less < whole
