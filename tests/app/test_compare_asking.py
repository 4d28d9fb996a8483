"""What a model is asked on the Compare page, driven without a browser."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from maskviz.evidence.jobs import jobs
from maskviz.models import ModelInfo
from maskviz.ui.shared import asking
from tests.app.test_compare import finished, press
from tests.tiny_models import build

TEXT = "She loved every minute of this great, funny and warm picture."


@pytest.fixture(scope="module")
def decoder(tmp_path_factory) -> str:
    """Return the folder of a tiny decoder."""
    folder = tmp_path_factory.mktemp("decoder")
    return str(build("llama", folder, "CausalLM", initializer_range=0.5))


def open_page(model: str, question: object = None, tab: str = "This text", **link: str) -> AppTest:
    app = AppTest.from_file("../../pages/compare.py", default_timeout=180)
    given = {"text": TEXT, "strategy": "random", "ratio": "0.3", "model": model, **link}
    if question is not None:
        given["question"] = question if isinstance(question, str) else json.dumps(question)
    for name, value in given.items():
        app.query_params[name] = value
    app.session_state["compare_tab"] = tab
    app.session_state["compared"] = ["entity"]
    return app.run()


def shown(app: AppTest) -> str:
    """Return all sentences of the page, without the backslashes of Markdown."""
    parts = [*app.markdown, *app.caption, *app.error, *app.warning]
    return "\n".join(part.value for part in parts).replace("\\", "")


def control(app: AppTest):
    return next(c for c in app.get("button_group") if c.label == "What is it asked?")


@pytest.mark.parametrize(
    ("question", "says"),
    [
        (None, "What may come next, plain and masked"),
        ({"name": "next", "target": "fox", "against": " dog"}, "ln p(␣fox) − ln p(␣dog)"),
        ({"name": "answer", "longest": 4}, "What it writes, plain and masked"),
        ({"name": "answer", "answer": "warm film"}, "token by token"),
        ({"name": "choices", "choices": ["warm", "dull"], "prompt": "Is {text}"}, "Reads: Is She"),
    ],
)
def test_every_question_has_its_answer_on_one_text(decoder: str, question, says: str) -> None:
    app = open_page(decoder, question)
    assert not app.exception
    assert not app.error
    assert "Hiding 3 of 11 words (random)" in app.markdown[0].value.replace("\\", "")
    assert says in shown(app)
    assert "change of the next token behind each one" in shown(app)
    assert list(app.dataframe[-1].value["strategy"])[:1] == ["your mask"]
    assert next(s for s in app.selectbox if s.label == "Operator").value == "delete"


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({"name": "next", "target": "fox", "against": "dog"}, "and not “⁨dog⁩” rests most on"),
        ({"name": "next"}, "by occlusion"),
        ({"name": "answer", "answer": "warm film"}, "“⁨warm film⁩” (ln p"),
        ({"name": "choices", "choices": ["warm", "dull"]}, "by occlusion"),
    ],
)
def test_every_question_is_explained_word_by_word(decoder: str, question, says: str) -> None:
    app = open_page(decoder, question, "Word by word")
    assert not app.exception
    assert not app.error
    assert says in shown(app).replace("“⁨fox⁩” ", "")
    scores = app.dataframe[0].value
    assert list(scores.columns) == ["word", "occlusion", "gradient-input", "random"]
    assert len(scores) == 11


def test_faithfulness_of_an_answer_is_in_its_own_unit(decoder: str) -> None:
    app = open_page(decoder, {"name": "answer", "answer": "warm"}, "Word by word")
    next(t for t in app.toggle if t.label == "Measure faithfulness").set_value(True).run()
    assert not app.exception
    assert "sufficiency" in app.dataframe[-1].value


def test_the_control_offers_what_the_model_can_and_keeps_what_was_said(decoder: str) -> None:
    app = open_page(decoder)
    assert control(app).value == "next"
    control(app).set_value("choices").run()
    assert not app.exception
    assert app.session_state["maskviz_view"].question["name"] == "choices"
    assert app.session_state["maskviz_view"].question["choices"] == ["positive", "negative"]
    field = next(t for t in app.text_input if t.label == "Choices, with commas")
    field.set_value("warm, dull").run()
    assert app.session_state["maskviz_view"].question["choices"] == ["warm", "dull"]
    link = next(c.value for c in app.code if c.value.startswith("?"))
    assert "question=" in link
    assert "warm" in link
    control(app).set_value("next").run()
    control(app).set_value("choices").run()
    assert app.session_state["maskviz_view"].question["choices"] == ["warm", "dull"]


def test_a_classifier_opens_with_its_labels_and_one_alone_has_no_control(tmp_path) -> None:
    app = open_page("mini")
    assert control(app).value == "labels"
    assert "question" not in next(c.value for c in app.code if c.value.startswith("?"))
    alone = open_page(str(build("bert", tmp_path / "bert", initializer_range=0.5)))
    assert not [c for c in alone.get("button_group") if c.label == "What is it asked?"]
    assert not alone.error


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({"name": "choices", "choices": ["warm"]}, "name two or more"),
        ({"name": "choices", "choices": ["warm", "warm film"]}, "begins"),
        ({"name": "next", "prompt": "no place"}, "holds {text} 0 times"),
        ({"name": "next", "target": "wonderful stories"}, "tokens to"),
        ({"name": "next", "against": "dog"}, "give the target"),
        ({"name": "answer", "answer": "story " * 80}, "takes 64 in all: shorten it"),
    ],
)
@pytest.mark.parametrize("tab", ["This text", "Word by word"])
def test_bad_input_is_a_sentence_and_the_page_stands(decoder: str, question, says, tab) -> None:
    app = open_page(decoder, question, tab)
    assert not app.exception
    assert says in shown(app)
    assert control(app).value == question["name"]


@pytest.mark.parametrize("written", ["{", '"next"', '{"name": "luck"}', '{"top": 3}', "[[["])
def test_a_link_that_cannot_be_read_opens_the_usual_question(decoder: str, written: str) -> None:
    app = open_page(decoder, written)
    assert not app.exception
    assert control(app).value == "next"
    assert any("question cannot be read" in t.value for t in app.toast)


def test_values_of_a_link_that_are_no_parameters_are_left_out(decoder: str) -> None:
    given = {"name": "next", "prompt": 3, "top": "x", "tokens": [1], "who": "me", "target": "fox"}
    app = open_page(decoder, given)
    assert not app.exception
    assert app.session_state["maskviz_view"].question == {"name": "next", "target": "fox"}


def test_a_second_model_is_asked_the_same(decoder: str, tmp_path, monkeypatch) -> None:
    other = str(build("gpt2", tmp_path / "gpt2", "CausalLM", initializer_range=0.5))
    monkeypatch.setattr(asking, "list_models", lambda way: [ModelInfo(other, "hub")])
    app = open_page(decoder, {"name": "answer", "longest": 3})
    next(s for s in app.selectbox if s.label == "Second model beside it").set_value(other).run()
    assert not app.exception
    assert not app.error
    table = next(d.value for d in app.dataframe if "model" in d.value)
    assert list(table["model"]) == [decoder, other]
    assert all("ln p of" in cell for cell in table["plain"])


FILE = "text;label\n" + "".join(
    f"He loved it {n} and his film was {w};{w}\n"
    for n, w in (("once", "warm"), ("twice", "dull"), ("again", "warm"))
)


def upload(app: AppTest) -> AppTest:
    return app.get("file_uploader")[0].upload("films.csv", FILE.encode(), "text/csv").run()


@pytest.mark.parametrize(
    ("question", "column", "says"),
    [
        ({"name": "choices", "choices": ["warm", "dull"]}, "accuracy plain", "Over 3 rows"),
        ({"name": "next", "target": "fox", "against": "dog"}, "flip rate", "Over 3 rows"),
        ({"name": "answer", "answer": "warm"}, "value moves", "ln p of the answer moves"),
    ],
)
def test_a_file_is_asked_it(decoder: str, question, column: str, says: str) -> None:
    app = upload(open_page(decoder, question, "A file"))
    assert not app.exception
    assert not app.error
    app = finished(press(app, "Compare all rows"))
    assert not app.exception
    assert says in shown(app)
    assert any(column in d.value for d in app.dataframe)
    (job,) = jobs.recent()
    assert job.spec["arguments"]["question"]["name"] == question["name"]
    assert job.spec["arguments"]["operator"] == "delete"


@pytest.mark.parametrize(
    ("tab", "question"),
    [
        ("A file", {"name": "next"}),
        ("Fairness", {"name": "next"}),
        ("Fairness", {"name": "answer"}),  # of a file each text is asked for an answer of its own
    ],
)
def test_a_file_cannot_be_asked_what_is_another_one_to_each_text(
    decoder: str, tab: str, question
) -> None:
    app = upload(open_page(decoder, question, tab))
    assert not app.exception
    assert "where several are asked" in shown(app)
    assert all(b.disabled for b in app.button if b.label.startswith("Compare all"))


def test_pairs_are_asked_how_probable_an_answer_is(decoder: str) -> None:
    app = upload(open_page(decoder, {"name": "answer", "answer": "warm"}, "Fairness"))
    app = finished(press(app, "Compare all pairs"))
    assert not app.exception
    assert "ln p of “⁨ warm⁩” moves by" in shown(app)
    table = next(d.value for d in app.dataframe if "CTF gap" in d.value).set_index("texts")
    assert table.loc["differences", "CTF gap"] == 0
