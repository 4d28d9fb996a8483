"""Labels of a file that are not the model's: guessed, told, read."""

from __future__ import annotations

import json

import pytest

from maskviz.data.label_map import guesses, label_values, meaning, read_label_map
from maskviz.errors import DataError, MaskvizError, ParameterError
from maskviz.evidence import compare_file
from maskviz.models import load_model
from tests.tiny_models import build

TWO, NAMELESS = ("negative", "positive"), ("LABEL_0", "LABEL_1", "LABEL_2")


@pytest.mark.parametrize(
    ("values", "outputs", "wanted", "how"),
    [
        (["Positive", "NEGATIVE"], TWO, ["positive", "negative"], "name"),
        (["1", "0.0"], TWO, ["positive", "negative"], "number"),
        (["satisfied", "unsatisfied"], TWO, ["positive", "negative"], "meaning"),
        (["not satisfied", "very happy"], TWO, ["negative", "positive"], "meaning"),
        (["pos", "neg"], TWO, ["positive", "negative"], "begin"),
        (["good", "mixed", "bad"], NAMELESS, ["LABEL_2", "LABEL_1", "LABEL_0"], "order"),
        (["3", "1", "2"], NAMELESS, ["LABEL_2", "LABEL_0", "LABEL_1"], "place"),
        (["0", "2"], NAMELESS, ["LABEL_0", "LABEL_2"], "number"),
        (["5 stars", "1"], ("1 star", "5 stars"), ["5 stars", "1 star"], ("name", "number")),
        (["joy", "anger"], TWO, [None, None], ""),
        (["bad", "good"], NAMELESS, [None, None], ""),
        (["good", "great"], ("LABEL_0", "LABEL_1"), [None, None], ""),
        (["happy", "poor"], ("positive", "great", "bad"), [None, "bad"], ("", "meaning")),
    ],
)
def test_guesses(values, outputs, wanted, how) -> None:
    found = guesses(values, outputs)
    assert [g.label for g in found] == wanted
    assert [g.how for g in found] == (list(how) if isinstance(how, tuple) else [how] * len(found))


def test_a_word_that_is_turned_says_the_opposite_and_two_say_nothing() -> None:
    assert [meaning(s) for s in ("not bad", "no", "good or bad", "no issues")] == [
        1,
        -1,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("a=b, c = d", {"a": "b", "c": "d"}),
        ("x=y=b,z=", {"x=y": "b", "z": None}),
        ('{"a, b": "c", "d": null, "1": 2}', {"a, b": "c", "d": None, "1": "2"}),
    ],
)
def test_a_map_as_it_is_written(written: str, wanted: dict[str, str | None]) -> None:
    assert read_label_map(written) == wanted


def test_a_map_in_a_file_is_read_and_what_is_none_is_refused(tmp_path) -> None:
    (tmp_path / "map.json").write_text(json.dumps({"a": "b"}))
    assert read_label_map(str(tmp_path / "map.json")) == {"a": "b"}
    for wrong in ("a", "=b", "{", '{"a": ["b"]}'):
        with pytest.raises(ParameterError):
            read_label_map(wrong)
    with pytest.raises(DataError, match="cannot be read"):
        read_label_map(str(tmp_path / "none.json"))


def test_values_are_counted_in_any_shape() -> None:
    csv = b"text,label,joy,anger\na,x;y,1,0\nb,x,0,1\nc,,1,1\n"
    assert label_values(csv, "label", name="a.csv") == {"x;y": 1, "x": 1}
    assert label_values(csv, "label", True, "a.csv") == {"x": 2, "y": 1}
    assert label_values(csv, "joy,anger", True, "a.csv") == {"joy": 0, "anger": 0}


CSV = b"text,label\nA fine film,satisfied\nIt is bad,unsatisfied\nSo so,unsure\n"


def test_a_map_gives_the_accuracy_of_the_file_with_the_models_own_names() -> None:
    told = {"satisfied": "positive", "unsatisfied": "negative", "unsure": None}
    own = CSV.replace(b"unsatisfied", b"negative").replace(b"satisfied", b"positive")
    own = own.replace(b"So so,unsure\n", b"")
    asked = {"text_column": "text", "label_column": "label", "name": "a.csv", "draws": 0}
    mapped = compare_file(CSV, ["span"], label_map=told, **asked)
    plain = compare_file(own, ["span"], **asked)
    assert mapped.strategies == plain.strategies
    assert any("1 row with a label that the label map leaves out" in n for n in mapped.notes)
    assert any("by your map: satisfied as 'positive'" in n for n in mapped.notes)


def test_several_labels_are_mapped_one_by_one(tmp_path) -> None:
    model = build("bert", tmp_path / "m", num_labels=3, problem_type="multi_label_classification")
    csv = b"text,label\na fine film,joy;praise\nit is bad,other\nso so,anger\n"
    told = {"joy": "LABEL_0", "praise": "LABEL_1", "anger": "LABEL_2", "other": None}
    rows = []
    compare_file(
        csv, ["span"], text_column="text", label_column="label", name="a.csv", draws=0,
        model=str(model), label_map=told, each=rows.append,
    )  # fmt: skip
    assert [row.expected for row in rows] == ["LABEL_0, LABEL_1", "(none)", "LABEL_2"]


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (None, "--label-map satisfied=negative"),
        ({"satisfied": "joy"}, "'joy' for 'satisfied'"),
        ({"satisfied": "1"}, "'unsatisfied'"),
    ],
)
def test_what_a_map_lacks_is_said(told, says: str) -> None:
    with pytest.raises(MaskvizError, match=says):
        compare_file(
            CSV, ["span"], text_column="text", label_column="label", name="a.csv",
            label_map=told, model=load_model("mini"),
        )  # fmt: skip


def test_a_regression_takes_no_map(tmp_path) -> None:
    model = build("bert", tmp_path / "r", num_labels=1, problem_type="regression")
    with pytest.raises(DataError, match="leave the map out"):
        compare_file(
            CSV, ["span"], text_column="text", label_column="label", name="a.csv",
            label_map={"satisfied": "LABEL_0"}, model=str(model),
        )  # fmt: skip
