"""explain and compare on the command line: the whole of the evidence in JSON."""

from __future__ import annotations

import json

import pytest

from maskviz.evidence import explain
from tests.tiny_models import build

TEXT = "Anna didn't like this dull film, and he said so."


def test_explain_by_several_methods_with_faithfulness(run, tiny) -> None:
    folder = tiny("bert")
    status, out, _ = run(
        "explain", TEXT, "-m", folder, "--method", "gradient-input,random", "--label",
        "LABEL_1", "--faithfulness", "--json",
    )  # fmt: skip
    assert status == 0
    result = json.loads(out)
    assert result["label"] == "LABEL_1"
    assert set(result["methods"]) == {"gradient-input", "random"}
    assert result["methods"]["gradient-input"]["words"] == result["words"]
    measured = result["methods"]["random"]["faithfulness"]
    assert {"comprehensiveness", "sufficiency", "deletion", "insertion", "random"} <= set(measured)


def test_explain_against_marked_words(run, tiny, tmp_path) -> None:
    file = tmp_path / "marked.jsonl"
    file.write_text('{"text": "a great film", "evidence": [[2, 7]]}\n')
    _, out, _ = run(
        "explain", "--rationales", str(file), "-m", tiny("bert"), "--method", "uniform", "--json"
    )
    result = json.loads(out)
    assert result["rows"] == 1
    assert result["methods"]["uniform"]["average_precision"] == pytest.approx(1 / 3)


def test_a_regression_is_explained_in_its_values(run, tmp_path) -> None:
    model = build("bert", tmp_path / "m", num_labels=1, problem_type="regression",
                  initializer_range=0.5)  # fmt: skip
    status, out, _ = run("explain", "a truly dull story", "--model", str(model))
    assert status == 0
    assert "%" not in out
    found = explain("a truly dull story", model)
    assert (found.head, found.unit) == ("regression", "value")
    assert out.startswith(f"LABEL_0 {found.probability:.3f}")


def test_compare_by_strategies_and_operators(run, tiny) -> None:
    status, out, _ = run(
        "compare", TEXT, "-m", tiny("bert"), "-s", "random,span", "--sensitivity", "--beside",
        tiny("modernbert"), "--json",
    )  # fmt: skip
    assert status == 0
    result = json.loads(out)
    # The tiny classifier has no masked-LM head: infill is left out, and that is said.
    assert {(e["strategy"], e["operator"]) for e in result["effects"]} == {
        (s, o) for s in ("random", "span") for o in ("mask", "delete", "pad", "attention")
    }
    assert any("infill is left out" in note for note in result["notes"])
    for e in result["effects"]:
        assert e["control"]["draws"] == len(e["control"]["probabilities"])
        assert e["control"]["unit"] in ("word", "run of words")
    assert set(result["sensitivity"]["span"]["conclusions"]) == {
        "mask", "delete", "pad", "attention",
    }  # fmt: skip
    assert result["beside"]["model"] == tiny("modernbert")
    assert set(result["delta_logit"]) == {"LABEL_0", "LABEL_1"}


def test_compare_a_file_in_full(run, tiny, tmp_path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("text,label,who\na great film,1,x\na dull one,0,y\nhe is warm,1,x\n")
    status, out, _ = run(
        "compare", "--file", str(table), "--text-column", "text", "--label-column", "label",
        "--by", "who", "--beside", tiny("modernbert"), "-m", tiny("bert"), "--json",
    )  # fmt: skip
    assert status == 0
    result = json.loads(out)
    assert result["groups"]["who"]["x"]["random"]["rows"] == 2
    assert set(result["beside"]["paired"]) == {"plain", "random"}
    assert len(result["worst"]["random"]) == 3
    assert result["strategies"]["random"]["ece_masked"] is not None


def test_compare_pairs(run, tiny, tmp_path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("text\nhe is warm\nno people\n")
    status, out, _ = run(
        "compare", "--file", str(table), "--text-column", "text", "--swap", "gender", "-s",
        "attribute", "-o", "placeholder", "-m", tiny("bert"), "--json",
    )  # fmt: skip
    assert status == 0
    result = json.loads(out)
    assert result["pairs"] == 1
    assert result["arms"]["attribute"]["ctf_gap"] == 0
    assert result["worst"][0]["second"] == "she is warm"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["explain", TEXT, "--method", "guess"], "choose one of occlusion"),
        (["explain", TEXT, "--method", ","], "No method"),
        (["explain", TEXT, "--long", "fold"], "cut, windows"),
        (["explain", "--rationales", "no-such.jsonl"], "no-such.jsonl"),
        (["compare", TEXT, "--draws", "5"], "between 20"),
        (["compare", TEXT, "-o", "hide"], "Unknown operator 'hide'"),
        (["compare", TEXT, "--by", "x"], "--by is for a file"),
        (["compare", "--file", "t.csv", "--text-column", "a", "--rows", "0"], "--rows is 0"),
        (["compare", "--file", "t.csv", "--text-column", "a", "--swap", "shoes"], "shoes"),
    ],
)
def test_bad_input_is_one_line(run, arguments, says) -> None:
    status, out, err = run(*arguments)
    assert status == 2
    assert out == ""
    assert says in err
    assert err.count("\n") == 1
