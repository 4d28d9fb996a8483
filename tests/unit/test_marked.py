"""What people marked: read from cells, hidden in a text, a file and in training."""

from __future__ import annotations

import json
import sys

import pandas as pd
import pytest

from maskviz import cli
from maskviz.errors import DataError, ParameterError
from maskviz.evidence import compare_file
from maskviz.masks import mask
from maskviz.models import load_model
from maskviz.text.marked import read_marks
from maskviz.training import RunSpec
from maskviz.training.check import preflight
from maskviz.training.data.lessons import with_lessons
from maskviz.training.data.rows import load_rows
from maskviz.training.loop.sets import evaluation_sets, masked_rows
from maskviz.training.loss_audit import Examined

TEXT = "It rained. Anna loved the film, Ann did not. It rained."


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ([[0, 2]], ["It"]),
        ("[[0, 2], [11, 15]]", ["It", "Anna"]),
        ([{"start": 11, "end": 15}], ["Anna"]),
        ([[11.0, 15.0]], ["Anna"]),
        ('["Ann"]', ["Ann"]),  # not in Anna
        ('["It rained."]', ["It rained.", "It rained."]),
        (("film", [0, 2]), ["It", "film"]),
        ("", []),
        (None, []),
        (float("nan"), []),
        ("[]", []),
    ],
)
def test_cells_mark_places_and_words(cell, words) -> None:
    assert [TEXT[s.start : s.end] for s in read_marks(cell, TEXT)] == words


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("Anna", "no JSON list"),
        ('{"start": 0}', "must be a list"),
        (7, "must be a list"),
        ([[5, 2]], "outside the text"),
        ([[0, 99]], r"\[0, 99\) lies outside the text, which has the characters \[0, 55\)"),
        ([[-1, 2]], "outside"),
        ([[0, 2, 3]], "neither a place nor a word"),
        ([[0.5, 2]], "neither"),
        ([[True, 2]], "neither"),
        ([None], "neither"),
        (["Bob"], "do not stand in the text"),
        (["  "], "do not stand"),
    ],
)
def test_what_marks_nothing_is_one_sentence(cell, said) -> None:
    with pytest.raises(DataError, match=said):
        read_marks(cell, TEXT)


def test_the_strategy_hides_what_is_marked_and_combines() -> None:
    hidden = mask(TEXT, "spans", spans='["It rained."]')
    assert hidden.masked_text().count("Anna") == 1
    assert [s.reason for s in hidden.spans] == ["marked by hand"] * 2
    assert (~hidden).masked_text().startswith("It rained.")
    with pytest.raises(ParameterError, match="--spans-column"):
        mask(TEXT, "spans")


@pytest.fixture
def table(tmp_path):
    texts = ["  A dull film in Rome.", "Rome was lovely, and so was the film.", "Ann liked it."]
    rows = {
        "text": texts,
        "label": ["negative", "positive", "positive"],
        "marked": ["[[2, 8]]", '["Rome", "film"]', ""],
    }
    path = tmp_path / "marked.csv"
    pd.DataFrame({k: v * 4 for k, v in rows.items()}).to_csv(path, index=False)
    return path


@pytest.fixture
def hidden(monkeypatch):
    """The texts of a file as its strategies leave them, one after the other."""
    texts: list[str] = []

    def chosen(*arguments, **given):
        found = mask(*arguments, **given)
        texts.append(found.masked_text())
        return found

    monkeypatch.setattr("maskviz.evidence.files.masking.choose_mask", chosen)
    return texts


def test_a_file_is_compared_with_what_its_rows_mark_hidden(table, hidden) -> None:
    found = compare_file(
        table, ["spans"], text_column="text", label_column="label", spans_column="marked",
        draws=0,
    )  # fmt: skip
    assert found.rows == 12
    texts = hidden[:3]
    assert "dull" not in texts[0]
    assert "film in Rome" in texts[0]
    assert "Rome" not in texts[1]
    assert texts[2] == "Ann liked it."


def test_a_conversation_is_compared_with_what_it_marks_hidden(tmp_path, hidden) -> None:
    turns = [
        {"role": "user", "content": "Anna lives in Oslo. It rained all day. Where is Anna?"},
        {"role": "assistant", "content": "Oslo"},
    ]
    path = tmp_path / "talks.jsonl"
    marks = [["It rained all day."], [[0, 19]], ["Oslo"], []]
    lines = [json.dumps({"messages": turns, "spans": m}) for m in marks]
    path.write_text("\n".join(lines) + "\n")
    compare_file(
        path, ["spans"], text_column="messages", spans_column="spans", conversations=True,
        model="mini-chat", operator="delete", question={"name": "answer", "answer": "Oslo"},
        draws=0,
    )  # fmt: skip
    assert "rained" not in hidden[0]
    assert "lives" not in hidden[1]
    assert "Oslo" not in hidden[2]  # the answer's own is not read


@pytest.mark.parametrize(
    ("cell", "said"), [("x", "Row 2: The marks 'x'"), ('["Bob"]', "Row 2: The marked words 'Bob'")]
)
def test_a_wrong_mark_is_named_before_anything_is_asked(tmp_path, cell, said) -> None:
    path = tmp_path / "t.csv"
    pd.DataFrame({"text": ["A film.", "A play."], "m": ["", cell]}).to_csv(path, index=False)
    with pytest.raises(DataError, match=said):
        compare_file(path, ["spans"], text_column="text", spans_column="m")
    with pytest.raises(ParameterError, match="--spans-column"):
        compare_file(path, ["spans | random"], text_column="text")
    with pytest.raises(DataError, match="nope"):
        compare_file(path, ["spans"], text_column="text", spans_column="nope")


@pytest.mark.parametrize("named", ["marked", ""])
@pytest.mark.parametrize("task", ["classification", "mlm", "seq2seq"])
def test_training_hides_what_the_rows_mark(table, task, named) -> None:
    given = {"target_column": "label"} if task == "seq2seq" else {}
    model = {"seq2seq": "mini-translate"}.get(task, "mini")
    operator = "mask" if model == "mini" else "delete"
    spec = RunSpec.build(
        path=str(table), task=task, strategy="spans", operator=operator, spans_column=named,
        model=model, text_column="text", **given,
    )  # fmt: skip
    assert RunSpec.from_toml(spec.to_toml()) == spec
    preflight(spec)
    rows = load_rows(spec)
    assert len(rows.train.marked) == len(rows.train)
    loaded = load_model(model)
    data = masked_rows(spec, loaded, rows.train, spec.masking, 0)
    for i, text in enumerate(rows.train.texts):
        read = loaded.tokenizer.decode(data.masker.row(i).input_ids, skip_special_tokens=True)
        assert ("dull" in read.lower()) == (text.startswith("Ann") and "dull" in text)
        assert ("lovely" in read.lower()) == ("lovely" in text)
    sets = evaluation_sets(spec, loaded, rows.evaluation["dev"])
    assert sets["masked"].masker.marked == rows.evaluation["dev"].marked


@pytest.mark.parametrize("form", ["messages", "prompt", "text"])
def test_a_decoder_is_tuned_with_what_its_rows_mark_hidden(tmp_path, form) -> None:
    asked = "Anna lives in Oslo. It rained all day. Where is Anna?"
    rows = {
        "messages": {"messages": [{"role": "user", "content": asked},
                                  {"role": "assistant", "content": "Oslo"}]},
        "prompt": {"system": "Be brief.", "prompt": asked, "response": "Oslo"},
        "text": {"text": f"{asked} Oslo"},
    }[form]  # fmt: skip
    start = asked.index("It rained")
    marks = ["It rained all day."] if form == "messages" else [[start, start + 18]]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps({**rows, "spans": marks}) for _ in range(6)) + "\n")
    spec = RunSpec.build(
        task="causal", model="mini-chat", path=str(path), strategy="spans", operator="delete"
    )
    preflight(spec)
    model = load_model("mini-chat")
    lessons = with_lessons(spec, model, load_rows(spec)).train
    data = masked_rows(spec, model, lessons, spec.masking, 0)
    read = model.tokenizer.decode(data[0][0].input_ids)
    assert "rained" not in read
    assert "Where is Anna?" in read
    seen = Examined.of(spec).seen(0)
    assert "rained" in "".join(token.text for token in seen if token.hidden)


def test_the_example_conversations_mark_what_is_irrelevant() -> None:
    spec = RunSpec.build(task="causal", model="mini-chat", strategy="spans", max_rows=20)
    rows = load_rows(spec)
    assert all(len(spoken.marked) == 1 for spoken in rows.train.labels)


@pytest.mark.parametrize(
    ("values", "error", "said"),
    [
        ({}, ParameterError, "none is named: add --spans-column with one of text, label"),
        ({"spans_column": "nope"}, DataError, "nope"),
    ],
)
def test_a_run_without_its_column_is_refused_before_it_starts(
    tmp_path, values, error, said
) -> None:
    path = tmp_path / "t.csv"
    rows = {"text": ["A film.", "A play."] * 3, "label": ["a", "b"] * 3}
    pd.DataFrame(rows).to_csv(path, index=False)
    spec = RunSpec.build(path=str(path), strategy="spans", **values)
    for ask in (preflight, load_rows):
        with pytest.raises(error, match=said):
            ask(spec)


def test_the_commands_take_marks(table, monkeypatch, capsys) -> None:
    def ran(*arguments: str) -> dict:
        monkeypatch.setattr(sys, "argv", ["maskviz", *arguments, "--json"])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        assert not stopped.value.code
        return json.loads(capsys.readouterr().out)

    shown = ran("mask", TEXT, "--strategy", "spans", "--spans", '["Anna"]')
    assert [span["text"] for span in shown["spans"]] == ["Anna"]
    compared = ran(
        "compare", "--file", str(table), "--text-column", "text", "--strategy", "spans,random",
        "--spans-column", "marked", "--draws", "1",
    )  # fmt: skip
    assert set(compared["strategies"]) == {"spans", "random"}


def test_a_cell_of_broken_json_is_no_text(tmp_path) -> None:
    path = tmp_path / "t.csv"
    pd.DataFrame({"messages": ['[{"role": "user"', "[]"]}).to_csv(path, index=False)
    spec = RunSpec.build(task="causal", model="mini-chat", path=str(path))
    with pytest.raises(DataError, match=r"Row 1: .* is no JSON"):
        load_rows(spec)


@pytest.mark.parametrize("strategy", ["role:assistant", "role:system | spans", "spans"])
def test_what_turns_and_marks_hold_is_found_before_a_run(tmp_path, strategy) -> None:
    turns = [{"role": "user", "content": "It rained. Why?"}, {"role": "assistant", "content": "Oh"}]
    path = tmp_path / "rows.jsonl"
    rows = [json.dumps({"messages": turns, "spans": ["It rained."]}) for _ in range(4)]
    path.write_text("\n".join(rows) + "\n")
    spec = RunSpec.build(
        task="causal", model="mini-chat", path=str(path), strategy=strategy, operator="delete"
    )
    preflight(spec)
    with pytest.raises(DataError, match="0 of the 4 rows"):
        preflight(spec.changed(strategy="role:tool"))


def test_a_sweep_of_a_decoder_hides_by_delete_and_has_its_controls() -> None:
    from maskviz.commands.sweep import _changed
    from maskviz.sweeps.service import plan
    from maskviz.sweeps.spec import SweepSpec

    grid = {"strategies": "role:user,spans", "operators": "", "ratios": "", "seeds": 1}
    flat = {"task": "causal", "model": "mini-chat", "max_rows": 20, "spans_column": "irrelevant"}
    spec = _changed(SweepSpec(), grid, flat)
    assert spec.operators == ("delete",)
    controls = plan(spec).controls
    shares = {setting[0]: control.realised for setting, control in controls.items()}
    assert shares["role:user"] > shares["spans"] > 0.1
