"""A network answers a text the same whatever it has read before."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import maskviz
from maskviz.errors import CapabilityError
from maskviz.models import load_model
from tests.tiny_models import build_any

BLOCKS = {"attention_type": "block_sparse", "block_size": 2, "num_random_blocks": 1}
LONG = "Anna loved this great film, but Paris was a dull and slow story. " * 2


@pytest.fixture(scope="module")
def in_blocks(tmp_path_factory: pytest.TempPathFactory):
    return build_any("big_bird", tmp_path_factory.mktemp("steady") / "big_bird", **BLOCKS)


def alone(folder, text: str) -> np.ndarray:
    """Return the labels of a text by a network that has read nothing before it."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    network = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    given = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    with torch.no_grad():
        return network(given.input_ids, given.attention_mask).logits[0].softmax(-1).numpy()


@pytest.mark.parametrize("texts", [("A film.", LONG), (LONG, "A film.", LONG), (LONG,)])
def test_a_text_answers_the_same_whatever_was_read_before_it(in_blocks, texts) -> None:
    model = load_model(in_blocks)
    for text in texts:
        compared = maskviz.compare(maskviz.mask(text, "manual", indices=[1]), model, operator="unk")
        found = list(compared.original.probabilities.values())
        assert np.abs(found - alone(in_blocks, text)).max() < 1e-4


def test_attention_in_blocks_is_refused_though_a_short_text_was_read_before(in_blocks) -> None:
    model = load_model(in_blocks)
    assert maskviz.attend("A film.", model).weights.shape[0] == 2
    with pytest.raises(CapabilityError, match=r"two attentions in layer 1|in blocks of"):
        maskviz.attend(LONG, model)
