"""The command line: JSON as the design has it, exit 2 and one line for bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

TEXT = "Anna didn't like this dull film."


def test_mask_prints_the_designs_keys(run) -> None:
    status, out, err = run("mask", TEXT, "--strategy", "random", "--ratio", "0.3", "--json")
    assert status == 0
    assert err == ""
    result = json.loads(out)
    assert {
        "text", "strategy", "seed", "requested_ratio", "realised_ratio", "spans", "masked_text",
    } <= set(result)  # fmt: skip
    assert {"start", "end", "text", "reason", "score"} <= set(result["spans"][0])
    assert result["spans"][0]["text"] in TEXT


def test_an_expression_is_a_strategy(run) -> None:
    status, out, _ = run("mask", "one two three", "-s", "~pattern:/two/", "--json")
    assert status == 0
    assert json.loads(out)["masked_text"] == "[MASK] two [MASK]"


def test_mask_with_a_model_shows_its_tokens(run, tiny) -> None:
    status, out, _ = run(
        "mask",
        TEXT,
        "-s",
        "pattern",
        "--words",
        "dull",
        "-o",
        "delete",
        "-m",
        tiny("bert"),
        "--json",
    )
    assert status == 0
    result = json.loads(out)
    assert result["masked_text"] == "Anna didn't like this film."
    assert len(result["tokens"]) == len(result["input_ids"]) == len(result["attention_mask"])


def test_a_mask_travels_through_a_file(run, tmp_path: Path) -> None:
    _, out, _ = run("mask", TEXT, "-s", "pattern", "--words", "dull", "--json")
    saved = tmp_path / "mask.json"
    saved.write_text(out, encoding="utf-8")
    status, out, _ = run("mask", TEXT, "--mask", str(saved), "--json")
    assert status == 0
    assert json.loads(out)["masked_text"] == "Anna didn't like this [MASK] film."
    status, _, err = run("mask", "another text", "--mask", str(saved))
    assert status == 2
    assert "another text" in err


def test_a_file_is_masked_line_by_line(run, tmp_path: Path) -> None:
    lines = tmp_path / "lines.txt"
    lines.write_text("a dull film\n\na dull story\n", encoding="utf-8")
    status, out, _ = run("mask", "--file", str(lines), "-s", "pattern", "--words", "dull")
    assert status == 0
    assert out == "a [MASK] film\n\na [MASK] story\n"


def test_standard_input_is_read(run) -> None:
    status, out, _ = run("mask", "-", "-s", "manual", "--indices", "1", "--json", stdin=TEXT)
    assert status == 0
    assert json.loads(out)["masked_text"].startswith("[MASK] didn")


def test_fill_compare_explain_attend(run, tiny, tmp_path: Path) -> None:
    _, out, _ = run("fill", TEXT, "-s", "random", "-m", tiny("bert", "MaskedLM"), "--json")
    fills = json.loads(out)["fills"]
    assert {"start", "end", "text", "candidates"} <= set(fills[0])
    assert {"token", "probability"} == set(fills[0]["candidates"][0])
    _, out, _ = run("compare", TEXT, "-s", "random", "-m", tiny("bert"), "--json")
    result = json.loads(out)
    assert {"original", "masked", "flip", "delta", "kl", "spans"} <= set(result)
    assert {"label", "probabilities"} <= set(result["original"])
    _, out, _ = run("explain", TEXT, "-m", tiny("bert"), "--json")
    result = json.loads(out)
    assert [w["text"] for w in result["words"]][:2] == ["Anna", "didn"]
    npz = tmp_path / "a.npz"
    status, out, _ = run("attend", TEXT, "-m", tiny("bert"), "--out", str(npz), "--json")
    assert status == 0
    import numpy as np

    with np.load(npz) as saved:
        assert saved["weights"].shape == (2, 2, *2 * [len(saved["tokens"])])
        assert json.loads(out)["tokens"] == saved["tokens"].tolist()


def test_compare_a_file(run, tiny, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("text,label\n=a great film,1\na dull one,0\n", encoding="utf-8")
    out_csv = tmp_path / "out.csv"
    status, out, err = run(
        "compare", "--file", str(table), "--text-column", "text", "--label-column", "label",
        "-s", "random,span", "-m", tiny("bert"), "--out", str(out_csv), "--json",
    )  # fmt: skip
    assert status == 0
    assert err.startswith("Labels are read by name or number: 0 as 'LABEL_0'")
    result = json.loads(out)
    assert result["rows"] == 2
    assert {
        "flip_rate", "accuracy_original", "accuracy_masked", "delta_accuracy", "ci95",
        "p_value", "mean_kl", "realised_ratio",
    } <= set(result["strategies"]["span"])  # fmt: skip
    written = out_csv.read_text(encoding="utf-8")
    assert "'=a great film" in written
    assert written.count("\n") == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["mask", ""], "no words"),
        (["mask", "text", "--ratio", "1.5"], "1.5"),
        (["mask", "text", "--ratio", "many"], "--ratio"),
        (["mask", "text", "-s", "rndom"], "random-token"),
        (["mask", "text", "-o", "blur"], "delete"),
        (["mask", "text", "-s", "manual", "--indices", "x"], "--indices"),
        (["mask", "text", "-s", "manual", "--indices", "9"], "no word 9"),
        (["mask", "text", "--seed", "-1"], "seed"),
        (["mask", "text", "--wrong"], "--wrong"),
        (["mask", "--file", "no-such-file"], "no-such-file"),
        (["mask", "text", "--mask", "no-such-file"], "no-such-file"),
        (["compare", "text", "-m", "no-such/model"], "mini"),
        (["compare", "--file", "no-such-file", "--text-column", "x"], "no-such-file"),
        (["compare", "--file", "no-such-file"], "--text-column"),
        (["fill", "text", "-k", "0"], "top_k"),
        (["attend", "  ", "-m", "mini"], "empty"),
        (["attend", "text", "--method", "flw"], "raw"),
        (["models", "info", "no-such/model"], "mini"),
        (["mask", "text", "-s", "~pattern:/t/", "--types", "PERSON"], "leave --types out"),
        (["explain", "half \udcff of a pair"], "surrogate"),
        (["fill", "text", "-m", "x" * 3000], "no model"),
        (["nonsense"], "nonsense"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(run, arguments: list[str], says: str) -> None:
    status, out, err = run(*arguments)
    assert status == 2
    assert out == ""
    assert err.count("\n") == 1
    assert says in err
    assert "Traceback" not in err


def test_a_strategy_without_a_model_needs_no_heavy_library() -> None:
    code = (
        "import sys; sys.argv = ['maskviz', 'mask', 'a b c', '--json']\n"
        "from maskviz import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "print([n for n in ('streamlit', 'torch', 'transformers', 'spacy', 'pandas', 'plotly')"
        " if n in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert json.loads(done.stdout)["text"] == "a b c"
