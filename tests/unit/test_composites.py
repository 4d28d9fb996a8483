"""Models of text and pictures answer as their text part; what an architecture raises is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from maskviz.attention import attend
from maskviz.errors import CapabilityError
from maskviz.models import load_model
from tests.tiny_models import build_any, tokenizer

TEXT = "She loved every minute of this great film."
_TEXT = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "max_position_embeddings": 66,
}
_VISION = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 28,
    "patch_size": 14,
}
_MROPE = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e4}
_QWEN = {"depth": 1, "hidden_size": 16, "intermediate_size": 32, "num_heads": 2}
COMPOSITES = {
    "Gemma3": ({"sliding_window": 4}, _VISION),
    "Mistral3": (
        {"model_type": "mistral"},
        {"model_type": "pixtral", "head_dim": 8, **_VISION},
    ),
    "Qwen2_5_VL": (
        {"head_dim": None, "rope_parameters": _MROPE},
        {"out_hidden_size": 16, **_QWEN},
    ),
}


@pytest.mark.parametrize("kind", COMPOSITES)
def test_a_composite_answers_as_its_text_part(kind: str, tmp_path: Path) -> None:
    import transformers

    tok, (text, vision) = tokenizer("bytes"), COMPOSITES[kind]
    given = {k: v for k, v in {**_TEXT, "vocab_size": len(tok), **text}.items() if v is not None}
    config = getattr(transformers, f"{kind}Config")(text_config=given, vision_config=vision)
    torch.manual_seed(0)
    network = getattr(transformers, f"{kind}ForConditionalGeneration")(config).eval()
    network.save_pretrained(tmp_path)
    tok.save_pretrained(tmp_path)
    model = load_model(tmp_path)
    assert "generate" in model.capabilities
    weights = attend(TEXT, model).weights.astype(np.float32)
    ids = torch.tensor([model.tokenizer(TEXT)["input_ids"]])
    network.set_attn_implementation("eager")
    with torch.no_grad():
        own = network(input_ids=ids, attention_mask=torch.ones_like(ids), output_attentions=True)
        logits = model.main_network()(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
    assert np.abs(weights - np.stack([one[0].numpy() for one in own.attentions])).max() < 1e-3
    assert torch.allclose(logits, own.logits, atol=1e-4)


def test_what_an_architecture_raises_is_named_and_our_own_stays(tiny) -> None:
    model = load_model(tiny("bert"))
    network = model.main_network()
    said = r"'bert' cannot be run like this \(\w+: .*another"
    with pytest.raises(CapabilityError, match=said), model.running():
        network(input_ids=torch.tensor([[10**6]]))
    with pytest.raises(KeyError), model.running():
        raise KeyError("ours")


@pytest.mark.parametrize("head", ["SequenceClassification", "MaskedLM"])
def test_what_was_read_before_moves_no_answer(head: str, tmp_path: Path) -> None:
    """BigBird attends in full where a text is short, and transformers leaves it so for good."""
    given = {"block_size": 4, "num_random_blocks": 1, "max_position_embeddings": 66}
    model = load_model(build_any("big_bird", tmp_path, head, **given))
    network = model.main_network()
    long = torch.arange(5, 53)[None]
    short = long[:, :6]

    def answer(ids: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return network(ids, attention_mask=torch.ones_like(ids)).logits

    first = answer(long)
    own = answer(short)
    assert torch.equal(answer(long), first)
    assert torch.equal(answer(short), own)
    network.base_model.set_attention_type("original_full")
    assert torch.equal(answer(long), first)
