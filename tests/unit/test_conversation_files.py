"""Files whose rows hold conversations: each row's numbers are those of its conversation alone."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from maskviz.errors import DataError, ParameterError
from maskviz.evidence import FileComparison, compare, compare_file
from maskviz.evidence.jobs import jobs
from maskviz.evidence.jobs.work import work
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
ANSWERS = ["Yes and no", "Kind.", "A dog"]
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


@pytest.mark.parametrize("question", ["labels", "next"])
def test_what_each_row_answers_otherwise_is_one_sentence(model, tmp_path, question) -> None:
    with pytest.raises(ParameterError, match=r"for an answer: add|name a target"):
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


ASKED = {"name": "answer", "longest": 4}


@pytest.mark.parametrize("source", ["last", "own", "column"])
@pytest.mark.parametrize("draws", [0, 2])
def test_each_row_is_asked_for_its_own_answer(model, tmp_path, source, draws) -> None:
    file, rows = tmp_path / "talks.jsonl", []
    lines = [{"talk": talk, "gold": gold} for talk, gold in zip(TALKS, ANSWERS, strict=True)]
    lines.append({"talk": TALKS[0], "gold": ""})
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    question = {**ASKED, "answer": ""} if source == "own" else ASKED
    found = compare_file(
        file, ["role:user"], text_column="talk", model=model, operator="delete", draws=draws,
        question=question, conversations=True, each=rows.append,
        answer_column="gold" if source == "column" else None,
    )  # fmt: skip
    assert len(rows) == (3 if source == "column" else 4)
    for row, messages, gold in zip(rows, TALKS, ANSWERS, strict=False):
        spoken = read_conversation(messages)
        answer = {"last": spoken.answer, "own": "", "column": gold}[source]
        put = asked(model, {**ASKED, "conversation": spoken.prompt, "answer": answer})
        put = put.about(spoken.prompt.text)
        alone = compare(mask(spoken.prompt, "role:user", seed=row.seed), put, "delete")
        tokens = len(alone.detail["tokens"])
        plain = alone.detail["log_probability_original"] / tokens
        masked = alone.detail["log_probability_masked"] / tokens
        assert row.label == put.given["answer"] == alone.subject
        assert row.probability == pytest.approx(plain, abs=1e-4)
        assert row.effects["role:user"].delta == pytest.approx(masked - plain, abs=1e-4)
        assert row.effects["role:user"].roles == ("user",)
    assert set(found.groups["hidden role"]) == {"user"}
    assert "values are ln p a token" in found.notes[0]
    assert found.question["answers"].startswith({"last": "the last", "own": "the model's"}.get(
        source, "that of the column 'gold'"))  # fmt: skip
    assert FileComparison.from_dict(json.loads(json.dumps(found.to_dict()))).rows == found.rows


def test_texts_have_answers_of_their_own_too(model, tmp_path) -> None:
    file, rows = tmp_path / "texts.csv", []
    file.write_text("text,gold\nThe film was,good\nThe dog is,quick and kind\n", "utf-8")
    given = {**ASKED, "prompt": "Say: {text}"}
    compare_file(
        file, ["random"], text_column="text", model=model, operator="delete", draws=0,
        question=given, answer_column="gold", each=rows.append,
    )  # fmt: skip
    for row, answer in zip(rows, ("good", "quick and kind"), strict=True):
        put = asked(model, {**given, "answer": answer})
        alone = compare(mask(row.text, "random", seed=row.seed), put, "delete")
        tokens = len(alone.detail["tokens"])
        fall = alone.detail["log_probability_masked"] - alone.detail["log_probability_original"]
        assert row.effects["random"].delta == pytest.approx(fall / tokens, abs=1e-4)


def test_a_second_model_is_asked_for_the_answer_of_the_first(
    model, tmp_path, tmp_path_factory
) -> None:
    other = chat_model(tmp_path_factory.mktemp("other"), "gpt2")
    file = tmp_path / "talks.jsonl"
    file.write_text("".join(json.dumps({"talk": talk}) + "\n" for talk in TALKS), "utf-8")
    found = compare_file(
        file, ["role:user"], text_column="talk", model=model, operator="delete", draws=0,
        question={**ASKED, "answer": ""}, conversations=True, beside=other,
    )  # fmt: skip
    assert found.beside.agreement == 1
    falls = []
    for messages in TALKS:
        prompt = read_conversation(messages).prompt
        own = asked(model, {**ASKED, "conversation": prompt}).about(prompt.text).given["answer"]
        put = asked(other, {**ASKED, "conversation": prompt, "answer": own})
        alone = compare(mask(prompt, "role:user"), put, "delete")
        falls.append(alone.delta[own] / len(alone.detail["tokens"]))
    mean = sum(falls) / len(falls)
    assert found.beside.strategies["role:user"].mean_delta == pytest.approx(mean, abs=1e-4)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"question": CHOICES, "answer_column": "label"}, "ask the question answer"),
        ({"question": {"name": "answer", "answer": "Yes"}, "answer_column": "label"}, "without"),
        ({"question": "answer", "label_column": "label"}, "no labels to be right or wrong"),
        ({"question": "answer", "answer_column": "nowhere"}, "'nowhere'"),
        ({"question": "answer", "conversations": False}, "which would be read as the text"),
    ],
)
def test_what_does_not_go_with_own_answers_is_one_sentence(model, tmp_path, more, told) -> None:
    given = {"text_column": "talk", "model": model, "operator": "delete", "conversations": True}
    with pytest.raises((ParameterError, DataError), match=told):
        compare_file(written(tmp_path, ".jsonl"), ["role:user"], **{**given, **more})


@pytest.mark.parametrize(
    "given",
    [
        ("--conversation-column", "talk", "--swap", "gender"),
        ("--text-column", "talk", "--swap", "all"),
    ],
)
def test_fairness_takes_no_conversations(run, model, tmp_path, given) -> None:
    file = str(written(tmp_path, ".jsonl"))
    status, out, err = run("compare", "--file", file, *given, "-m", "mini")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "conversation" in err


@pytest.mark.parametrize("answer", [(), ("--answer", ""), ("--answer-column", "label")])
def test_the_command_asks_each_row(run, model, tmp_path, answer) -> None:
    file = str(written(tmp_path, ".jsonl"))
    question = () if "--answer" in answer else ("--question", "answer")
    status, out, err = run(
        "compare", "--file", file, "--conversation-column", "talk", *question, *answer, "-m", model,
        "-s", "role:user", "--draws", "0", "--json",
    )  # fmt: skip
    assert status == 0, err
    said = json.loads(out)
    assert said["rows"] == 3
    of = {(): "the last one", ("--answer", ""): "the model's own"}
    assert said["question"]["answers"].startswith(of.get(answer, "that of the column 'label'"))


def test_a_job_goes_on_with_conversations(model, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MASKVIZ_HOME", str(tmp_path / "home"))
    file = written(tmp_path, ".jsonl")
    asked_for = {
        "strategies": {"role:user": {}}, "text_column": "talk", "model": model, "draws": 0,
        "question": ASKED, "conversations": True, "operator": "delete",
    }  # fmt: skip
    job = jobs.create("compare", "talks.jsonl", file, asked_for)
    work(job)
    assert job.status().state == "done", job.status().message
    whole = FileComparison.from_dict(job.result())
    alone = compare_file(file, **asked_for)
    assert whole.strategies == alone.strategies
    assert whole.question == alone.question
