"""The options of `maskviz mask`, and a file masked as a stream."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maskviz.masks import mask

TEXT = "The acting is great. The story is slow. The acting is really great."


def _lines(tmp_path: Path, *lines: str) -> str:
    path = tmp_path / "lines.txt"
    path.write_bytes("\n".join(lines).encode())
    return str(path)


def test_each_line_has_a_seed_of_its_own(run, tmp_path: Path) -> None:
    lines = ["one two three four five six"] * 8
    status, out, _ = run("mask", "--file", _lines(tmp_path, *lines), "-r", "0.3", "--seed", "4")
    assert status == 0
    expected = [
        mask(line, "random", ratio=0.3, seed=4 + i).masked_text() for i, line in enumerate(lines)
    ]
    assert out.splitlines() == expected
    assert len(set(expected)) > 1


def test_a_line_without_a_word_stays_and_does_not_stop_the_file(run, tmp_path: Path) -> None:
    path = _lines(tmp_path, "\ufeffa dull film", "?!", "   ", "caf\u00e9 dull\r")
    status, out, _ = run("mask", "--file", path, "-s", "pattern", "--words", "dull")
    assert (status, out) == (0, "a [MASK] film\n?!\n   \ncaf\u00e9 [MASK]\n")
    status, out, _ = run("mask", "--file", path, "-s", "pattern", "--words", "dull", "--json")
    assert [len(json.loads(line)["spans"]) for line in out.splitlines()] == [1, 0, 0, 1]


def test_a_strategy_with_a_pipeline_gives_in_a_file_what_it_gives_alone(
    run, tmp_path: Path
) -> None:
    pytest.importorskip("spacy")
    lines = ["Tom Hanks flew to Paris.", "!!", "Maria Lopez stayed in London."]
    for strategy in ("entity", "entity | pattern:flew"):
        status, out, _ = run("mask", "--file", _lines(tmp_path, *lines), "-s", strategy)
        alone = [mask(line, strategy).masked_text() for line in (lines[0], lines[2])]
        assert status == 0
        assert out.splitlines() == [alone[0], "!!", alone[1]]


def test_a_file_stands_alone(run, tmp_path: Path) -> None:
    status, _, err = run("mask", "some text", "--file", _lines(tmp_path, "a"))
    assert status == 2
    assert "leave the text, --conversation and --mask out" in err


def test_complement_keeps_what_would_be_hidden(run) -> None:
    _, out, _ = run(
        "mask", "a dull film", "-s", "pattern", "--words", "dull", "--complement", "--json"
    )
    assert json.loads(out)["masked_text"] == "[MASK] dull [MASK]"


def test_key_says_by_what(run, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    rows = [f"zebra {i},a\nhorse {i},b" for i in range(20)]
    table.write_text("text,label\n" + "\n".join(rows), encoding="utf-8")
    _, out, _ = run("mask", "the dull zebra ran", "-s", "key", "--by", "lexicon", "--json")
    assert json.loads(out)["masked_text"] == "the [MASK] zebra ran"
    _, out, _ = run(
        "mask", "the dull zebra ran", "-s", "key", "--by", "keyness", "--data", str(table), "--json"
    )
    assert json.loads(out)["masked_text"] == "the dull [MASK] ran"


def test_types_are_the_tags_of_parts_of_speech(run) -> None:
    pytest.importorskip("spacy")
    _, out, _ = run("mask", "The small dog sees a cat.", "-s", "pos", "--types", "NOUN", "--json")
    assert [span["text"] for span in json.loads(out)["spans"]] == ["dog", "cat"]
    status, _, err = run("mask", "a dog", "-s", "pos", "--types", "NOUNS")
    assert status == 2
    assert "part of speech" in err


def test_thresholds_are_options(run) -> None:
    pytest.importorskip("spacy")
    _, out, _ = run("mask", TEXT, "-s", "redundant", "--json")
    assert len(json.loads(out)["spans"]) == 1
    _, out, _ = run("mask", TEXT, "-s", "redundant", "--threshold", "1", "--json")
    assert json.loads(out)["spans"] == []
    misspelt = "I realy loved it."
    _, out, _ = run("mask", misspelt, "-s", "noise", "--surprisal", "0", "--json")
    assert json.loads(out)["masked_text"] == "I [MASK] loved it."
    status, _, err = run("mask", misspelt, "-s", "random", "--threshold", "1")
    assert status == 2
    assert "does not take 'threshold'" in err


def test_what_corrupt_draws_for_is_an_option(run, tiny) -> None:
    model = tiny("bert")
    given = ("mask", "jumping foxes overslept", "-r", "1", "-o", "corrupt", "-m", model, "--json")
    ids = {
        unit: [json.loads(run(*given, "--unit", unit, "--seed", str(s))[1])["input_ids"]
               for s in range(12)]
        for unit in ("token", "word")
    }  # fmt: skip
    assert ids["token"] != ids["word"]
    status, _, err = run(*given, "--unit", "line")
    assert status == 2
    assert "unit" in err


def test_an_operator_is_checked_before_anything_is_read(run) -> None:
    status, _, err = run("mask", "--file", "no-such-file", "-o", "blur")
    assert status == 2
    assert "operator" in err
