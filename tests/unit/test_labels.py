"""Labels of a file: one reader for every shape, the same at every door."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from maskviz.data.known import Known
from maskviz.data.labels import (
    Shape,
    joined_columns,
    label_columns,
    labels_of,
    parts,
    vector_width,
)
from maskviz.errors import DataError, UnknownNameError
from maskviz.evidence import compare_file
from maskviz.evidence.counterfactual.fairness import fairness
from maskviz.evidence.counterfactual.swaps import Pair
from maskviz.evidence.files.rows import check_file
from maskviz.evidence.words.attribution import explain
from maskviz.readings.question import asked
from maskviz.training.data.rows import load_rows
from tests.tiny_models import build
from tests.tiny_runs import tiny_spec

MULTI = "multi_label_classification"
MOODS = ("anger", "joy", "praise")
# The same three rows in every shape: joy and praise, none, anger.
SHAPES = {
    "a JSON list": ['["joy", "praise"]', "[]", '["anger"]'],
    "a Python list": ["['joy', 'praise']", "[]", "['anger']"],
    "a Python set": ["{'praise','joy'}", "set()", "{'anger'}"],
    "a tuple": ["('joy', 'praise')", "()", "('anger',)"],
    "a NumPy array": ["['joy' 'praise']", "[]", "['anger']"],
    "its repr": ["array(['joy', 'praise'], dtype=object)", "array([])", "array(['anger'])"],
    "commas": ["joy, praise", "-", "anger"],
    "bars": ["praise|joy", " - ", "anger"],
    "bare in brackets": ["[joy; praise]", "[]", "[anger]"],
    "by name": ["{'joy': 1, 'praise': 1, 'anger': 0}", "{'joy': 0}", '{"anger": true}'],
}


@pytest.mark.parametrize("cells", SHAPES.values(), ids=SHAPES)
def test_every_shape_says_the_same(cells):
    assert [sorted(parts(cell, several=True)) for cell in cells] == [
        ["joy", "praise"],
        [],
        ["anger"],
    ]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        (["b", "a"], ("b", "a")),
        ({"b", "a"}, ("a", "b")),
        ([1.0, 2], ("1", "2")),
        (["it's, so", 'a "b"'], ("it's, so", 'a "b"')),
        (json.dumps(["it's, so", 'é "b"']), ("it's, so", 'é "b"')),
        ({"joy": 1.0, "sad": False}, ("joy",)),
        ([], ()),
        (2.0, ("2",)),
        ("World, Politics", ("World, Politics",)),
        ("[OTHER]", ("[OTHER]",)),
        ("(none)", ("(none)",)),
        ("{x", ("{x",)),
        ("[" * 5000 + "]" * 5000, ("[" * 5000 + "]" * 5000,)),
    ],
)
def test_a_cell_that_is_no_written_list_is_one_name(cell, found):
    assert parts(cell, several=False) == found


@pytest.mark.parametrize("cell", [[["a"], ["b"]], "[['a'], ['b']]", "{'joy': 0.4}", {"joy": "x"}])
def test_what_is_no_set_of_labels_is_refused(cell):
    with pytest.raises(DataError):
        parts(cell, several=True)


@pytest.mark.parametrize(
    ("cells", "width"),
    [
        (["[1, 1, 0, 0]", "[0, 0, 0, 0]"], 4),
        (["[1 0 0]", "[0. 1. 0.]"], 3),
        (["1 0 0", "0 1 1"], 3),
        (["1,0", "1,1"], 2),
        ([[True, False], [False, False]], 2),
        ([[1.0, 0.0], "", None], 2),
        (["[0, 1]", "[1]"], 0),  # numbers of labels
        (["[0, 2]", "[1, 0]"], 0),
        (["1", "0"], 0),
        (["[1, 1, 0]", "[1, 1]"], 0),
        ([{"a": 1, "b": 0}], 0),
    ],
)
def test_vectors_are_told_from_lists_of_numbers(cells, width):
    assert vector_width(cells, several=True) == width


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("1 star", "2 stars", "5 stars"), {"1": "1 star", "5.0": "5 stars", "0": None, "3": None}),
        (("LABEL_0", "LABEL_1"), {"0": "LABEL_0", "1.0": "LABEL_1", "label_1": "LABEL_1"}),
        (("bad", "good"), {"1": "good", "GOOD": "good", "2": None, "0.5": None, "True": "good"}),
        (("Pos", "POS", "pos"), {"Pos": "Pos", "pos": "pos", "POS": "POS", "pOs": None}),
        (("no", "Type 2", "Type 1"), {"0": None, "1": None, "type 1": "Type 1"}),
        (("-1", "0", "1"), {"-1": "-1", "1": "1", "-1.0": None}),
        (("caf\u00e9", "x"), {"cafe\u0301": "caf\u00e9", "CAFÉ": "caf\u00e9"}),
        (("a", "b", "c"), {"true": None, "3": None, "-1": None, "nan": None, "inf": None}),
    ],
)
def test_the_exact_name_comes_before_the_folded_one_and_the_number(names, found):
    assert {text: Known(names).find(text) for text in found} == found


def test_columns_are_named_with_commas_or_as_a_list():
    known = ["text", "joy", "a, b", "joy, a"]
    assert label_columns("joy, a", known) == ("joy, a",)  # one that is so called
    chosen = ("joy", "a, b")
    assert label_columns(joined_columns(chosen), known) == chosen
    with pytest.raises(DataError, match="no column 'fear'"):
        label_columns("joy, fear", known)


# training -----------------------------------------------------------------------------------


def _table(path, cells, **columns):
    rows = [
        {"text": f"text {i}", **({"tags": c} if c is not None else {})} for i, c in enumerate(cells)
    ]
    for name, values in columns.items():
        rows = [{**row, name: value} for row, value in zip(rows, values, strict=True)]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    return path


def _rows(folder, table, **values):
    return load_rows(tiny_spec(folder, path=str(table), eval_fraction=0.25, **values))


def _targets(rows):
    return sorted([*rows.train.labels, *rows.evaluation["dev"].labels])


@pytest.mark.parametrize("cells", SHAPES.values(), ids=SHAPES)
def test_training_takes_every_shape(tmp_path, cells):
    rows = _rows(
        tmp_path, _table(tmp_path / "t.jsonl", cells * 4), problem_type=MULTI, label_column="tags"
    )
    assert rows.label_names == MOODS
    assert _targets(rows) == sorted([(0.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0)] * 4)


@pytest.mark.parametrize(
    "vectors", [["[0, 1, 1]", "[0, 0, 0]", "[1, 0, 0]"], ["0 1 1", "0 0 0", "1 0 0"]]
)
def test_vectors_and_columns_train_alike(tmp_path, vectors):
    table = _table(tmp_path / "t.jsonl", vectors * 4)
    by_place = _rows(tmp_path, table, problem_type=MULTI, label_column="tags")
    assert by_place.label_names == ("0", "1", "2")
    assert any("vectors of 3" in note for note in by_place.notes)
    each = {name: [1 * (v.strip("[]").replace(",", "").split()[i] == "1") for v in vectors] * 4
            for i, name in enumerate(MOODS)}  # fmt: skip
    table = _table(tmp_path / "c.jsonl", [None] * 12, **each)
    columns = _rows(tmp_path, table, problem_type=MULTI, label_column="anger,joy,praise")
    assert columns.label_names == MOODS
    assert _targets(columns) == _targets(by_place)
    assert any("3 columns of 0 and 1" in note for note in columns.notes)


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        (["1.0", "0.0"], ("0", "1")),
        (["1.0", "1.5"], ("1.0", "1.5")),
        ([1.0, 0.0], ("0", "1")),
        (["007", "1"], ("1", "007")),
        (["['joy']", "['anger']"], ("anger", "joy")),
        (["[1, 0]", "[0, 1]"], ("0", "1")),
        (["Pos", "pos"], ("Pos", "pos")),
    ],
)
def test_one_label_a_row_in_every_shape(tmp_path, cells, names):
    rows = _rows(tmp_path, _table(tmp_path / "t.jsonl", cells * 4), label_column="tags")
    assert rows.label_names == names
    assert any("differ in case" in note for note in rows.notes) == (names == ("Pos", "pos"))


@pytest.mark.parametrize(
    ("cells", "problem", "words"),
    [
        (["['joy', 'sad']", "['joy']"], "single_label_classification", "2 labels .*problem_type"),
        (["[1, 1]", "[1, 0]"], "single_label_classification", "2 labels"),
        (["[0, 0]", "[1, 0]"], "single_label_classification", "no label"),
        ([{"joy": 0.3}, {"joy": 1}], MULTI, "'joy' is '0.3'"),
    ],
)
def test_labels_that_do_not_fit_are_refused_with_their_row(tmp_path, cells, problem, words):
    with pytest.raises(DataError, match=f"Row 1.*{words}"):
        _rows(
            tmp_path,
            _table(tmp_path / "t.jsonl", cells * 4),
            problem_type=problem,
            label_column="tags",
        )


@pytest.mark.parametrize(
    ("cells", "other"), [(["joy", "sad"], ["JOY", " sad "]), ([1, 0], ["1.0", "0"])]
)
def test_the_evaluation_table_is_read_as_the_training_rows(tmp_path, cells, other):
    table, own = _table(tmp_path / "t.jsonl", cells * 4), _table(tmp_path / "e.jsonl", other)
    rows = _rows(tmp_path, table, label_column="tags", eval_path=str(own))
    assert set(rows.evaluation["dev"].labels) == {0, 1}
    vectors = _table(tmp_path / "v.jsonl", ["[1, 0, 0]", "[0, 1, 1]"] * 4)
    short = _table(tmp_path / "s.jsonl", ["[1, 0]", "[0, 1]"])
    with pytest.raises(DataError, match=r"evaluation table: Row 1 .* 2 values and the others 3"):
        _rows(tmp_path, vectors, problem_type=MULTI, label_column="tags", eval_path=str(short))


# a file against a model ---------------------------------------------------------------------


def _model(folder, names, **more):
    labels = {"id2label": dict(enumerate(names)), "label2id": {n: i for i, n in enumerate(names)}}
    return str(build("bert", folder, num_labels=len(names), **labels, **more))


def _expected(model, table, column="tags"):
    found = []
    compare_file(
        table, ["random"], text_column="text", label_column=column, model=model, draws=0,
        each=lambda row: found.append(row.expected),
    )  # fmt: skip
    return found


@pytest.mark.parametrize("cells", [*SHAPES.values(), ["[0, 1, 1]", "[0, 0, 0]", "[1, 0, 0]"]])
def test_a_comparison_takes_what_training_takes(tmp_path, cells):
    model = _model(tmp_path / "m", MOODS, problem_type=MULTI)
    table = _table(tmp_path / "t.jsonl", cells)
    assert _expected(model, table) == ["joy, praise", "(none)", "anger"]
    each = {"praise": [1, 0, 0], "Joy": ["1.0", "0", "0"], "anger": [False, False, True]}
    columns = _table(tmp_path / "c.jsonl", [None] * 3, **each)
    assert _expected(model, columns, "praise, Joy, anger") == ["joy, praise", "(none)", "anger"]


@pytest.mark.parametrize(
    ("names", "cells", "expected"),
    [
        (("1 star", "2 stars", "3 stars"), [1, "2", 3.0], ["1 star", "2 stars", "3 stars"]),
        (("Pos", "POS", "pos"), ["Pos", "POS", "pos"], ["Pos", "POS", "pos"]),
        (("bad", "good"), ["1.0", "0.0", "Good"], ["good", "bad", "good"]),
        (("bad", "good"), ["['good']", '["bad"]', "{'good'}"], ["good", "bad", "good"]),
        (("bad", "good"), ["[0, 1]", "[1, 0]", "[0, 1]"], ["good", "bad", "good"]),
    ],
)
def test_one_label_of_a_model(tmp_path, names, cells, expected):
    model = _model(tmp_path / "m", names)
    table = _table(tmp_path / "t.jsonl", cells)
    assert _expected(model, table) == expected
    check = check_file(table, asked(model), "text", "tags")
    assert bool(check.reading) == (not {"Pos", "['good']"} & {*cells})  # what it took is said


@pytest.mark.parametrize(
    ("names", "cells", "more", "words"),
    [
        (("1 star", "2 stars"), ["0", "1"], {}, r"Row 1 has the label '0'.*\(or 1, 2\)"),
        (("bad", "good"), ["1", "2"], {}, "Row 2 has the label '2'"),
        (("Pos", "POS"), ["pos", "Pos"], {}, "Row 1 has the label 'pos'"),
        (("bad", "good"), ["['bad', 'good']", "['bad']"], {}, "Row 1 has 2 labels"),
        (MOODS, ["[1, 0]", "[0, 0]"], {"problem_type": MULTI}, "vectors of 2 .* has 3 labels"),
    ],
)
def test_what_a_model_does_not_know_is_refused_before_anything_runs(
    tmp_path, names, cells, more, words
):
    model = _model(tmp_path / "m", names, **more)
    with pytest.raises(DataError, match=words):
        _expected(model, _table(tmp_path / "t.jsonl", cells))


def test_a_label_asked_for_by_name_is_read_alike(tmp_path):
    model = _model(tmp_path / "m", ("1 star", "2 stars"))
    assert explain("a dull story", model, label="2 STARS").label == "2 stars"
    found = fairness([Pair(1, "a dull story", "a warm story")], ["random"], model=model, label="1")
    assert found.label == "1 star"
    with pytest.raises(UnknownNameError, match="'3 stars'"):
        asked(model).output("3 stars")


def test_a_shape_is_kept_for_the_whole_table():
    frame = pd.DataFrame({"tags": ["[1, 0]", "[1, 1]"]})
    shape, labels = labels_of(frame, "tags", several=True)
    assert (shape, labels) == (Shape(("tags",), True, 2), [("0",), ("0", "1")])
