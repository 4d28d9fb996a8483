"""What an architecture cannot learn is said before a run takes its first step."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import maskviz
from maskviz.errors import CapabilityError
from maskviz.models import load_model
from maskviz.training.model.trial import require_pass
from tests.tiny_models import build_any
from tests.tiny_runs import tiny_spec

_DEBERTA = {"relative_attention": True, "pos_att_type": "c2p|p2c"}
_REFORMER = {
    "attn_layers": ["local", "local"], "axial_pos_shape": [8, 8], "axial_pos_embds_dim": [8, 8],
    "local_attn_chunk_length": 32, "lsh_attn_chunk_length": 32, "is_decoder": False,
    "feed_forward_size": 32, "attention_head_size": 8, "num_hidden_layers": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("family", "given", "precision", "said"),
    [
        (
            "deberta",
            _DEBERTA,
            "bf16",
            r"be trained in bf16 \(.*\): set precision to float32",
        ),
        ("reformer", _REFORMER, "float32", r"be trained \(ValueError: .*another model"),
        ("reformer", _REFORMER, "bf16", r"be trained \(ValueError: .*another model"),
    ],
)
def test_a_run_ends_before_its_first_step(
    family: str, given: dict, precision: str, said: str, tmp_path: Path
) -> None:
    model = build_any(family, tmp_path / family, **given)
    spec = tiny_spec(tmp_path, model=str(model), max_steps=2, precision=precision)
    run = maskviz.train(spec)
    assert run.state == "failed"
    assert run.reason.startswith(f"The architecture {family!r} ")
    with pytest.raises(CapabilityError, match=said):
        raise CapabilityError(run.reason)
    assert "Traceback" not in run.log()


@pytest.mark.parametrize(
    ("family", "head"),
    [("bert", "SequenceClassification"), ("bart", "SequenceClassification"),
     ("t5", "Seq2SeqLM"), ("gpt2", "CausalLM"), ("modernbert", "MaskedLM")],
)  # fmt: skip
@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_the_trial_leaves_no_trace(family: str, head: str, precision: str, tiny) -> None:
    model = load_model(tiny(family, head))
    network = model.main_network()
    before = {name: one.clone() for name, one in network.state_dict().items()}
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    require_pass(network, model, precision)
    assert torch.equal(torch.rand(4), expected)
    assert not network.training
    assert all(torch.equal(one, before[name]) for name, one in network.state_dict().items())
    assert all(one.grad is None for one in network.parameters())
