"""The commands over a conversation: what they say equals what the library says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maskviz.evidence import compare, explain
from maskviz.evidence.text.roles import by_role, by_turn
from maskviz.evidence.text.scale import Scale
from maskviz.masks import apply, mask
from maskviz.readings.language.answering import decoded, written
from maskviz.readings.question import asked
from maskviz.text.conversation import Conversation, Turn, read_conversation
from maskviz.text.marks import printable
from tests.tiny_chat import chat_model

SAID = {
    "messages": [
        {"role": "system", "content": "Be kind. Be short."},
        {"role": "user", "content": "She loved every minute of this. Who is Anna?"},
        {"role": "assistant", "content": "Anna of Paris"},
    ]
}
SPOKEN = read_conversation(SAID)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return chat_model(tmp_path_factory.mktemp("chat"))


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "talk.json").write_text(json.dumps(SAID), encoding="utf-8")
    return str(tmp_path / "talk.json")


def test_compare_breaks_a_mask_down_by_role(run, file, model) -> None:
    given = ("-m", model, "-s", "pattern", "--words", "kind,loved")
    status, out, _ = run("compare", "--conversation", file, *given, "--json")
    assert status == 0
    said = json.loads(out)
    put = asked(model, {"name": "answer", "conversation": SPOKEN})
    both = compare(mask(SPOKEN.prompt, "pattern", words="kind,loved"), put, "delete")
    assert said["masked"]["probabilities"] == pytest.approx(both.masked.probabilities, abs=1e-4)
    assert said["question"]["conversation"] == SPOKEN.prompt.to_dict()
    for role, word in (("system", "kind"), ("user", "loved")):
        one = compare(mask(SPOKEN.prompt, "pattern", words=word), put, "delete")
        (found,) = (r for r in said["roles"] if r["role"] == role)
        assert found["delta"] == pytest.approx(one.delta["Anna of Paris"], abs=1e-4)
        assert found["words"] == 1
    status, out, _ = run("compare", "--conversation", file, *given)
    assert "by role" in out
    assert "each turn hidden alone" in out


@pytest.mark.parametrize(
    "asked_for",
    [
        {"name": "answer"},
        {"name": "choices", "choices": ["Anna", "Ben"]},
        {"name": "next", "target": "A", "against": "B"},
        {"name": "next"},
    ],
)
def test_hiding_a_turn_is_hiding_all_that_it_says(model, asked_for) -> None:
    put = asked(model, {**asked_for, "conversation": SPOKEN}).about(SPOKEN.prompt.text)
    hidden = mask(SPOKEN.prompt, "pattern", words="kind,loved")
    compared = compare(hidden, put, "delete")
    found = by_turn(compared, put)
    assert [(one.turn, one.role, one.words, one.hidden) for one in found] == [
        (1, "system", 4, 1), (2, "user", 9, 1),
    ]  # fmt: skip
    for one in found:
        alone = compare(mask(SPOKEN.prompt, "turn", indices=[one.turn]), put, "delete")
        assert one.delta == pytest.approx(Scale.of(compared).change(alone), abs=1e-4)
        tells = "choices" in asked_for or "against" in asked_for
        assert one.flip == (alone.flip if tells else None)
    for one in by_role(compared, put):
        part = compare(
            mask(SPOKEN.prompt, f"(pattern & role:{one.role})", words="kind,loved"), put, "delete"
        )
        assert one.flip == part.flip


def test_a_turn_that_leaves_nothing_is_said(model) -> None:
    alone = Conversation((Turn("user", "Hi"), Turn("assistant", "", "Hm")))
    put = asked(model, {"name": "next", "conversation": alone, "target": " a"})
    compared = compare(mask(alone, "pattern", words="Hi"), put, "delete")
    assert [one.turn for one in by_turn(compared, put)] == [1, 2]
    one = Conversation((Turn("user", "Hi there"),))
    put = asked(model, {"name": "next", "conversation": one, "target": " a"})
    assert by_turn(compare(mask(one, "pattern", words="Hi"), put, "delete"), put) == []


def test_explain_sums_by_turn(run, file, model) -> None:
    status, out, _ = run("explain", "--conversation", file, "-m", model, "--json")
    assert status == 0
    said = json.loads(out)
    put = asked(model, {"name": "answer", "conversation": SPOKEN})
    words = explain(SPOKEN.prompt.text, put).words
    assert [w["text"] for w in said["words"]] == [w.text for w in words]
    first = sum(w.score for w in words if w.end <= SPOKEN.pieces[0].end)
    assert said["turns"][0]["score"] == pytest.approx(first, abs=1e-4)
    assert sum(turn["share"] for turn in said["turns"]) == pytest.approx(1)


@pytest.mark.parametrize("method", ["raw", "mean", "uniform"])
def test_attend_has_turns_as_blocks(run, file, model, method) -> None:
    status, out, _ = run(
        "attend", "--conversation", file, "-m", model, "--method", method, "--json"
    )
    assert status == 0
    turns = json.loads(out)["turns"]
    assert turns["groups"] == ["1 system", "2 user", "template"]
    for row in turns["shares"]:
        assert sum(row) == pytest.approx(1, abs=0.01)
    assert turns["shares"][0][1] == 0  # no token looks ahead


def test_mask_shows_turns_and_tokens(run, file, model) -> None:
    given = ("-s", "role", "-m", model, "-o", "delete", "--json")
    status, out, _ = run("mask", "--conversation", file, *given)
    assert status == 0
    said = json.loads(out)
    assert [turn["hidden_words"] for turn in said["turns"]] == [4, 0]
    assert "Nothing of turn 1 is left" in said["notice"]
    assert said["tokens"][0] == "<|start|>"


def test_chat_answers_plain_and_masked(run, file, model) -> None:
    given = ("-m", model, "-s", "pattern", "--words", "loved", "--answer", "", "--longest", "4")
    status, out, _ = run("chat", file, *given, "--rendering", "--json")
    assert status == 0
    said = json.loads(out)
    piece = said["rendering"]["pieces"][1]
    assert said["rendering"]["text"][piece["start"] : piece["end"]] == SPOKEN.texts[1]
    assert set(said["answers"]) == {"plain", "masked"}
    assert len(said["tokens"]) <= 4
    status, out, _ = run("chat", file, *given, "--rendering")
    assert status == 0
    assert "turn 2 (user), content" in out
    assert "plain   " in out


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("answer", [None, "Oslo", ""])
def test_chat_names_what_is_scored_beside_the_own_answer(run, file, model, answer, masked) -> None:
    given = ["-m", model, "--longest", "5", *([] if answer is None else ["--answer", answer])]
    given += ["-s", "pattern", "--words", "loved"] if masked else []
    own = asked(model, {"name": "answer", "conversation": SPOKEN, "answer": "", "longest": 5})
    wrote = own.about(SPOKEN.prompt.text).given["answer"]
    scored = {None: "Anna of Paris", "": wrote}.get(answer, answer)
    status, out, _ = run("chat", file, *given, "--json")
    assert status == 0
    said = json.loads(out)
    assert said["scored"] == scored
    assert (said["answers"]["plain"] if masked else said["answer"]).startswith(wrote)
    put = asked(
        model,
        {"name": "answer", "conversation": SPOKEN, "answer": answer, "longest": 5}
        if answer is not None
        else {"name": "answer", "conversation": SPOKEN},
    )
    put = put.about(SPOKEN.prompt.text)
    (row,) = put.logits([apply(SPOKEN.prompt.text, "attention", put.model)])
    assert said["log_probability_original"] == pytest.approx(row[0], abs=1e-3)
    status, out, _ = run("chat", file, *given)
    assert status == 0
    assert f"ln p of “{printable(scored)}”: {said['log_probability_original']:.2f}" in out


def test_a_saved_mask_knows_its_conversation(run, file, model, tmp_path) -> None:
    saved, given = tmp_path / "mask.json", ("-m", model, "--operator", "delete", "--json")
    said = run("mask", "--conversation", file, "-s", "role", "--types", "user", "--json")[1]
    saved.write_text(said, encoding="utf-8")
    assert read_conversation(json.loads(said)["conversation"]) == SPOKEN.prompt
    for command in ("mask", "compare"):
        alone = json.loads(run(command, "--mask", str(saved), *given)[1])
        beside = json.loads(run(command, "--conversation", file, "--mask", str(saved), *given)[1])
        assert alone["spans"] == beside["spans"] == json.loads(said)["spans"]
        if command == "mask":
            assert alone == beside
    assert alone["question"]["conversation"] == SPOKEN.prompt.to_dict()
    other = tmp_path / "other.json"
    other.write_text(json.dumps(SPOKEN.answering("x").to_dict()["messages"][1:]), encoding="utf-8")
    status, out, err = run("compare", "--conversation", str(other), "--mask", str(saved), *given)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "belongs to another text" in err


@pytest.mark.parametrize("longest", [1, 4, 40])
@pytest.mark.parametrize("answer", ["Yes", ""])
def test_both_answers_are_whole_whatever_is_scored(run, file, model, answer, longest) -> None:
    given = ("chat", file, "-m", model, "--answer", answer, "--longest", str(longest), "--json")
    alone = json.loads(run(*given)[1])
    masked = json.loads(run(*given, "-s", "pattern", "--words", "loved")[1])
    assert masked["answers"]["plain"] == alone["answer"]
    hidden = mask(SPOKEN.prompt, "pattern", words="loved")
    put = asked(model, {"name": "answer", "conversation": SPOKEN.prompt, "longest": longest})
    read = apply(hidden, "delete", put.model)
    own = decoded(put.model, written(put.model, read, longest))
    assert masked["answers"]["masked"] == own


def test_chat_reads_standard_input(run, model) -> None:
    status, out, _ = run("chat", "-", "-m", model, "--json", stdin="Who is Anna?")
    assert status == 0
    assert json.loads(out)["conversation"]["messages"][0]["role"] == "user"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("compare", "a text", "--conversation", "{file}"), "A text and --conversation are given"),
        (("compare", "--conversation", "{file}", "--file", "x.csv"), "--file and --conversation"),
        (("compare", "--conversation", "{file}", "--prompt", "{{text}}"), "leave --prompt out"),
        (("compare", "--conversation", "{file}x"), "cannot be read"),
        (("mask", "--conversation", "{file}", "--file", "x.txt"), "--file masks the lines"),
        (("attend", "--conversation", "{file}", "--pair", "b"), "no pair of texts"),
        (("chat", "{file}x"), "cannot be read"),
        (("chat", "{file}", "--draws", "3"), "--draws is 3"),
        (("compare", "--conversation", "{cut}"), "JSON is broken"),
        (("chat", "{file}", "-s", "turn", "--indices", "7"), "There is no turn 7"),
    ],
)
def test_what_does_not_go_is_one_sentence(run, file, model, tmp_path, arguments, told) -> None:
    cut = tmp_path / "cut.json"
    cut.write_text(json.dumps(SAID)[:60], encoding="utf-8")
    words = [word.format(file=file, cut=cut) for word in arguments]
    named = [] if words[0] == "mask" else ["-m", model]
    status, out, err = run(*words, *named)
    assert (status, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1


def test_a_report_of_a_conversation(run, file, model, tmp_path) -> None:
    out = tmp_path / "talk.html"
    status, _, err = run(
        "report", "--conversation", file, "-m", model, "-s", "role", "--out", str(out)
    )
    assert status == 0, err
    page = out.read_text("utf-8")
    assert "conversation.json" in page
    assert "--conversation conversation.json --mask mask.json" in page


@pytest.mark.parametrize("given", [(), ("--unit-operator", "zero", "-s", "role")])
def test_heads_are_masked_under_a_conversation(run, file, model, given) -> None:
    status, out, err = run(
        "compare", "--conversation", file, "-m", model, "--heads", "1.1", *given, "--json"
    )
    assert status == 0, err
    assert json.loads(out)
