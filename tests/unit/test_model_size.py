"""What a model computes in and whether it fits is known from its files, before it is loaded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from maskviz.attention import attend
from maskviz.attention.scores import word_scores
from maskviz.errors import CapabilityError, ModelNotFoundError
from maskviz.evidence import compare, explain
from maskviz.masks import mask
from maskviz.models import load_model, memory, size
from maskviz.models import model as module
from tests.tiny_models import build

TEXT = "Anna saw the quick brown fox in Paris. It was a dull day, and nobody liked it."


@pytest.fixture(scope="module")
def sharded(tmp_path_factory, tiny) -> Path:
    """Return a folder whose weights are in several files."""
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("sharded")
    plain = tiny("llama", "CausalLM")
    AutoModelForCausalLM.from_pretrained(plain).save_pretrained(folder, max_shard_size="20KB")
    for file in Path(plain).glob("*token*"):
        shutil.copy(file, folder)
    assert len(list(folder.glob("*.safetensors"))) > 2
    return folder


def numbers(name) -> torch.Tensor:
    model = load_model(name)
    with torch.inference_mode():
        ids = torch.tensor([model.tokenise(TEXT).input_ids])
        return model.main_network()(input_ids=ids).logits


def test_weights_in_several_files_are_one_model(sharded: Path, tiny) -> None:
    plain = load_model(tiny("llama", "CausalLM"))
    assert torch.equal(numbers(sharded), numbers(plain))
    assert load_model(sharded).parameters == plain.parameters
    assert plain.parameters == sum(p.numel() for p in plain.main_network().parameters())


def test_a_file_of_several_that_is_missing_is_named(sharded: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(sharded, tmp_path / "part")
    gone = sorted(folder.glob("*.safetensors"))[1]
    gone.unlink()
    with pytest.raises(ModelNotFoundError, match=f"'part' lacks '{gone.name}'"):
        load_model(folder)


@pytest.mark.parametrize(
    ("parameters", "dtype", "needed"),
    [
        (0, "float32", 0),
        (134_515_008, "float32", 538_060_032),
        (10**9, "float32", 4 * 10**9),
        (10**9 + 1, "bfloat16", 2 * 10**9 + 2),
        (8_030_261_248, "bfloat16", 16_060_522_496),
    ],
)
def test_what_is_computed_in_is_chosen_by_size(parameters: int, dtype: str, needed: int) -> None:
    assert (size.dtype_for(parameters), size.bytes_for(parameters)) == (dtype, needed)


@pytest.mark.parametrize("family", ["bert", "llama", "t5"])
def test_what_does_not_fit_is_refused_before_it_is_loaded(family, tiny, monkeypatch) -> None:
    head = {"t5": "Seq2SeqLM", "llama": "CausalLM"}.get(family, "SequenceClassification")
    model = load_model(shutil.copytree(tiny(family, head), tiny(family, head) + "-large"))
    memory.NETWORKS.clear()
    monkeypatch.setattr(type(model), "parameters", 7_241_732_096)
    monkeypatch.setattr(size, "free_bytes", lambda: 9 * 10**9)
    monkeypatch.setattr(module, "_from_pretrained", lambda *_, **__: pytest.fail("loaded"))
    with pytest.raises(CapabilityError) as raised:
        model.main_network()
    assert str(raised.value).endswith(
        "needs 15.9 GB of memory (7.24 billion parameters in bfloat16), and 9.0 GB are free here: "
        "choose a smaller model, or a machine with more memory."
    )


def test_what_is_free_is_what_the_container_leaves(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(memory, "_free_in_groups", lambda: iter([123_456]))
    with pytest.raises(CapabilityError, match=r"0\.0 GB are free"):
        size.fits("some", 10**6, "float32")


def test_the_hub_says_how_large_a_model_is(monkeypatch) -> None:
    from huggingface_hub import HfApi

    from maskviz.models.locate import parameters_on_hub

    class Said:
        def __init__(self, total: int) -> None:
            self.safetensors = type("Weights", (), {"total": total}) if total else None

    for total in (0, 7_000_000_000):
        monkeypatch.setattr(HfApi, "model_info", lambda *_, t=total, **__: Said(t))
        assert parameters_on_hub("some/model") == total
    monkeypatch.setattr(HfApi, "model_info", lambda *_, **__: (_ for _ in ()).throw(OSError()))
    assert parameters_on_hub("some/model") == 0


@pytest.fixture
def rounded(monkeypatch):
    """Let every model be a large one."""
    monkeypatch.setattr(size, "BILLION", 1000)


KINDS = (
    ("llama", "CausalLM"), ("gpt2", "CausalLM"), ("gemma3_text", "CausalLM"),
    ("llama", "SequenceClassification"), ("modernbert", "SequenceClassification"),
    ("bert", "SequenceClassification"), ("t5", "Seq2SeqLM"),
)  # fmt: skip


@pytest.mark.parametrize(("family", "head"), KINDS)
def test_a_large_model_shows_its_attention_in_bfloat16(family, head, rounded, tmp_path) -> None:
    folder = build(family, tmp_path / "wide", head)
    model = load_model(folder)
    assert model.main_network().dtype == torch.bfloat16
    found = attend(TEXT, model).weights.astype(np.float32)
    assert np.allclose(found.sum(-1), 1, atol=0.02)
    scores = word_scores(TEXT, model, "relevance")
    assert np.isfinite(scores).all()
    size.BILLION = 10**9
    exact = attend(TEXT, load_model(shutil.copytree(folder, tmp_path / "exact"))).weights
    assert np.abs(found - exact.astype(np.float32)).max() < 0.05


@pytest.mark.parametrize("family", ["llama", "bert", "modernbert"])
def test_a_large_classifier_answers_in_bfloat16(family: str, rounded, tmp_path: Path) -> None:
    folder = build(family, tmp_path / "wide")
    chosen = mask(TEXT, "pattern", words="quick,dull")
    wide = compare(chosen, load_model(folder), operator="delete")
    words = explain(TEXT, load_model(folder), "integrated-gradients").words
    assert all(np.isfinite(word.score) for word in words)
    size.BILLION = 10**9
    exact = compare(chosen, shutil.copytree(folder, tmp_path / "exact"), operator="delete")
    for label, probability in exact.original.probabilities.items():
        assert wide.original.probabilities[label] == pytest.approx(probability, abs=0.02)


def test_info_says_what_a_model_is(sharded: Path, run) -> None:
    found = json.loads(run("models", "info", str(sharded), "--json")[1])
    keys = ("architecture", "dtype", "quantised_to", "chat_template", "max_length")
    assert [found[key] for key in keys] == ["LlamaForCausalLM", "float32", None, False, 64]
    lines = run("models", "info", str(sharded))[1].splitlines()
    shown = dict(line.split(maxsplit=1) for line in lines if line[:4] in ("dtyp", "quan", "chat"))
    assert shown == {"dtype": "float32", "quantised_to": "none", "chat_template": "no"}
