"""A decoder's batch in parts gives the loss and the gradients of the whole."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from maskviz.training.data.parts import limits_of, parted, parts_of
from maskviz.training.machine import memory
from tests.tiny_chat import chat_model
from tests.unit.test_training_causal import assembled, spec_of, write_talks


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("parts")
    write_talks(folder / "talks.jsonl")
    for family in ("llama", "gpt2", "opt"):
        chat_model(folder / family, family)
    return folder


@pytest.mark.parametrize("limits", [(1, 1), (90, 10_000), (10_000, 5), (200, 200)])
def test_parts_hold_each_row_once_and_keep_within_their_limits(limits) -> None:
    lengths, learned = [50, 7, 30, 30, 12, 44], [3, 2, 9, 0, 1, 4]
    found = parted(lengths, learned, limits)
    assert sorted(row for part in found for row in part) == list(range(6))
    for part in found:
        if len(part) > 1:
            assert len(part) * max(lengths[row] for row in part) <= limits[0]
            assert sum(learned[row] for row in part) <= limits[1]
    assert [lengths[r] for part in found for r in part] == sorted(lengths)


@pytest.mark.parametrize(
    ("family", "given"),
    [
        ("llama", {}),
        ("gpt2", {"padding_side": "left"}),
        ("opt", {"prompt_weight": 0.2}),
        ("llama", {"packing": True, "max_length": 120}),
        ("llama", {"packing": True, "max_length": 120, "operator": "attention",
                   "strategy": "pattern", "parameters": {"words": ["rained"]}}),
        ("llama", {"operator": "attention", "strategy": "pattern",
                   "parameters": {"words": ["rained", "Rome", "Paris."]}}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("sparse", [True, False])
def test_a_step_in_parts_is_the_step_of_the_whole(
    tiny, tmp_path, monkeypatch, family, given, sparse
) -> None:
    trainer, _ = assembled(spec_of(tiny, family, **given), tmp_path / "run")
    for module in trainer.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if isinstance(getattr(module, "dropout", None), float):
            module.dropout = 0.0
    trainer.hooks.sparse = trainer.data_collator.sparse = sparse
    trainer.create_optimizer()
    data = trainer.train_dataset
    batch = trainer.data_collator(data.__getitems__(list(range(min(6, len(data))))))
    count = trainer._get_num_items_in_batch([batch], torch.device("cpu"))
    found = []
    for limits in ((100_000, 100_000), (120, 100_000), (1, 1)):
        monkeypatch.setattr("maskviz.training.loop.trainer.limits_of", lambda _, x=limits: x)
        assert (len(list(parts_of(batch, limits))) == 1) == (limits[1] == 100_000 == limits[0])
        trainer.model.zero_grad()
        trainer.tokens = 0
        loss = trainer.training_step(trainer.model, dict(batch), count)
        assert trainer.tokens == batch["real_tokens"] == sum(batch["row_lengths"])
        grads = {n: p.grad.clone() for n, p in trainer.model.named_parameters()
                 if p.grad is not None}  # fmt: skip
        found.append((loss.item(), grads))
    for loss, grads in found[1:]:
        assert loss == pytest.approx(found[0][0], abs=1e-5)
        for name, grad in grads.items():
            torch.testing.assert_close(grad, found[0][1][name], atol=1e-5, rtol=1e-4, msg=name)


def test_a_part_of_which_nothing_is_learned_adds_nothing(tiny, tmp_path) -> None:
    trainer, _ = assembled(spec_of(tiny), tmp_path / "run")
    batch = trainer.data_collator(trainer.train_dataset.__getitems__([0, 1, 2]))
    width = batch["input_ids"].shape[1]
    own = batch["head_positions"] // width != 1
    for name in ("labels", "loss_weights"):
        batch[name] = batch[name][:, own]
    batch["head_positions"] = batch["head_positions"][own]
    weights = [part["loss_weights"].sum().item() for part in parts_of(batch, (1, 1))]
    assert weights.count(0.0) == 1
    assert sum(weights) == batch["loss_weights"].sum().item()


def test_limits_follow_the_width_of_the_network() -> None:
    from transformers import AutoConfig

    narrow, wide = (
        AutoConfig.for_model("llama", intermediate_size=size, vocab_size=200_000)
        for size in (512, 14_336)
    )
    assert limits_of(narrow)[0] == memory._PART_CACHE // 2048
    assert limits_of(wide)[0] == memory._PART_FEWEST
    assert limits_of(wide)[1] * 200_000 * 4 <= memory._PART_LOGITS
