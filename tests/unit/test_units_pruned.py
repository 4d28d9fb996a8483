"""Heads silenced for good: what is written answers as the masked network."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from maskviz.errors import DataError, ParameterError
from maskviz.evidence.units.prune import prune, pruned_sentence
from maskviz.inside.anatomy import anatomy_of
from maskviz.inside.under import under
from maskviz.inside.units import UnitMask
from maskviz.masks import apply
from maskviz.readings.question import asked

TEXT = "Anna didn't like this truly dull film, though."
NEXT = {"name": "next", "target": " the"}


@pytest.mark.parametrize(("family", "head", "heads", "question"), [
    ("bert", "SequenceClassification", "1.1,2.2", "labels"),
    ("modernbert", "SequenceClassification", "2.1", "labels"),
    ("deberta-v2", "SequenceClassification", "1.2", "labels"),
    ("gpt2", "SequenceClassification", "1.2", "labels"),  # keeps its weights the other way round
    ("llama", "CausalLM", "2.1", NEXT),  # the heads share keys and values
    ("t5", "Seq2SeqLM", "cross:1.2,2.1", {"name": "answer", "answer": "He loved it."}),
    ("albert", "SequenceClassification", "1.1,2.1", "labels"),
])  # fmt: skip
def test_what_is_written_answers_as_the_masked_network(
    tiny, tmp_path: Path, family: str, head: str, heads: str, question
) -> None:
    from transformers import AutoModel

    put = asked(tiny(family, head), question).about(TEXT)
    read = apply(TEXT, "attention", put.model)
    plain = put.logits([read])[0]
    folder = tmp_path / "pruned"
    found = prune(heads, folder, put)
    expected = under(put, found.units, "zero").logits([read])[0]
    again = asked(str(folder), put.spec())
    said = again.logits([apply(TEXT, "attention", again.model)])[0]
    assert np.abs(said - expected).max() < 1e-5
    assert np.abs(said - plain).max() > 1e-6
    assert np.abs(put.logits([read])[0] - plain).max() == 0  # the model itself is as it was
    whole, network = (AutoModel.from_pretrained(one) for one in (put.model.path, folder))
    changed = [
        name
        for (name, one), other in zip(whole.named_parameters(), network.parameters(), strict=True)
        if not torch.equal(one, other)
    ]
    assert len(changed) == (1 if family == "albert" else heads.count(",") + 1)
    assert all(one.suffix in (".safetensors", ".json", ".jinja") for one in folder.iterdir())


def test_a_file_says_what_it_costs(run, tmp_path: Path) -> None:
    rows = [(TEXT, "negative"), ("A warm and wonderful film.", "positive"), ("", "positive")]
    table = tmp_path / "rows.csv"
    table.write_text("text,label\n" + "".join(f'"{a}",{b}\n' for a, b in rows))
    folder = tmp_path / "out"
    code, out, error = run(
        "prune", "--heads", "2.3,6.2", "--out", str(folder), "--file", str(table),
        "--label-column", "label", "--json",
    )  # fmt: skip
    found = json.loads(out)
    assert code == 0
    assert "Writing" not in error
    assert (found["rows"], found["left_out"]) == (2, {"without text": 1})
    put = asked("mini")
    silent = under(
        put, UnitMask(anatomy_of(put.model), anatomy_of(put.model).read("2.3,6.2")), "zero"
    )
    for key, one in (("accuracy_before", put), ("accuracy_after", silent)):
        logits = one.logits([apply(text, "attention", one.model) for text, _ in rows[:2]])
        right = [
            put.outputs[i] == label for i, (_, label) in zip(logits.argmax(1), rows, strict=False)
        ]
        assert found[key] == sum(right) / 2
    assert found["units"]["units"] == ["2.3", "6.2"]
    assert -1 <= found["delta_ci95"][0] < found["delta_ci95"][1] <= 1
    code, out, _ = run("compare", TEXT, "-m", str(folder), "--json")
    assert code == 0


def test_without_labels_what_stays_is_said(tmp_path: Path) -> None:
    table = b"text\nA dull film.\nA warm film.\n"
    found = prune("2.3", tmp_path / "out", "mini", table, name="rows.csv")
    assert found.cost.before is None
    assert found.cost.rows == 2
    assert "of 2 answers stay as they were" in pruned_sentence(found)
    assert "name a file" in pruned_sentence(prune("2.3", tmp_path / "other"))


@pytest.mark.parametrize(("arguments", "said"), [
    (["--heads", "2.3"], "Nothing is written: name the folder"),
    (["--out", "{out}"], "No unit is named"),
    (["--heads", "9.1", "--out", "{out}"], "There is no layer 9 in 'mini': it has 6."),
    (["--heads", "1.1,1.2,1.3,1.4", "--out", "{out}"], "All 4 heads of layer 1 are named"),
    (["--heads", "2.mlp", "--out", "{out}"], "heads alone are silenced for good"),
    (["--heads", "2", "--out", "{out}"], "heads alone are silenced for good"),
    (["--heads", "2.3", "--out", "{here}"], "is there already"),
    (["--heads", "2.3", "--out", "/proc/none/out"], "cannot be written"),
    (["--heads", "2.3", "--out", "{out}", "--label-column", "a"], "are of a file"),
    (["--heads", "2.3", "--out", "{out}", "--file", "{file}", "--rows", "0"], "--rows is 0"),
    (["--heads", "2.3", "--out", "{out}", "--file", "{file}", "--text-column", "b"], "'b'"),
    (["--heads", "2.3", "--out", "{out}", "--file", "none.csv"], "none.csv"),
])  # fmt: skip
def test_bad_input_is_one_sentence_and_writes_nothing(
    run, tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "a.txt").write_text("mine")
    (tmp_path / "rows.csv").write_text("text\nA dull film.\n")
    places = {"out": tmp_path / "out", "here": tmp_path / "here", "file": tmp_path / "rows.csv"}
    code, out, error = run("prune", *(one.format(**places) for one in arguments))
    assert (code, out) == (2, "")
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
    assert [one.name for one in (tmp_path / "here").iterdir()] == ["a.txt"]


def test_layers_that_share_a_projection_lose_the_same_heads(tiny, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"Layers 1, 2 of .* share one output projection"):
        prune("1.1", tmp_path / "out", tiny("albert"))


def test_rows_without_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No row has what is asked about"):
        prune("2.3", tmp_path / "out", "mini", b"text,label\n,a\n", "text", name="rows.csv")
    assert not (tmp_path / "out").exists()
