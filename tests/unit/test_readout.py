"""Where an answer is read is found by trying: at one token, at several, or at all alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from maskviz.attention import attend
from maskviz.attention.scores import readout, token_scores
from maskviz.errors import CapabilityError
from maskviz.inside.checks.probe import Probe
from maskviz.inside.checks.readout import _finding
from maskviz.masks import apply
from maskviz.models import checks, load_model
from maskviz.models.checks import finding
from maskviz.readings.batches import batch
from tests.tiny_models import build_any

TEXT = "Anna of Paris loved this truly great film."
_XLNET = {"d_inner": 32, "d_head": 8, "max_position_embeddings": None}
_MISTRAL_4 = {
    "q_lora_rank": 8, "kv_lora_rank": 8, "qk_rope_head_dim": 4, "qk_nope_head_dim": 4,
    "v_head_dim": 8, "head_dim": 8, "num_key_value_heads": 2, "n_routed_experts": 2,
    "num_experts_per_tok": 1, "n_group": 1, "topk_group": 1, "moe_intermediate_size": 16,
}  # fmt: skip
READ = [
    ("bert", {}, "first"),
    ("modernbert", {"cls_token_id": 2, "sep_token_id": 3}, "first"),
    ("modernbert", {"cls_token_id": 2, "sep_token_id": 3, "classifier_pooling": "mean"}, "all"),
    ("eurobert", {"num_key_value_heads": 2, "classifier_pooling": "bos"}, "first"),
    ("eurobert", {"num_key_value_heads": 2, "classifier_pooling": "mean"}, "all"),
    ("eurobert", {"num_key_value_heads": 2, "classifier_pooling": "late"}, "all"),
    ("xlnet", {**_XLNET, "summary_type": "last"}, "last"),
    ("xlnet", {**_XLNET, "summary_type": "first"}, "first"),
    ("xlnet", {**_XLNET, "summary_type": "mean"}, "all"),
    ("xlm", {"emb_dim": 16, "n_layers": 2, "n_heads": 2, "summary_type": "mean"}, "all"),
    ("openai-gpt", {"n_embd": 16, "n_layer": 2, "n_head": 2}, "last"),
    ("llama", {}, "last"),
    ("mistral4", _MISTRAL_4, "last"),
]


def _shares(where: str, count: int) -> np.ndarray:
    return {
        "first": np.eye(count)[0],
        "last": np.eye(count)[-1],
        "all": np.full(count, 1 / count),
    }[where]


def _depends(model) -> np.ndarray:
    """Return at which tokens the labels have a gradient by the last hidden state."""
    network, kept = model.network("classify"), []

    def leaf(_core, _given, output):
        kept.append(output[0].detach().requires_grad_(True))
        output[next(iter(output))] = kept[0]
        return output

    handle = network.base_model.register_forward_hook(leaf)
    try:
        logits = network(**batch(model, [apply(TEXT, model=model)])).logits[0]
    finally:
        handle.remove()
    (gradient,) = torch.autograd.grad(logits @ torch.tensor([1.0, -2.0, 0.5]), kept[0])
    return gradient[0].abs().sum(-1).numpy() > 1e-9


@pytest.mark.parametrize(("family", "given", "where"), READ)
def test_an_answer_is_read_where_it_depends_on_the_last_states(
    family: str, given: dict, where: str, tmp_path: Path
) -> None:
    model = load_model(build_any(family, tmp_path, **given))
    count = len(apply(TEXT, model=model))
    assert readout(model, count) == pytest.approx(_shares(where, count))
    if family != "bert":  # whose pooler is a part of what the classifier stands on
        assert (_depends(model) == (readout(model, count) > 0)).all()


def test_scores_are_those_of_the_rows_that_are_read(tmp_path: Path) -> None:
    given = {"num_key_value_heads": 2, "classifier_pooling": "late"}
    model = load_model(build_any("eurobert", tmp_path, **given))
    rows = attend(TEXT, model, method="rollout").weights[-1, 0].astype(float)
    assert token_scores(model, apply(TEXT, model=model), "rollout") == pytest.approx(
        rows.mean(0), abs=1e-3
    )


PROBE = Probe(tuple(range(20)), tuple(range(1, 18)), (3, 4))  # [CLS], words, two special ones


@pytest.mark.parametrize(
    ("moved", "said", "value"),
    [
        ({0}, "the first token", {"places": [0], "between": None}),
        ({17}, "token -3", {"places": [-3], "between": None}),
        ({1, 19}, "token 2 and the last token", {"places": [-1, 1], "between": None}),
        (set(range(20)), "all tokens", {"places": [], "between": [0, -1]}),
        (
            set(range(1, 18)),
            "the tokens between the special ones",
            {"places": [], "between": [1, -3]},
        ),
    ],
)
def test_places_are_counted_from_both_ends(moved: set[int], said: str, value: dict) -> None:
    found = _finding(moved, PROBE)
    assert found.passed
    assert sorted(found.value["places"]) == sorted(value["places"])
    assert found.value["between"] == value["between"]
    assert all(part in found.said for part in said.split(" and "))


@pytest.mark.parametrize("moved", [set(), {9}, set(range(0, 20, 2))])
def test_what_is_read_at_some_words_alone_is_refused(moved: set[int], tiny) -> None:
    found = _finding(moved, PROBE)
    assert not found.passed
    model = load_model(tiny("bert"))
    before = finding(model, "readout")
    checks._memory[model].findings["readout"] = found
    try:
        with pytest.raises(CapabilityError, match="choose occlusion or gradient-input"):
            readout(model, 12)
    finally:
        checks._memory[model].findings["readout"] = before
