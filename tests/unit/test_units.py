"""Masks over units of a network, against the same network with rows of its projection zeroed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from maskviz.errors import MaskError, ParameterError, UnknownNameError
from maskviz.evidence import compare, explain
from maskviz.evidence.units.asking import Way
from maskviz.evidence.units.compare import compare_units
from maskviz.inside.anatomy import anatomy_of
from maskviz.inside.checks.heads import survey
from maskviz.inside.projection import Gated
from maskviz.inside.scanning import Scan
from maskviz.inside.under import under
from maskviz.inside.units import Anatomy, UnitMask, unit_of
from maskviz.masks import apply, mask
from maskviz.models.checks import finding
from maskviz.readings.question import asked
from tests.tiny_models import build_any

TEXT = "Anna didn't like this truly dull film, though."
OTHERS = ("She loved every minute of it.", "A warm picture, slow but funny, of Paris.")
ENCODER = "{}.encoder.layer.{{}}.attention.output.dense"
# Family → where its output projections lie, by the layer's number; ALBERT's layers share one.
PROJECTIONS = {
    "bert": ENCODER.format("bert"),
    "roberta": ENCODER.format("roberta"),
    "xlm-roberta": ENCODER.format("roberta"),
    "electra": ENCODER.format("electra"),
    "deberta": ENCODER.format("deberta"),
    "deberta-v2": ENCODER.format("deberta"),
    "distilbert": "distilbert.transformer.layer.{}.attention.out_lin",
    "modernbert": "model.layers.{}.attn.Wo",
    "gpt2": "transformer.h.{}.attn.c_proj",
    "llama": "model.layers.{}.self_attn.o_proj",
    "mistral": "model.layers.{}.self_attn.o_proj",
    "gemma3_text": "model.layers.{}.self_attn.o_proj",
    "gpt_oss": "model.layers.{}.self_attn.o_proj",
    "t5": "transformer.encoder.block.{}.layer.0.SelfAttention.o",
    "bart": "model.encoder.layers.{}.self_attn.out_proj",
}


def put_to(folder: str, question="labels", text: str = TEXT):
    """Return the question, what the model reads of a text, and its units."""
    put = asked(folder, question).about(text)
    return put, apply(text, "attention", put.model), anatomy_of(put.model)


def without_rows(network, path: str, head: int, heads: int) -> Callable[[], None]:
    """Zero one head's rows of an output projection; return what puts them back."""
    module = network.get_submodule(path)
    rows = module.weight.data if type(module).__name__.endswith("Conv1D") else module.weight.data.T
    size = len(rows) // heads
    before = rows[head * size : (head + 1) * size].clone()
    rows[head * size : (head + 1) * size] = 0
    return lambda: rows[head * size : (head + 1) * size].copy_(before)


@pytest.mark.parametrize("family", PROJECTIONS)
def test_a_zeroed_head_is_one_without_its_rows_of_the_projection(tiny, family: str) -> None:
    put, read, anatomy = put_to(tiny(family))
    plain = put.logits([read])[0]
    for written in ("1.1", "2.2"):
        (unit,) = anatomy.read(written)
        path = PROJECTIONS[family].format(unit.layer)
        back = without_rows(put.network, path, unit.head, 2)
        expected = put.logits([read])[0]
        back()
        found = under(put, UnitMask(anatomy, (unit,)), "zero").logits([read])[0]
        assert np.abs(found - expected).max() < 1e-5
        assert np.abs(found - plain).max() > 1e-5
    assert np.abs(put.logits([read])[0] - plain).max() == 0  # the network is as it was


def test_layers_that_share_a_projection_are_zeroed_together(tiny) -> None:
    put, read, anatomy = put_to(tiny("albert"))
    path = "albert.encoder.albert_layer_groups.0.albert_layers.0.attention.dense"
    back = without_rows(put.network, path, 1, 2)
    expected = put.logits([read])[0]
    back()
    found = under(put, UnitMask(anatomy, anatomy.read("1.2,2.2")), "zero").logits([read])[0]
    assert np.abs(found - expected).max() < 1e-5


@pytest.mark.parametrize(("family", "part", "path"), [
    ("bart", "decoder", "model.decoder.layers.1.self_attn.out_proj"),
    ("bart", "cross", "model.decoder.layers.1.encoder_attn.out_proj"),
    ("marian", "decoder", "model.decoder.layers.1.self_attn.out_proj"),
    ("marian", "cross", "model.decoder.layers.1.encoder_attn.out_proj"),
    ("t5", "decoder", "decoder.block.1.layer.0.SelfAttention.o"),
    ("t5", "cross", "decoder.block.1.layer.1.EncDecAttention.o"),
])  # fmt: skip
def test_heads_of_a_decoder_and_across(tiny, family: str, part: str, path: str) -> None:
    question = {"name": "answer", "answer": "He loved the film."}
    put, read, anatomy = put_to(tiny(family, "Seq2SeqLM"), question)
    back = without_rows(put.network, path, 0, 2)
    expected = put.logits([read])[0]
    back()
    units = UnitMask(anatomy, anatomy.read(f"{part}:2.1"))
    assert np.abs(under(put, units, "zero").logits([read])[0] - expected).max() < 1e-5
    (plain, found) = Scan(put, anatomy, read).answers([units.units])
    assert np.abs(found[0] - expected).max() < 1e-4
    assert np.abs(plain - expected).max() > 1e-5


def test_a_head_behind_a_gate_is_its_rows_too(tmp_path) -> None:
    folder = build_any("afmoe", tmp_path, "CausalLM", "bytes")
    put, read, anatomy = put_to(str(folder), {"name": "next", "target": " the"})
    seats, _ = survey(put.model, put.network, read.input_ids)
    assert all(isinstance(seat.projection, Gated) for seat in seats.values())
    back = without_rows(put.network, "model.layers.1.self_attn.o_proj", 1, 2)
    expected = put.logits([read])[0]
    back()
    units = UnitMask(anatomy, anatomy.read("2.2"))
    found = under(put, units, "zero").logits([read])[0]
    assert np.abs(found - expected).max() < 1e-5


def test_a_layer_without_attention_has_no_head() -> None:
    hybrid = Anatomy("m", "jamba", "decoder", {("decoder", 1): 3}, {"decoder": 2})
    with pytest.raises(ParameterError, match=r"Layer 1 of 'm' .*: name a head of layer 2\."):
        hybrid.read("1.1")


BIASES = {
    "bert": lambda network: network.bert.encoder.layer[0].attention.self.value.bias,
    "gpt2": lambda network: network.transformer.h[0].attn.c_attn.bias[32:],
    "llama": None,
    "bart": lambda network: network.model.encoder.layers[0].self_attn.v_proj.bias,
    "modernbert": None,
}


@pytest.mark.parametrize("family", BIASES)
def test_the_bias_of_the_value_stays_where_it_is_asked_to(tiny, family: str) -> None:
    put, read, anatomy = put_to(tiny(family))
    of_family = BIASES[family]
    bias = of_family(put.network) if of_family else torch.zeros(16)
    with torch.no_grad():
        bias.copy_(torch.linspace(-1, 1, len(bias)) * (of_family is not None))
    try:
        own = bias.reshape(2, -1)[1]
        units = UnitMask(anatomy, anatomy.read("1.2"))
        whole, kept = (
            under(put, units, one).logits([read])[0] for one in ("zero", "zero-but-bias")
        )
        expected = hooked(put, read, PROJECTIONS[family].format(0), 1, own)
    finally:
        with torch.no_grad():
            bias.zero_()
    assert np.abs(kept - expected).max() < 1e-5
    assert (np.abs(kept - whole).max() > 1e-5) == (of_family is not None)


def hooked(put, read, path: str, head: int, value) -> np.ndarray:
    """Return the logits where a hook gives a head a value before its projection reads it."""

    def change(_module, given):
        changed = given[0].clone()
        size = changed.shape[-1] // 2
        changed[..., head * size : (head + 1) * size] = value
        return (changed, *given[1:])

    handle = put.network.get_submodule(path).register_forward_pre_hook(change)
    try:
        return put.logits([read])[0]
    finally:
        handle.remove()


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama", "mistral", "distilbert", "bart"])
def test_the_mean_is_over_the_tokens_of_other_rows(tiny, family: str) -> None:
    put, read, anatomy = put_to(tiny(family))
    rows = [apply(text, "attention", put.model) for text in OTHERS]
    units = UnitMask(anatomy, anatomy.read("2.1"))
    found = under(put, units, "mean", rows).logits([read])[0]
    seen = []
    path = PROJECTIONS[family].format(1)
    module = put.network.get_submodule(path)
    handle = module.register_forward_pre_hook(
        lambda _, given: seen.append(given[0].reshape(-1, 16))
    )
    for row in rows:
        put.logits([row])
    handle.remove()
    mean = torch.cat(seen).mean(0)[:8]
    assert np.abs(found - hooked(put, read, path, 0, mean)).max() < 1e-5


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama", "distilbert", "roberta"])
@pytest.mark.parametrize("operator", ["from", "from-plain"])
def test_patching_puts_one_texts_value_into_the_other(tiny, family: str, operator: str) -> None:
    put, plain, _ = put_to(tiny(family))
    finding(put.model, "out of sight")  # a check runs passes of its own
    hides = "attention" if put.model.mask_token_id is None else "mask"
    hidden = mask(TEXT, "pattern", pattern="dull")
    masked = apply(hidden, hides, put.model)
    here, there = (plain, masked) if operator == "from" else (masked, plain)
    path, seen = PROJECTIONS[family].format(1), []
    module = put.network.get_submodule(path)
    handle = module.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    put.logits([there])
    handle.remove()
    expected = hooked(put, here, path, 0, seen[0][..., : seen[0].shape[-1] // 2])
    way = Way(operator, hidden=hidden, hides=hides)
    found = compare_units(TEXT, "2.1", put, way)
    assert found.comparison.masked.log_odds[put.outputs[0]] == pytest.approx(
        put.log_odds(expected)[0], abs=1e-4
    )
    own = put.logits([here])[0]
    assert found.comparison.original.log_odds[put.outputs[0]] == pytest.approx(
        put.log_odds(own)[0], abs=1e-4
    )


@pytest.mark.parametrize("family", ["bert", "albert", "modernbert", "gpt2", "llama", "t5", "bart"])
def test_a_scan_is_one_pass_a_head(tiny, family: str) -> None:
    put, read, anatomy = put_to(tiny(family))
    plain, found = Scan(put, anatomy, read).answers([[head] for head in anatomy.all_heads])
    assert np.abs(plain - put.logits([read])[0]).max() < 1e-4
    for head, row in zip(anatomy.all_heads, found, strict=True):
        alone = under(put, UnitMask(anatomy, (head,)), "zero").logits([read])[0]
        assert np.abs(row - alone).max() < 1e-4
    pairs = [(anatomy.all_heads[0], anatomy.all_heads[-1]), anatomy.all_heads[1:3], ()]
    _, several = Scan(put, anatomy, read).answers(pairs)
    for units, row in zip(pairs, several, strict=True):
        alone = under(put, UnitMask(anatomy, tuple(units)), "zero").logits([read])[0]
        assert np.abs(row - alone).max() < 1e-4


@pytest.mark.parametrize("question", [
    {"name": "choices", "choices": ["good film", "bad"]},
    {"name": "answer", "answer": " of it, and more"},
    {"name": "next", "target": " the"},
])  # fmt: skip
def test_a_scan_of_a_language_model_is_one_pass_a_head(tiny, question) -> None:
    put, read, anatomy = put_to(tiny("llama", "CausalLM"), question)
    _, found = Scan(put, anatomy, read).answers([[head] for head in anatomy.all_heads])
    for head, row in zip(anatomy.all_heads, found, strict=True):
        alone = under(put, UnitMask(anatomy, (head,)), "zero").logits([read])[0]
        assert np.abs(row - alone).max() < 1e-4


def test_every_kind_of_evidence_works_under_a_mask_over_heads() -> None:
    put, _, anatomy = put_to("mini")
    silent = under(put, UnitMask(anatomy, anatomy.read("2.3")), "zero")
    hidden = mask(TEXT, "pattern", pattern="dull")
    without, whole = compare(hidden, silent), compare(hidden, put)
    assert without.delta != whole.delta
    assert compare(hidden, put).delta == whole.delta  # what is remembered is each one's own
    scores = [[word.score for word in explain(TEXT, one).words] for one in (silent, put)]
    assert scores[0] != scores[1]


def test_nothing_masked_changes_nothing(tiny) -> None:
    put, _, anatomy = put_to(tiny("bert"))
    assert under(put, UnitMask(anatomy)) is put


# ---- the algebra


OF = Anatomy("m", "bert", "encoder", {("encoder", 0): 3, ("encoder", 1): 3}, {"encoder": 2})


def test_masks_over_units_have_an_algebra() -> None:
    a, b = UnitMask(OF, OF.read("1.1,1.2")), UnitMask(OF, OF.read("1.2, 2.3"))
    assert [str(one) for one in (a | b, a & b, a - b, ~(a | b))] == [
        "1.1,1.2,2.3", "1.2", "1.1", "1.3,2.1,2.2",
    ]  # fmt: skip
    assert ~~a == a
    assert a | b == b | a != a
    other = Anatomy("n", "gpt2", "decoder", {("decoder", 0): 3}, {"decoder": 1})
    with pytest.raises(MaskError, match="belong to other networks, 'm' and 'n'"):
        a | UnitMask(other)


def test_masks_over_units_round_trip_through_json() -> None:
    a = UnitMask(OF, OF.read("1.1,2.3"), "random", {"count": 2}, 7)
    back = UnitMask.from_json(a.to_json(), OF)
    assert back == a
    assert (back.strategy, back.parameters, back.seed) == ("random", {"count": 2}, 7)
    with pytest.raises(MaskError, match="no mask over units"):
        UnitMask.from_json("[]", OF)
    with pytest.raises(MaskError, match="over units of 'bert', and 'n' is 'gpt2'"):
        UnitMask.from_json(a.to_json(), Anatomy("n", "gpt2", "decoder", {}, {}))


@pytest.mark.parametrize("written", ["", "a", "0.1", "1.0", "1.2.3", "-1.2", "left:1.1", "1,2"])
def test_what_is_no_unit_is_said(written: str) -> None:
    with pytest.raises(ParameterError, match="names no unit"):
        unit_of(written)


@pytest.mark.parametrize(
    "written", ["4.7", "4.mlp", "4", "cross:1.2", "decoder:3", "decoder:3.mlp"]
)
def test_units_are_written_as_they_are_read(written: str) -> None:
    assert str(unit_of(written)) == written


# ---- bad input, and what the check says


def test_a_mean_without_rows_is_refused(tiny) -> None:
    put, _, anatomy = put_to(tiny("bert"))
    with pytest.raises(ParameterError, match="is over other rows, and none is given"):
        under(put, UnitMask(anatomy, anatomy.read("1.1")), "mean")
    with pytest.raises(UnknownNameError, match="unit operator 'median'"):
        under(put, UnitMask(anatomy, anatomy.read("1.1")), "median")
