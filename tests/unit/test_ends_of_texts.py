"""A decoder's classifier reads the last token of a text, whatever its batches are padded with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import maskviz
from maskviz.errors import MaskError
from maskviz.evidence import compare, explain
from maskviz.masks import apply
from maskviz.models import load_model
from maskviz.readings.labels import predict
from tests.tiny_models import build_any
from tests.tiny_runs import tiny_spec

TEXTS = (
    "The film was great.", "dull", "Anna loved the film, and Ben did not.", "the lazy dog !",
    "The film was great.[SEP]", "dull [SEP]", "[SEP] the lazy dog [SEP] [SEP]",
)  # fmt: skip
NAMED = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
GIVEN = {"gemma3_text": {"num_key_value_heads": 1, "head_dim": 8}}
EOS = {"eos_token": "[SEP]"}


def _rewrite(path: Path, drop: tuple[str, ...] = (), **values: object) -> None:
    core = {k: v for k, v in json.loads(path.read_text()).items() if k not in drop}
    path.write_text(json.dumps({**core, **values}))


def _published(
    folder: Path, family: str, pad: int | None, named: dict, only_eos: bool = False, ends=True
) -> str:
    """Write a decoder classifier, its special tokens as published.

    only_eos: its tokenizer has no other special token; ends: each text ends with it.
    """
    build_any(family, folder, **GIVEN.get(family, {}))
    _rewrite(folder / "config.json", pad_token_id=pad)
    _rewrite(folder / "tokenizer_config.json", (*NAMED, "added_tokens_decoder"), **named)
    path = folder / "tokenizer.json"
    core = json.loads(path.read_text())
    if only_eos:
        core["added_tokens"] = [t for t in core["added_tokens"] if t["content"] == "[SEP]"]
    if not ends:
        core["post_processor"] = None
    path.write_text(json.dumps(core))
    return str(folder)


def _right(folder: str) -> list[list[float]]:
    """Return what transformers answers to each text alone, from the files as they are."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    network = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        given = [tokenizer(text, return_tensors="pt") for text in TEXTS]
        answers = [network(one.input_ids, attention_mask=one.attention_mask) for one in given]
    return [answer.logits[0].softmax(-1).tolist() for answer in answers]


def _answers(folder: str, together: bool) -> list[list[float]]:
    model = load_model(folder)
    encodings = [apply(text, model=model) for text in TEXTS]
    if together:
        found = predict(model, encodings, batch_size=len(TEXTS))
    else:
        found = [predict(model, [one])[0] for one in encodings]
    return [list(one.probabilities.values()) for one in found]


@pytest.mark.parametrize(
    ("pad", "named", "only_eos"),
    [
        (None, EOS, False),
        (None, EOS, True),
        (None, {**EOS, "pad_token": "[SEP]"}, False),
        (None, {**EOS, "unk_token": "[UNK]", "padding_side": "left"}, False),
        (None, {**EOS, "pad_token": "[PAD]"}, False),
        (-1, EOS, False),
        (3, EOS, False),  # published so: read before the last token
        (3, {**EOS, "pad_token": "[PAD]", "padding_side": "left"}, False),
        (0, {**EOS, "pad_token": "[SEP]"}, False),
    ],
)
@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize("family", ["gpt2", "llama", "gemma3_text"])
def test_a_decoder_answers_as_transformers_has_it(tmp_path, family, pad, named, only_eos, ends):
    folder = _published(tmp_path, family, pad, named, only_eos, ends)
    right = _right(folder)
    for together in (True, False):
        for found, one in zip(_answers(folder, together), right, strict=True):
            assert found == pytest.approx(one, abs=1e-5)


@pytest.mark.parametrize("named", [EOS, {**EOS, "pad_token": "[SEP]"}])
@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_what_a_tuned_decoder_saves_answers_in_transformers_as_it_does_here(
    tmp_path, family, named
):
    folder = _published(tmp_path / "published", family, None, named)
    values = {"model": folder, "max_steps": 4, "logging_steps": 2, "operator": "delete"}
    run = maskviz.train(tiny_spec(tmp_path, **values))
    assert run.state == "done", run.log()
    right = _right(str(run.model_path))
    for together in (True, False):
        for found, one in zip(_answers(run.id, together), right, strict=True):
            assert found == pytest.approx(one, abs=1e-5)


@pytest.mark.parametrize("pad", [None, 0, 3])
@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_padding_in_the_place_of_a_word_is_the_networks_own(tmp_path, family, pad) -> None:
    model = load_model(_published(tmp_path, family, pad, EOS))
    encoding = apply(maskviz.mask(TEXTS[0], "manual", indices=[1]), "pad", model)
    hidden = [i for i, seen in enumerate(encoding.attention_mask) if not seen]
    assert hidden
    assert {encoding.input_ids[i] for i in hidden} == {model.padding}
    assert model.network("classify").config.pad_token_id == model.padding


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_an_eos_that_is_typed_at_the_end_is_neither_word_nor_end(tmp_path, family, ends) -> None:
    model = load_model(_published(tmp_path, family, None, EOS, ends=ends))
    for text in TEXTS[4:]:
        encoding = apply(text, model=model)
        typed = [i for i, place in enumerate(encoding.typed) if place]
        assert len(typed) == text.count("[SEP]")
        assert all(encoding.special[i] and encoding.offsets[i] is None for i in typed)
        assert len(encoding.input_ids) - 1 - max(typed) == ends  # the real end stands behind it
        assert "SEP" not in [word.text for word in explain(text, model).words]


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_a_text_of_which_no_token_is_left_is_refused_in_a_sentence(tmp_path, family) -> None:
    model = load_model(_published(tmp_path, family, None, EOS, ends=False))
    with pytest.raises(MaskError, match="hide less"):
        explain("film", model)
    for operator in ("attention", "delete"):
        with pytest.raises(MaskError, match="hide less"):
            compare(maskviz.mask("film", "random", ratio=1.0), model, operator)
