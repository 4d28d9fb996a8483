"""A mask token counts where the network has learned one, whatever its tokenizer names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import maskviz
from maskviz.errors import CapabilityError
from maskviz.evidence.words.faithfulness import default_operator
from maskviz.evidence.words.gradients import baseline_ids
from maskviz.masks import apply
from maskviz.models import load_model
from tests.tiny_models import build, build_any

TEXT = "The film was great."


def _names_a_mask(folder: Path, family: str, head: str) -> str:
    """Write a model whose tokenizer names a mask token, whatever the network has learned."""
    build(family, folder, head)
    path = folder / "tokenizer_config.json"
    core = json.loads(path.read_text())
    path.write_text(json.dumps({**core, "mask_token": "[MASK]"}))
    return str(folder)


@pytest.mark.parametrize("operator", ["mask", "corrupt"])
@pytest.mark.parametrize("family", ["gemma3_text", "llama", "gpt2"])
def test_a_mask_token_that_was_never_learned_is_none(tmp_path, family, operator) -> None:
    model = load_model(_names_a_mask(tmp_path, family, "SequenceClassification"))
    assert model.tokenizer.mask_token == "[MASK]"
    assert model.mask_token_id is model.mask_token is None
    with pytest.raises(CapabilityError, match=r"no mask token it has learned.*'\[MASK\]'.*delete"):
        apply(maskviz.mask(TEXT, "manual", indices=[1]), operator, model)
    assert default_operator(model) == "attention"
    unlearned = model.tokenizer.mask_token_id
    assert unlearned not in baseline_ids(model, apply(TEXT, model=model)).tolist()[0]


def test_words_are_left_out_without_a_token_that_was_never_learned(tmp_path, monkeypatch) -> None:
    from maskviz.evidence.words import occlusion

    read = []
    without = occlusion._without
    monkeypatch.setattr(occlusion, "_without", lambda *a: read.append(without(*a)) or read[-1])
    maskviz.explain(TEXT, _names_a_mask(tmp_path, "gemma3_text", "SequenceClassification"))
    assert read
    assert all(0 in list(ids.attention_mask.__array__()) for ids in read)


@pytest.mark.parametrize("head", ["SequenceClassification", "MaskedLM"])
@pytest.mark.parametrize("family", ["bert", "roberta", "modernbert", "bart"])
def test_what_is_tuned_from_a_masked_language_model_keeps_its_mask_token(tiny, family, head):
    model = load_model(tiny(family, head))
    assert model.mask_token_id == model.tokenizer.mask_token_id is not None
    assert default_operator(model) == "mask"


def test_an_encoder_that_transformers_lets_guess_nothing_keeps_its_mask_token(tmp_path) -> None:
    layout = {"channel_shrink_ratio": 2, "hidden_size": 24, "max_2d_position_embeddings": 64}
    model = load_model(build_any("lilt", tmp_path / "lilt", **layout))
    assert model.mask_token_id == model.tokenizer.mask_token_id is not None


def test_the_bundled_translator_keeps_the_mask_token_that_it_was_tuned_with() -> None:
    assert load_model("mini-translate").mask_token == "<mask>"


DOORS = ("attend", "compare", "lens")


@pytest.mark.parametrize("door", DOORS)
def test_each_command_hides_by_what_the_model_has_learned(tmp_path, run, door) -> None:
    """Without --operator words are deleted; a token that was never learned is refused."""
    folder = _names_a_mask(tmp_path, "llama", "CausalLM")
    given = (door, TEXT, "-m", folder, "-s", "pattern", "--words", "great")
    code, shown, said = run(*given, "--json")
    assert code == 0, said
    assert "[MASK]" not in json.dumps(json.loads(shown).get("tokens", []))
    code, shown, said = run(*given, "-o", "mask", "--json")
    assert (code, shown) == (2, "")
    assert "no mask token it has learned" in said
