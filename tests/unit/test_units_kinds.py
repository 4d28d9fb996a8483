"""Masks over MLPs and layers, against networks whose weights are zeroed or whose layers are cut."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from maskviz.errors import CapabilityError, ParameterError, UnknownNameError
from maskviz.evidence.units.asking import Way
from maskviz.evidence.units.choose import choose_units
from maskviz.evidence.units.compare import compare_units
from maskviz.evidence.units.scan import scan_rows, scan_text
from maskviz.evidence.units.sentence import scan_sentence, units_sentence
from maskviz.inside.anatomy import anatomy_of
from maskviz.inside.scanning import Scan
from maskviz.inside.under import under
from maskviz.inside.units import UnitMask
from maskviz.masks import apply, mask
from maskviz.models import load_model
from maskviz.readings.question import asked
from tests.tiny_models import build_any

TEXT = "Anna didn't like this truly dull film, though."
OTHERS = ("She loved every minute of it.", "A warm picture, slow but funny, of Paris.")
# Family → its list of layers, and where in a layer the last map of its MLP lies.
PLACES = {
    "bert": ("bert.encoder.layer", "output.dense"),
    "roberta": ("roberta.encoder.layer", "output.dense"),
    "xlm-roberta": ("roberta.encoder.layer", "output.dense"),
    "electra": ("electra.encoder.layer", "output.dense"),
    "deberta-v2": ("deberta.encoder.layer", "output.dense"),
    "distilbert": ("distilbert.transformer.layer", "ffn.lin2"),
    "modernbert": ("model.layers", "mlp.Wo"),
    "gpt2": ("transformer.h", "mlp.c_proj"),
    "llama": ("model.layers", "mlp.down_proj"),
    "mistral": ("model.layers", "mlp.down_proj"),
    "gemma3_text": ("model.layers", "mlp.down_proj"),
    "t5": ("transformer.encoder.block", "layer.1.DenseReluDense.wo"),
    "bart": ("model.encoder.layers", "fc2"),
}


def put_to(folder: str, question="labels"):
    """Return the question, what the model reads of the text, and its units."""
    put = asked(folder, question).about(TEXT)
    return put, apply(TEXT, "attention", put.model), anatomy_of(put.model)


def silenced(put, anatomy, written: str, read, operator: str = "zero", rows=()) -> np.ndarray:
    """Return the logits with units masked."""
    return under(put, UnitMask(anatomy, anatomy.read(written)), operator, rows).logits([read])[0]


@pytest.mark.parametrize("family", PLACES)
def test_a_zeroed_mlp_is_one_whose_last_weights_are_zero(tiny, family: str) -> None:
    put, read, anatomy = put_to(tiny(family))
    plain = put.logits([read])[0]
    layers, last = PLACES[family]
    module = put.network.get_submodule(f"{layers}.1.{last}")
    before = [one.detach().clone() for one in module.parameters()]
    with torch.no_grad():
        for one in module.parameters():
            one.zero_()
    expected = put.logits([read])[0]
    with torch.no_grad():
        for one, was in zip(module.parameters(), before, strict=True):
            one.copy_(was)
    assert np.abs(silenced(put, anatomy, "2.mlp", read) - expected).max() < 1e-5
    assert np.abs(expected - plain).max() > 1e-5
    assert np.abs(put.logits([read])[0] - plain).max() == 0  # the network is as it was


@pytest.mark.parametrize("family", PLACES)
def test_a_zeroed_layer_is_a_network_without_it(tiny, family: str) -> None:
    put, read, anatomy = put_to(tiny(family))
    plain = put.logits([read])[0]
    layers = put.network.get_submodule(PLACES[family][0])
    found = silenced(put, anatomy, "2", read)
    layer = layers[1]
    del layers[1]
    try:
        expected = put.logits_apart([read])[0]
    finally:
        layers.append(layer)
    assert np.abs(found - expected).max() < 1e-5
    assert np.abs(expected - plain).max() > 1e-5


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama", "bart", "t5"])
@pytest.mark.parametrize("operator", ["mean", "from"])
def test_values_of_an_mlp_are_those_of_other_texts(tiny, family: str, operator: str) -> None:
    put, read, anatomy = put_to(tiny(family))
    module = put.network.get_submodule("{}.1.{}".format(*PLACES[family]))
    hides = "attention" if put.model.mask_token_id is None else "mask"
    hidden = mask(TEXT, "pattern", pattern="dull")
    rows = [apply(text, "attention", put.model) for text in OTHERS]
    texts = rows if operator == "mean" else [apply(hidden, hides, put.model)]
    put.logits(texts)
    seen = []
    handle = module.register_forward_hook(lambda _, given, out: seen.append(out.reshape(-1, 16)))
    for text in texts:
        put.logits([text])
    handle.remove()
    value = torch.cat(seen).mean(0) if operator == "mean" else seen[0]
    handle = module.register_forward_hook(lambda _, given, out: value.expand(out.shape))
    expected = put.logits([read])[0]
    handle.remove()
    if operator == "mean":
        found = silenced(put, anatomy, "2.mlp", read, "mean", rows)
        assert np.abs(found - expected).max() < 1e-5
        return
    one = compare_units(TEXT, "2.mlp", put, Way("from", hidden=hidden, hides=hides))
    label = put.outputs[0]
    assert one.comparison.masked.log_odds[label] == pytest.approx(
        put.log_odds(expected)[0], abs=1e-4
    )


@pytest.mark.parametrize("family", ["bert", "albert", "gpt2", "llama", "distilbert", "bart"])
@pytest.mark.parametrize("kind", ["mlp", "layer"])
def test_a_scan_is_one_pass_a_unit(tiny, family: str, kind: str) -> None:
    put, read, anatomy = put_to(tiny(family))
    units = anatomy.of_kind(kind)
    _, found = Scan(put, anatomy, read).answers([[unit] for unit in units])
    for unit, row in zip(units, found, strict=True):
        assert np.abs(row - silenced(put, anatomy, str(unit), read)).max() < 1e-4
    rows = [apply(text, "attention", put.model) for text in OTHERS]
    scan = scan_text(TEXT, put, Way(rows=OTHERS), kind=kind)
    alone = silenced(put, anatomy, str(units[0]), read, "mean", rows)
    index = put.subject(put.probabilities(scan.answers[0]))
    assert put.log_odds(scan.answers[1])[0, index] == pytest.approx(
        put.log_odds(alone)[index], abs=1e-4
    )


@pytest.mark.parametrize(("family", "written"), [
    ("bart", "decoder:2.mlp"), ("bart", "decoder:2"), ("marian", "decoder:3.mlp"), ("t5", "1.mlp"),
])  # fmt: skip
def test_units_of_a_decoder(tiny, family: str, written: str) -> None:
    put, read, anatomy = put_to(
        tiny(family, "Seq2SeqLM"), {"name": "answer", "answer": "He loved the film."}
    )
    plain = put.logits([read])[0]
    found = silenced(put, anatomy, written, read)
    _, scanned = Scan(put, anatomy, read).answers([anatomy.read(written)])
    assert np.abs(scanned[0] - found).max() < 1e-4
    assert np.abs(found - plain).max() > 1e-5


def test_experts_are_one_mlp(tmp_path) -> None:
    given = {"num_key_value_heads": 1, "num_local_experts": 4, "num_experts_per_tok": 2}
    folder = build_any("mixtral", tmp_path, "CausalLM", "bytes", head_dim=8, **given)
    put, read, anatomy = put_to(str(folder), {"name": "next", "target": " the"})
    module = put.network.model.layers[1].mlp
    handle = module.register_forward_hook(lambda _, given, out: torch.zeros_like(out))
    expected = put.logits([read])[0]
    handle.remove()
    assert np.abs(silenced(put, anatomy, "2.mlp", read) - expected).max() < 1e-5


def test_kinds_have_an_algebra_and_json_of_their_own() -> None:
    of = anatomy_of(load_model("mini"))
    a, b = UnitMask(of, of.read("2.mlp,3.mlp")), UnitMask(of, of.read("3.mlp,5"))
    assert [str(one) for one in (a | b, a & b, a - b, ~a)] == [
        "2.mlp,3.mlp,5", "3.mlp", "2.mlp", "1.mlp,4.mlp,5.mlp,6.mlp",
    ]  # fmt: skip
    assert UnitMask.from_json((a | b).to_json(), of) == a | b
    assert json.loads(a.to_json())["units"] == ["2.mlp", "3.mlp"]
    assert (a.said, UnitMask(of, of.read("4")).said) == ("2 MLPs (2.mlp, 3.mlp)", "layer 4")


@pytest.mark.parametrize("written", ["2.mlp", "2", "1.mlp,4.mlp"])
def test_a_unit_stands_beside_all_others_of_its_kind(written: str) -> None:
    found = compare_units(TEXT, written)
    number, unit = len(written.split(",")), "MLP" if "mlp" in written else "layer"
    others = {1: 5, 2: 14}[number]
    assert (found.control.draws, found.control.unit, found.control.number) == (others, unit, number)
    assert not found.control.tells
    said = f"masks of {number} {unit}{'s' * (number > 1)}: too few for more than a rank"
    assert said in units_sentence(found)


@pytest.mark.parametrize("kind", ["mlp", "layer"])
def test_the_largest_of_a_kind_is_tested_on_other_rows(kind: str) -> None:
    texts = [TEXT, *OTHERS, "A dull story, but the acting is wonderful."]
    found = scan_rows(texts, kind=kind)
    assert found.values.shape == (4, 6)
    assert found.tested.of == 6
    assert f"the largest of 6 on {2} rows" in scan_sentence(found)
    assert [one[kind] for one in found.to_dict()[f"{kind}s"]] == [
        str(one.unit) for one in sorted(found.effects, key=lambda one: one.rank)
    ]
    assert found.grid().shape == (6, 1)


@pytest.mark.parametrize(("written", "count"), [
    ("random:2:mlp", 2), ("random:1:layer", 1), ("top-k:1:layer", 1), ("top-k:2:MLPs", 2),
])  # fmt: skip
def test_strategies_choose_of_a_kind(written: str, count: int) -> None:
    found = choose_units(written, asked("mini"), TEXT)
    assert len(found) == count
    assert found.kind == ("mlp" if "mlp" in written.lower() else "layer")


@pytest.mark.parametrize(("written", "said"), [
    ("7.mlp", "There is no layer 7 in 'mini': it has 6."),
    ("9", "There is no layer 9 in 'mini': it has 6."),
    ("1,2,3,4,5,6", "All 6 layers are named, and nothing would be read"),
    ("3,3.1", "3.1 lies in layer 3, which is masked whole"),
    ("3.mlp,3.1", "units of several kinds"),
    ("cross:1.mlp", "'mini' has no cross beside"),
    ("random:6:layer", "give a number from 1 to 5, such as random:3:layer"),
    ("random:2:neuron", "kind of units 'neuron'"),
])  # fmt: skip
def test_bad_units_are_said(written: str, said: str) -> None:
    put = asked("mini")
    with pytest.raises((ParameterError, UnknownNameError), match=said):
        compare_units(TEXT, choose_units(written, put, TEXT), put)


@pytest.mark.parametrize("written", ["2.mlp", "2"])
def test_only_a_heads_value_has_a_bias_that_stays(written: str) -> None:
    with pytest.raises(ParameterError, match="keeps the bias of a head's value"):
        compare_units(TEXT, written, way=Way("zero-but-bias"))


def test_a_network_without_heads_has_its_layers_left(tiny) -> None:
    anatomy = anatomy_of(load_model(tiny("fnet")))
    assert [str(unit) for unit in anatomy.of_kind("layer")] == ["1", "2"]
    for kind, said in (("head", "heads"), ("mlp", "MLPs")):
        with pytest.raises(CapabilityError, match=f"The {said} of the architecture 'fnet'"):
            anatomy.of_kind(kind)
    assert compare_units(TEXT, "2", tiny("fnet"), Way("zero")).control.draws == 1
