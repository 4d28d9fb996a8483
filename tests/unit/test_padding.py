"""A text answers the same alone and in a batch, whatever an architecture makes of padding."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from maskviz.masks import apply, mask
from maskviz.models import load_model
from maskviz.models.checks import finding
from maskviz.readings import predict
from maskviz.readings.batches import _batches
from maskviz.readings.fills import log_probabilities
from tests.tiny_models import build_any

TEXTS = [
    "She loved every minute of this great, funny and warm picture.",
    "a dull film",
    "Anna of Paris sees a slow and empty story!",
    "the lazy dog",
]
READ_PADDING = {
    "fnet": {},
    "convbert": {"embedding_size": 16, "head_ratio": 1, "conv_kernel_size": 3},
    "nystromformer": {"num_landmarks": 64, "segment_means_seq_len": 64},
    "xlnet": {"d_inner": 32, "d_head": 8, "max_position_embeddings": None},
}
IGNORE_IT = {"bert": {}, "modernbert": {"cls_token_id": 2, "sep_token_id": 3}, "llama": {}}


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("padding")

    def folder(family: str, head: str = "SequenceClassification") -> Path:
        path = root / f"{family}-{head}"
        given = (READ_PADDING | IGNORE_IT)[family]
        return path if path.exists() else build_any(family, path, head, **given)

    return folder


@pytest.mark.parametrize("family", [*READ_PADDING, *IGNORE_IT])
def test_a_batch_answers_what_each_text_answers_alone(family: str, folder_of) -> None:
    model = load_model(folder_of(family))
    together = predict(model, [apply(text, model=model) for text in TEXTS], batch_size=4)
    for text, found in zip(TEXTS, together, strict=True):
        ids = torch.tensor([model.tokenizer(text)["input_ids"]])
        with torch.no_grad():
            logits = model.network("classify")(ids, attention_mask=torch.ones_like(ids)).logits[0]
        assert list(found.probabilities.values()) == pytest.approx(logits.softmax(-1), abs=1e-4)
    assert finding(model, "padding").passed == (family in IGNORE_IT)


@pytest.mark.parametrize("family", ["fnet", "convbert", "bert"])
def test_what_is_hidden_is_as_probable_in_a_batch_as_alone(family: str, folder_of) -> None:
    model = load_model(folder_of(family, "MaskedLM"))
    masks = [mask(text, "pattern", words="great,dull,slow,lazy") for text in TEXTS]
    alone = [log_probabilities([one], model)[0] for one in masks]
    assert log_probabilities(masks, model) == pytest.approx(alone, abs=1e-3)


def test_batches_of_one_length_hold_every_text_once() -> None:
    lengths = [5, 3, 5, 9, 3, 5]
    batches = list(_batches(lengths, 2, mixed=False))
    assert sorted(i for rows in batches for i in rows) == list(range(6))
    assert [[lengths[i] for i in rows] for rows in batches] == [[9], [5, 5], [5], [3, 3]]
