"""Other families than BERT train as well: decoders, encoder–decoders, models that lack a token."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import maskviz
from maskviz.errors import CapabilityError, MissingDependencyError, ModelNotFoundError
from maskviz.models import load_model
from maskviz.readings.labels import predict
from maskviz.training import check
from tests.tiny_models import build
from tests.tiny_runs import tiny_spec


def _train(folder: Path, family: str, head: str, **values):
    model = build(family, folder / family, head)
    values = {"model": str(model), "max_steps": 4, "logging_steps": 2, **values}
    run = maskviz.train(tiny_spec(folder, **values))
    assert run.state == "done", run.log()
    return run


def _without(folder: Path, *tokens: str) -> None:
    """Take special tokens away from a saved tokenizer, and the padding from its model."""
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in config.items() if k not in tokens}))
    path = folder / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "pad_token_id": None}))


@pytest.mark.parametrize("lora_r", [0, 2])
@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_a_decoder_without_a_padding_token_learns_to_classify(tmp_path, recwarn, family, lora_r):
    if lora_r:
        pytest.importorskip("peft")
    model = build(family, tmp_path / family, "CausalLM")
    _without(model, "pad_token")
    values = {"model": str(model), "max_steps": 4, "operator": "delete", "lora_r": lora_r}
    run = maskviz.train(tiny_spec(tmp_path, **values))
    assert run.state == "done", run.log()
    assert not [w for w in recwarn if "fan_in_fan_out" in str(w.message)]
    saved = json.loads((run.model_path / "config.json").read_text())
    assert saved["pad_token_id"] == load_model(run.id).tokenizer.pad_token_id is not None
    texts = ["Anna loved the film", "dull"]  # of two lengths: one is padded
    encodings = [maskviz.apply(maskviz.mask(t, "random", ratio=0), model=run.id) for t in texts]
    together = predict(run.id, encodings)
    alone = [predict(run.id, [encoding])[0] for encoding in encodings]
    for one, two in zip(together, alone, strict=True):
        assert one.probabilities == pytest.approx(two.probabilities, abs=1e-6)


@pytest.mark.parametrize("family", ["roberta", "distilbert", "albert", "electra", "bart"])
def test_every_masked_language_model_learns_what_is_hidden(tmp_path, family):
    run = _train(tmp_path, family, "MaskedLM", task="mlm")
    assert "perplexity" in run.reason


@pytest.mark.parametrize(("family", "operator"), [("bart", "mask"), ("marian", "unk")])
def test_what_is_written_stays_within_the_models_own_limit(tmp_path, family, operator):
    table = tmp_path / "pairs.csv"
    table.write_text("text,target\n" + f"the story,{'slow ' * 200}\n" * 8)
    values = {"task": "seq2seq", "path": str(table), "operator": operator}
    run = _train(tmp_path, family, "Seq2SeqLM", **values, max_target_length=1000)
    assert "perplexity" in run.reason or "texts written" in run.reason  # without sacreBLEU, with


@pytest.mark.parametrize(
    ("family", "head", "values", "words"),
    [
        ("t5", "Seq2SeqLM", {"operator": "mask"}, "no mask token"),
        ("marian", "Seq2SeqLM", {"task": "mlm"}, "no mask token.*such as 'mini'"),
        ("llama", "CausalLM", {"operator": "corrupt"}, "no mask token"),
        ("bert", "MaskedLM", {"task": "seq2seq"}, "writes no text"),
    ],
)
def test_what_a_models_files_rule_out_is_refused_before_there_is_a_run(
    tmp_path, family, head, values, words
):
    model = build(family, tmp_path / family, head)
    path = model / "tokenizer.json"
    core = json.loads(path.read_text())
    path.write_text(json.dumps({**core, "added_tokens": core["added_tokens"][:4]}))
    with pytest.raises(CapabilityError, match=words):
        maskviz.train(tiny_spec(tmp_path, model=str(model), **values))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"operator": "delete"}, "'marian' has no head for it"),
    ],
)
def test_a_model_that_cannot_learn_the_task_is_named_with_another(tmp_path, values, words):
    model = build("marian", tmp_path / "marian", "Seq2SeqLM")
    run = maskviz.train(tiny_spec(tmp_path, model=str(model), **values))
    assert run.state == "failed"
    assert words in run.reason
    assert "such as 'mini'" in run.reason


def test_a_folder_without_a_tokenizer_is_no_model(tmp_path):
    model = build("bert", tmp_path / "bert")
    for path in model.glob("*token*"):
        path.unlink()
    with pytest.raises(ModelNotFoundError, match="has no tokenizer"):
        load_model(model)


@pytest.mark.parametrize(
    ("missing", "values", "words"),
    [
        ("accelerate", {}, "pip install accelerate"),
        ("spacy", {"strategy": "entity"}, "The strategy 'entity' needs spaCy"),
        ("spacy", {"strategy": "none", "matrix": "same-sentence"}, "'same-sentence' needs spaCy"),
    ],
)
def test_what_is_not_installed_is_named_before_there_is_a_run(
    tmp_path, monkeypatch, missing, values, words
):
    found = check.find_spec
    monkeypatch.setattr(check, "find_spec", lambda name: None if name == missing else found(name))
    with pytest.raises(MissingDependencyError, match=words):
        maskviz.train(tiny_spec(tmp_path, **values))
