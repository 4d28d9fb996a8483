"""What a fine-tune would learn of a file, counted independently."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from maskviz.commands import app
from maskviz.errors import DataError
from maskviz.models import load_model
from maskviz.training import RunSpec
from maskviz.training.loss_audit import Examined, strip
from tests.chat_templates import MOVING
from tests.tiny_chat import chat_model


def talk(*said: str) -> dict[str, list[dict[str, str]]]:
    roles = ("user", "assistant")
    turns = [{"role": roles[i % 2], "content": text} for i, text in enumerate(said)]
    return {"messages": turns}


ROWS = [
    talk("Where is Anna? It rained.", "In Paris."),
    talk("Hi", "Yo", "Sure?", "Yes, she sees it."),
    talk("The quick brown fox. " * 12, "Yes"),
    talk("Hi", "The quick brown fox. " * 12),
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("audit")
    chat_model(folder / "model")
    chat_model(folder / "moving", template=MOVING)
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    return folder


def examined(tiny: Path, **values) -> Examined:
    given = {"model": str(tiny / "model"), "path": str(tiny / "rows.jsonl"), "max_length": 100}
    return Examined.of(RunSpec.build(task="causal", **{**given, **values}))


def test_the_counts_are_those_of_the_text(tiny: Path) -> None:
    tokenizer = load_model(str(tiny / "model")).tokenizer

    def count(text: str) -> int:
        return len(tokenizer(text, add_special_tokens=False)["input_ids"])

    found = examined(tiny).audit()
    header = count("<|start|>assistant\n")
    before = count("<|start|>user\nHi<|end|>\n") + header
    whole = count("In Paris.") + 1 + count("Yo") + 1 + count("Yes, she sees it.") + 1
    assert found.rows == 4
    assert found.rows_cut == 2
    assert found.rows_cut_before == 1
    assert found.rows_without == 0
    assert (found.turns, found.ended_turns) == (5, 5)
    assert found.learned_tokens == whole + 100 - before
    assert found.template_tokens == 3  # the ends of three turns; the fourth is cut away


def test_what_is_not_learned_is_counted(tiny: Path) -> None:
    found = examined(tiny, loss_strategy="role:system").audit()
    assert found.rows_without == 4
    assert found.learned_tokens == 0
    no_ends = examined(tiny, end_of_turn=False).audit()
    assert no_ends.ended_turns == 0
    assert no_ends.template_tokens == 0


def test_a_row_shows_what_is_hidden_and_what_is_learned(tiny: Path) -> None:
    found = examined(tiny, strategy="pattern", parameters={"pattern": "It rained."})
    said = strip(found.seen(0))
    assert "⟦In Paris.<|end|>⟧" in said
    assert "██ ██████" in said
    assert said.startswith("<|start|>user\nWhere is Anna?")


def test_a_row_that_cannot_be_learned_from_is_named(tiny: Path) -> None:
    call = {"role": "assistant", "content": "Let me look.", "tool_calls": [
        {"type": "function", "function": {"name": "f", "arguments": {"a": "b"}}}]}  # fmt: skip
    turns = [
        {"role": "user", "content": "Rome?"}, call, {"role": "tool", "content": "warm"},
        {"role": "assistant", "content": "It is warm."},
    ]  # fmt: skip
    path = tiny / "tools.jsonl"
    path.write_text("\n".join(map(json.dumps, [{"messages": turns}, *ROWS[:2]])))
    found = examined(tiny, model=str(tiny / "moving"), path=str(path)).audit()
    assert list(found.left_out.values()) == [1]
    assert "turn 2 is mixed with what others say" in next(iter(found.left_out))


def test_the_command_answers_in_json_and_in_lines(tiny: Path) -> None:
    given = ["audit", "--loss", "--data", str(tiny / "rows.jsonl"), "--model", str(tiny / "model")]
    found = CliRunner().invoke(app, [*given, "--json", "--row", "2", "--set", "max_length=100"])
    assert found.exit_code == 0, found.output
    answer = json.loads(found.stdout)
    assert answer["rows_cut_before"] == 1
    learned = [token["text"] for token in answer["row"]["tokens"] if token["weight"]]
    assert "".join(learned) == "Yo<|end|>Yes, she sees it.<|end|>"
    lines = CliRunner().invoke(app, given).stdout
    assert "ends of turns: 5 of 5 are learned" in lines
    assert "⟦In Paris.<|end|>⟧" in lines


@pytest.mark.parametrize(("form", "lacking"), [
    ("jsonl", [talk("Hi", ""), talk("Hi"), talk("Hi", " \n")]),
    ("csv", ["", "  "]),
])  # fmt: skip
def test_rows_are_counted_and_named_as_the_file_has_them(tiny: Path, form, lacking) -> None:
    rows = [lacking[0], ROWS[0], lacking[1], ROWS[1], *lacking[2:]]
    path = tiny / f"left.{form}"
    if form == "csv":
        import pandas as pd

        cells = [row if isinstance(row, str) else json.dumps(row["messages"]) for row in rows]
        pd.DataFrame({"id": range(len(cells)), "messages": cells}).to_csv(path, index=False)
    else:
        path.write_text("\n".join(map(json.dumps, rows)))
    given = ["audit", "--loss", "--data", str(path), "--model", str(tiny / "model")]

    def answer(*more: str):
        return CliRunner().invoke(app, [*given, *more])

    said = answer().stdout
    assert said.startswith(f"{len(rows)} rows, {len(lacking)} left out; ")
    found = json.loads(answer("--json").stdout)
    assert (found["rows"], sum(found["left_out"].values())) == (len(rows), len(lacking))
    assert all(f"{n} row{'s' * (n > 1)}: {why}\n" in said for why, n in found["left_out"].items())
    assert found["row"]["number"] == 2
    assert "⟦Yo<|end|>⟧" in answer("--row", "4").stdout
    for row, why in ((1, "left out"), (3, "left out"), (len(rows) + 1, f"has {len(rows)}.")):
        refused = answer("--row", str(row))
        assert isinstance(refused.exception, DataError)
        assert why in str(refused.exception)
    out = tiny / "left_out.jsonl"
    written = json.loads(answer("--export", "labels", "--out", str(out), "--json").stdout)
    assert (written["rows"], written["written"]) == (len(rows), 2)
    assert written["left_out"] == found["left_out"]


def exported(tiny: Path, form: str, *more: str) -> list[dict]:
    out = tiny / f"{form}.jsonl"
    given = ["audit", "--loss", "--data", str(tiny / "rows.jsonl"), "--model", str(tiny / "model")]
    found = CliRunner().invoke(app, [*given, "--export", form, "--out", str(out), "--json", *more])
    assert found.exit_code == 0, found.output
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert json.loads(found.stdout)["written"] == len(rows)
    return rows


def test_other_trainers_learn_the_same_tokens(tiny: Path) -> None:
    """Each form read as its trainer documents it gives the labels that a run here has."""
    found = examined(tiny, max_length=4096)
    tokenizer = load_model(str(tiny / "model")).tokenizer
    wanted = []
    for number, spoken in enumerate(found.rows):
        read = found.teacher.learned(spoken, number)
        ids = read.plain.input_ids
        pairs = zip(ids, read.weights, strict=True)
        wanted.append((list(ids), [i if w else -100 for i, w in pairs]))
    trl = [
        (row["input_ids"], [i if m else -100 for i, m in zip(*row.values(), strict=True)])
        for row in exported(tiny, "trl")
    ]
    assert trl == wanted
    plain = [(row["input_ids"], row["labels"]) for row in exported(tiny, "labels")]
    assert plain == wanted
    axolotl = []
    for row in exported(tiny, "axolotl"):
        ids, labels = [], []
        for segment in row["segments"]:
            own = tokenizer(segment["text"], add_special_tokens=False)["input_ids"]
            ids += own
            labels += own if segment["label"] else [-100] * len(own)
        axolotl.append((ids, labels))
    assert axolotl == wanted


def test_flags_of_turns_say_weights_and_whole_turns_alone(tiny: Path) -> None:
    (_, row, *_) = exported(tiny, "llama-factory", "--loss-strategy", "last-turn")
    assert [m["loss_weight"] for m in row["messages"]] == [0.0, 0.0, 0.0, 1.0]
    assert row["messages"][3]["content"] == [{"type": "text", "value": "Yes, she sees it."}]
    (row, *_) = exported(tiny, "llama-factory", "--prompt-weight", "0.5")
    assert [m["loss_weight"] for m in row["messages"]] == [0.5, 1.0]
    part = ["--loss-strategy", "role:assistant - pattern:/Paris/"]
    assert len(exported(tiny, "llama-factory", *part)) == 3
    assert exported(tiny, "trl", "--prompt-weight", "0.5") == []


def test_a_form_that_is_none_is_a_sentence(tiny: Path) -> None:
    from maskviz.errors import UnknownNameError
    from maskviz.training.loss_export import export

    with pytest.raises(UnknownNameError, match="form of export 'parquet'"):
        export(examined(tiny), "parquet", tiny / "x.jsonl")
