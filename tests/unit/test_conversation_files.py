"""Files whose rows hold conversations: each row's numbers are those of its conversation alone."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from maskviz.errors import ParameterError
from maskviz.evidence import compare, compare_file
from maskviz.masks import mask
from maskviz.readings.question import asked
from maskviz.text.conversation import read_conversation
from tests.chat_conversations import said
from tests.tiny_chat import chat_model

TALKS = [
    said("Anna loved it?", "Yes", "And the dog?", "Yes", system="Be kind."),
    said("Is the fox quick?", "no", system="Be short and kind."),
    said("He didn't like the film?"),
]
CHOICES = {"name": "choices", "choices": ("Yes", "no")}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return chat_model(tmp_path_factory.mktemp("chat"))


def written(path: Path, ending: str) -> Path:
    """Write the conversations as a column, with a row that is none and one that is too long."""
    rows = [*TALKS, "[{", [], said("The dog. " * 300)]
    file = path / f"talks{ending}"
    with file.open("w", encoding="utf-8", newline="") as out:
        if ending == ".csv":
            table = csv.writer(out)
            table.writerow(["talk", "label"])
            cells = (row if isinstance(row, str) else json.dumps(row) for row in rows)
            table.writerows([cell, "Yes"] for cell in cells)
        else:
            out.writelines(json.dumps({"talk": row, "label": "Yes"}) + "\n" for row in rows)
    return file


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
@pytest.mark.parametrize("strategy", ["role:system", "random:0.3"])
def test_each_row_is_its_conversation(model, tmp_path, ending, strategy) -> None:
    rows = []
    found = compare_file(
        written(tmp_path, ending), [strategy], text_column="talk", label_column="label",
        model=model, operator="delete", question=CHOICES, conversations=True, draws=2,
        each=rows.append,
    )  # fmt: skip
    assert [row.row for row in rows] == [1, 2, 3]
    for row, messages in zip(rows, TALKS, strict=True):
        prompt = read_conversation(messages).prompt
        assert row.text == prompt.text
        put = asked(model, {**CHOICES, "conversation": prompt})
        chosen = mask(prompt, strategy, seed=row.seed)
        alone = compare(chosen, put, "delete")
        assert row.label == alone.original.label
        assert row.effects[strategy].delta == pytest.approx(
            alone.delta[alone.original.label], abs=1e-4
        )
    notes = " ".join(found.notes)
    assert "1 row longer than the model takes left out: 6." in notes
    assert "that hold no conversation left out: 5." in notes or "left out: 4, 5." in notes
    assert found.question["conversation"] == "of each row"


def test_two_rows_of_one_text_and_other_roles_are_two(model, tmp_path) -> None:
    first = [{"role": "system", "content": "Hi"}, {"role": "user", "content": "Anna loved it?"}]
    other = [{"role": "user", "content": "Hi"}, {"role": "user", "content": "Anna loved it?"}]
    file = tmp_path / "two.jsonl"
    file.write_text("".join(json.dumps({"talk": t}) + "\n" for t in (first, other)), "utf-8")
    rows = []
    compare_file(
        file, ["role:system"], text_column="talk", model=model, operator="delete", draws=0,
        question=CHOICES, conversations=True, each=rows.append,
    )  # fmt: skip
    assert rows[0].effects["role:system"].delta != 0
    assert rows[1].effects["role:system"].delta == 0
    assert rows[0].probability != rows[1].probability


@pytest.mark.parametrize("question", ["labels", {"name": "answer"}, "next"])
def test_what_each_row_answers_otherwise_is_one_sentence(model, tmp_path, question) -> None:
    with pytest.raises(ParameterError, match=r"given answer|give the answer|name a target"):
        compare_file(
            written(tmp_path, ".csv"), ["role:system"], text_column="talk", model=model,
            operator="delete", question=question, conversations=True,
        )  # fmt: skip


def test_the_command(run, model, tmp_path) -> None:
    file = str(written(tmp_path, ".jsonl"))
    given = ("--choice", "Yes", "--choice", "no", "-m", model, "-s", "role,random", "--types")
    status, out, err = run(
        "compare", "--file", file, "--conversation-column", "talk", *given, "system",
        "--draws", "0", "--json",
    )  # fmt: skip
    assert status == 0, err
    assert json.loads(out)["rows"] == 3
    status, _, err = run(
        "compare", "--file", file, "--conversation-column", "talk", "--text-column", "talk", *given,
        "user",
    )  # fmt: skip
    assert (status, err.count("\n")) == (2, 1)
