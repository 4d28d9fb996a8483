"""Tokens as the network knows them: what it passes over at an end, what it has learned to guess."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import maskviz
from maskviz.errors import CapabilityError
from maskviz.evidence.words.faithfulness import default_operator
from maskviz.evidence.words.gradients import baseline_ids
from maskviz.evidence.words.occlusion import occlusion
from maskviz.masks import Mask, apply
from maskviz.models import load_model
from maskviz.readings.labels import predict
from tests.tiny_models import build

TEXTS = ("The film was great.", "dull", "Anna loved the film, and Ben did not.")
NAMED = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")


def _published(folder: Path, family: str, pad: int | None, named: dict, keeps: int | None) -> str:
    """Write a decoder classifier that ends a text with eos, its special tokens as published.

    keeps: of how many of its added tokens the tokenizer says that they are special; None: all.
    """
    build(family, folder)
    for name, values in (("tokenizer_config.json", named), ("config.json", {"pad_token_id": pad})):
        path = folder / name
        core = {k: v for k, v in json.loads(path.read_text()).items() if k not in NAMED}
        if name == "tokenizer_config.json":
            core.pop("added_tokens_decoder", None)
        path.write_text(json.dumps({**core, **values}))
    path = folder / "tokenizer.json"
    core = json.loads(path.read_text())
    if keeps is not None:
        core["added_tokens"] = [t for t in core["added_tokens"] if t["content"] == "[SEP]"]
        path.write_text(json.dumps(core))
    return str(folder)


@pytest.mark.parametrize(
    ("pad", "named", "keeps"),
    [
        (None, {"eos_token": "[SEP]"}, None),
        (None, {"eos_token": "[SEP]"}, 1),  # eos is the only special token
        (None, {"eos_token": "[SEP]", "pad_token": "[SEP]"}, None),
        (None, {"eos_token": "[SEP]", "unk_token": "[UNK]"}, None),
        (None, {"eos_token": "[SEP]", "pad_token": "[PAD]"}, None),
        (-1, {"eos_token": "[SEP]"}, None),
        (3, {"eos_token": "[SEP]"}, None),  # published so: read before the last token
        (3, {"eos_token": "[SEP]", "pad_token": "[PAD]"}, None),
    ],
)
@pytest.mark.parametrize("family", ["gpt2", "llama", "gemma3_text"])
def test_a_decoder_answers_as_transformers_has_it(tmp_path, family, pad, named, keeps) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = _published(tmp_path, family, pad, named, keeps)
    network = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer("a")["input_ids"][-1] == tokenizer.eos_token_id == 3
    encodings = [apply(text, model=load_model(folder)) for text in TEXTS]
    together = predict(folder, encodings)
    for text, encoding, found in zip(TEXTS, encodings, together, strict=True):
        with torch.inference_mode():
            ids = torch.tensor([tokenizer(text)["input_ids"]])
            right = network(ids, attention_mask=torch.ones_like(ids)).logits[0].softmax(-1)
        (alone,) = predict(folder, [encoding])
        assert list(found.probabilities) == pytest.approx(right.tolist(), abs=1e-5)
        assert list(alone.probabilities) == pytest.approx(right.tolist(), abs=1e-5)


def _names_a_mask(folder: Path, family: str, head: str) -> str:
    """Write a model whose tokenizer names a mask token, whatever the network has learned."""
    build(family, folder, head)
    path = folder / "tokenizer_config.json"
    core = json.loads(path.read_text())
    path.write_text(json.dumps({**core, "mask_token": "[MASK]"}))
    return str(folder)


@pytest.mark.parametrize("operator", ["mask", "corrupt"])
@pytest.mark.parametrize("family", ["gemma3_text", "llama", "gpt2", "t5", "marian"])
def test_a_mask_token_that_was_never_learned_is_none(tmp_path, family, operator) -> None:
    head = "Seq2SeqLM" if family in ("t5", "marian") else "SequenceClassification"
    model = load_model(_names_a_mask(tmp_path, family, head))
    assert model.tokenizer.mask_token == "[MASK]"
    assert model.mask_token_id is model.mask_token is None
    with pytest.raises(CapabilityError, match=r"no mask token it has learned.*'\[MASK\]'.*delete"):
        apply(maskviz.mask(TEXTS[0], "manual", indices=[1]), operator, model)
    assert default_operator(model) == "attention"
    unlearned = model.tokenizer.mask_token_id
    assert unlearned not in baseline_ids(model, apply(TEXTS[0], model=model)).tolist()[0]


def test_words_are_left_out_without_a_token_that_was_never_learned(tmp_path, monkeypatch) -> None:
    from maskviz.evidence.words import occlusion as module

    read = []
    without = module._without
    monkeypatch.setattr(module, "_without", lambda *a: read.append(without(*a)) or read[-1])
    model = load_model(_names_a_mask(tmp_path, "gemma3_text", "SequenceClassification"))
    occlusion(Mask(TEXTS[0]), model)
    assert read
    assert all(model.tokenizer.mask_token_id not in ids.input_ids for ids in read)
    assert all(0 in ids.attention_mask for ids in read)


@pytest.mark.parametrize("head", ["SequenceClassification", "MaskedLM"])
@pytest.mark.parametrize("family", ["bert", "roberta", "modernbert", "bart"])
def test_what_is_tuned_from_a_masked_language_model_keeps_its_mask_token(tiny, family, head):
    model = load_model(tiny(family, head))
    assert model.mask_token_id == model.tokenizer.mask_token_id is not None
    assert default_operator(model) == "mask"
