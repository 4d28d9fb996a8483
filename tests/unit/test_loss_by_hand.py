"""A click changes one row alone: what is learned of it, in the audit and in training."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from maskviz.errors import MaskError, ParameterError
from maskviz.masks.loss import Change, changed, clicked_here, loss_mask
from maskviz.models import load_model
from maskviz.text.conversation import Conversation, Turn
from maskviz.training import RunSpec
from maskviz.training.check import preflight
from maskviz.training.data.lessons import with_lessons
from maskviz.training.data.rows import load_rows
from maskviz.training.loss_audit import Examined
from tests.hostile import PARTS
from tests.tiny_chat import chat_model

TURNS = [
    {"role": "user", "content": "Anna left Rome. Where to?"},
    {"role": "assistant", "content": "From Rome to Oslo, not to Rome."},
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("by-hand")
    chat_model(folder / "llama")
    rows = [{"messages": TURNS, "split": "dev" if i == 3 else "train"} for i in range(6)]
    rows[1] = {"messages": TURNS[:1], "split": "train"}  # left out: numbers stay the file's
    (folder / "talks.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    return folder


def spec_of(tiny: Path, rows: dict[str, list[str]], **values) -> RunSpec:
    given = {"task": "causal", "model": str(tiny / "llama"), "path": str(tiny / "talks.jsonl")}
    return RunSpec.build(**given, loss_rows=rows, device="cpu", **values)


SAID = "\n\n".join(turn["content"] for turn in TURNS)
FIRST = SAID.index("Rome to")


def learned_words(lesson) -> str:
    plain, text = lesson.plain, lesson.conversation.text
    places = [o for o, w in zip(plain.offsets, lesson.weights, strict=True) if w > 0 and o]
    return "".join("".join(text[a:b] for a, b in places).split())


def test_one_word_of_one_row_leaves_what_is_learned_and_all_else_stays(tiny) -> None:
    spec = spec_of(tiny, {"3": [f"-{FIRST} Rome", "+0 Anna"]})
    assert RunSpec.from_toml(spec.to_toml()).loss == spec.loss
    model = load_model(spec.model)
    rows = with_lessons(spec, model, load_rows(spec))
    words = [learned_words(lesson) for lesson in rows.train.labels]
    whole = TURNS[1]["content"].replace(" ", "")
    assert sum(word != whole for word in words) == 1
    (other,) = [word for word in words if word != whole]
    assert other.startswith("Anna")
    assert other.count("Rome") == 1
    assert other.endswith("Rome.")
    assert rows.evaluation["dev"].labels[0].ends == (None, 1.0)
    found = Examined.of(spec)
    seen = found.seen(found.place_of(3))
    at = [t.start for t in seen if t.word == "Rome" and t.weight == 0 and t.start >= FIRST]
    assert set(at) == {FIRST}
    assert all(t.word == SAID[t.start : t.start + len(t.word)] for t in seen)
    assert {t.weight for t in found.seen(found.place_of(5)) if t.word == "Anna"} == {0.0}


def test_rows_of_another_table_and_rows_that_are_not_there_have_no_change(tiny) -> None:
    spec = spec_of(tiny, {"3": ["+0 Anna"], "77": ["+0 Anna"]})
    spec = replace(spec, data=replace(spec.data, eval_path=spec.data.path))
    rows = with_lessons(spec, load_model(spec.model), load_rows(spec))
    assert not any(learned_words(le).startswith("Anna") for le in rows.evaluation["dev"].labels)
    assert any(learned_words(le).startswith("Anna") for le in rows.train.labels)
    assert "Changed by hand and not among the rows of this run: 77." in rows.notes


def test_a_row_that_has_changed_since_is_refused_before_a_run(tiny) -> None:
    with pytest.raises(MaskError, match="Row 3 has 'Anna' at character 0"):
        preflight(spec_of(tiny, {"3": ["-0 Nora"]}))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"0": ["+0 A"]}, "no number of a row"),
        ({"x": ["+0 A"]}, "no number of a row"),
        ({"1": "+0 A"}, "must be a list"),
        ({"1": ["Rome"]}, "changes no word"),
        ({"1": ["*3 Rome"]}, "changes no word"),
        ({"1": [3]}, "changes no word"),
    ],
)
def test_what_is_no_change_is_a_sentence(tiny, rows, said) -> None:
    with pytest.raises(ParameterError, match=said):
        spec_of(tiny, rows)


@pytest.mark.parametrize("word", PARTS)
def test_any_word_can_be_changed_and_changed_back(word) -> None:
    said = Conversation((Turn("user", "Hi"), Turn("assistant", word)))
    start, whole = said.pieces[1].start, loss_mask(said)
    change = Change(start, word, learned=False)
    assert Change.read(str(change)) == change
    assert not changed(whole, [change]).spans
    back = replace(change, learned=True)
    assert changed(whole, [change, back]) == whole
    assert clicked_here(clicked_here({}, 1, change), 1, back) == {}
    assert changed(whole, [change]).end_of_turn == whole.end_of_turn
