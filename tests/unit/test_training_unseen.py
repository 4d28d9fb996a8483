"""Words hidden by the operator `attention` are out of sight while a classifier learns, too."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import maskviz
from maskviz.errors import CapabilityError
from maskviz.models import load_model
from maskviz.readings import predict
from maskviz.readings.batches import Ids
from maskviz.training.model.unseen import out_of_sight
from tests.tiny_models import build
from tests.tiny_runs import tiny_spec

IDS = torch.tensor([[2, 9, 10, 11, 12, 13], [2, 14, 15, 16, 0, 0]])
SEEN = torch.tensor([[1, 1, 0, 1, 1, 0], [1, 0, 1, 1, 0, 0]])
OTHER = torch.tensor([[2, 9, 30, 11, 12, 31], [2, 32, 15, 16, 0, 0]])


@pytest.mark.parametrize("family", ["bert", "llama", "gpt2", "modernbert"])
def test_what_is_hidden_moves_no_answer_in_training(family: str, tmp_path: Path) -> None:
    model = load_model(build(family, tmp_path / family))
    network = model.network("classify")
    unseen = out_of_sight(network, model)
    answers = []
    for ids in (IDS, OTHER):
        batch = unseen({"input_ids": ids, "attention_mask": SEEN})
        with torch.inference_mode():
            answers.append(network(**batch).logits)
    assert torch.allclose(*answers, atol=1e-6)
    asked = predict(model, [Ids(tuple(IDS[0].tolist()), tuple(SEEN[0].tolist()))])
    values = torch.tensor(list(asked[0].probabilities.values()))
    assert torch.allclose(answers[0][0].softmax(-1), values.float(), atol=1e-5)


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_the_decoder_that_reads_again_sees_no_more(family: str, tmp_path: Path) -> None:
    model = load_model(build(family, tmp_path / family))
    network = model.network("classify")
    unseen = out_of_sight(network, model)
    end = torch.tensor([[3]])
    answers = []
    for ids in (IDS, OTHER):
        batch = {
            "input_ids": torch.cat([ids[:1], end], 1),
            "attention_mask": torch.cat([SEEN[:1], end.sign()], 1),
        }
        with torch.inference_mode():
            answers.append(network(**unseen(batch)).logits)
    assert torch.allclose(*answers, atol=1e-6)


@pytest.mark.parametrize("family", ["fnet", "convbert"])
def test_what_cannot_hide_a_word_is_not_trained_as_if_it_did(family: str, tmp_path: Path) -> None:
    folder = build(family, tmp_path / family)
    with pytest.raises(CapabilityError, match=f"'{family}' does not hide words .*unk"):
        out_of_sight(load_model(folder).network("classify"), load_model(folder))


def test_a_decoder_learns_under_hidden_words(tmp_path: Path) -> None:
    model = str(build("llama", tmp_path / "llama"))
    spec = tiny_spec(tmp_path, model=model, strategy="random", ratio=0.4, operator="attention")
    assert maskviz.train(spec).state == "done"
