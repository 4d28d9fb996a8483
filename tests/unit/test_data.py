"""Tables: every format and encoding reads, every broken one gets one clear sentence."""

from __future__ import annotations

import io
import json
import tracemalloc

import pandas as pd
import pytest

from maskviz.data import (
    guess_columns,
    iter_rows,
    make_example,
    preview,
    read_table,
    select,
)
from maskviz.data.rows import delimiter_of
from maskviz.errors import DataError, ParameterError, UnknownNameError

ROWS = [{"text": "café, closed", "label": "1"}, {"text": "נהדר 🎉", "label": "0"}]


def _csv(delimiter: str) -> str:
    return f'text{delimiter}label\n"café, closed"{delimiter}1\n"נהדר 🎉"{delimiter}0\n'


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_csv_reads_with_any_delimiter_and_encoding(delimiter, encoding):
    table = read_table(_csv(delimiter).encode(encoding), "a.csv")
    assert table.to_dict("records") == ROWS


def test_latin_1_is_told_from_utf_8():
    table = read_table("text;label\ncafé – très bon;1\n".encode("cp1252"), "a.csv")
    assert table.text[0] == "café – très bon"
    late = b"text,label\n" + b"plain,1\n" * 20_000 + "café,0\n".encode("latin-1")
    assert list(iter_rows(late, "late.csv"))[-1]["text"] == "café"


def test_tsv_jsonl_and_parquet_read_alike(tmp_path):
    frame = pd.DataFrame(ROWS)
    frame.to_csv(tmp_path / "a.tsv", sep="\t", index=False)
    frame.to_json(tmp_path / "a.jsonl", orient="records", lines=True, force_ascii=False)
    frame.to_parquet(tmp_path / "a.parquet")
    for name in ("a.tsv", "a.jsonl", "a.parquet"):
        assert read_table(tmp_path / name).astype(str).to_dict("records") == ROWS


def test_a_cell_may_hold_line_breaks_and_quotes():
    table = read_table(b'text,label\n"one\ntwo ""three""",1\n', "a.csv")
    assert table.text[0] == 'one\ntwo "three"'


def test_html_in_a_cell_stays_data():
    table = read_table(b"text,label\n<script>alert(1)</script>,1\n", "a.csv")
    assert table.text[0] == "<script>alert(1)</script>"


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "a.csv", "is empty"),
        (b"\xef\xbb\xbf \n", "a.csv", "is empty"),
        (b"text,label\n", "a.csv", "no rows"),
        (b"\x00\x01\x02" * 40, "a.csv", "is binary"),
        (b"PK\x03\x04rest", "a.csv", "a ZIP archive.* unpack it"),
        (b"PK\x03\x04...xl/workbook.xml", "a.xlsx", "an Excel workbook.* its sheet as CSV"),
        (b"PK\x03\x04...word/document.xml", "a.docx", "a Word document.* copy its table"),
        (b"\xd0\xcf\x11\xe0...", "a.xls", "an old Excel or Word file.* as CSV"),
        (b"%PDF-1.7", "a.csv", "PDF"),
        (b"text,label\na,1,2\n", "a.csv", "Line 2"),
        (b"text,text\na,1\n", "a.csv", "two columns named 'text'"),
        (b",\na,1\n", "a.csv", "no header"),
        (b"1, 2\n", "a.jsonl", "Line 1"),
        (b'[{"text": "a"}]\n', "a.json", "one JSON list.* one object per line"),
        (b'{"text": 1}\n{oops\n', "a.jsonl", "Line 2"),
        (b'{"text": ' + b"9" * 5000 + b"}", "a.jsonl", "Line 1"),
        (b'{"text": ' + b"[" * 100_000, "a.jsonl", "Line 1"),
        (b"text,label\n" + b"a" * (1 << 24) + b"b,c\n", "a.csv", "field limit"),
        (b"PAR1 and no more", "a.parquet", "Parquet"),
        (b"text,label\n", "a.parquet", "something else"),
    ],
)
def test_a_broken_table_gets_one_sentence(content, name, words):
    with pytest.raises(DataError, match=words) as caught:
        read_table(content, name)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_old_line_ends_and_utf_32_are_read():
    assert read_table(b"text,label\rone,1\rtwo,0\r", "a.csv").text.tolist() == ["one", "two"]
    assert read_table(_csv(",").encode("utf-32"), "a.csv").to_dict("records") == ROWS


def test_half_a_surrogate_pair_in_json_becomes_a_mark():
    line = json.dumps({"te\ud800xt": "a \udfff film", "deep": [{"x": "\ud83d\ude42 \ud800"}]})
    row = next(iter_rows(line.encode(), "a.jsonl"))
    assert row == {"te\ufffdxt": "a \ufffd film", "deep": [{"x": "🙂 \ufffd"}]}


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"no file .*nowhere\.csv"):
        read_table(tmp_path / "nowhere.csv")


def test_a_large_file_is_read_in_constant_memory(tmp_path):
    path = tmp_path / "large.csv"
    line = "word " * 40 + ",1\n"
    path.write_text("text,label\n" + line * 50_000)
    tracemalloc.start()
    count = sum(1 for _ in iter_rows(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 50_000
    assert peak < path.stat().st_size / 2


def test_preview_reads_the_first_rows_only():
    assert preview(b"text,label\na,1\nb,0\nthis,line,is broken\n", "a.csv", rows=2).shape == (2, 2)


@pytest.mark.parametrize("first", ["sep=;\r\n", '\ufeff"SEP=;"\r\n'])
def test_the_line_in_which_excel_names_the_separator_is_no_header(first):
    table = read_table(f"{first}text;label\r\na, b;1\r\n".encode(), "a.csv")
    assert table.to_dict("list") == {"text": ["a, b"], "label": ["1"]}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_of_ignores_others_inside_text(delimiter):
    sample = f'text{delimiter}label\n"a, b; c | d"{delimiter}1\n"e, f, g"{delimiter}0\n'
    assert delimiter_of(sample) == delimiter


def test_guess_columns_by_name_and_by_content():
    named = pd.DataFrame({"id": ["1", "2"], "Review": ["a", "b"], "Sentiment": ["x", "y"]})
    assert guess_columns(named).text == "Review"
    assert guess_columns(named).label == "Sentiment"
    bare = pd.DataFrame(
        {"a": ["p", "n"] * 4, "b": [f"a long text {i}" for i in range(8)], "c": list("abcdefgh")}
    )
    assert (guess_columns(bare).text, guess_columns(bare).label) == ("b", "a")


def test_select_leaves_empty_cells_out_and_says_so():
    frame = pd.DataFrame({"t": ["a", " ", "c", "d", "e"], "l": [1.0, 1.0, float("nan"), 0, 0]})
    frame.loc[len(frame)] = ["f", 1.0]
    selection = select(frame, "t", "l")
    assert selection.texts == ("a", "d", "e", "f")
    assert selection.labels == ("1", "0", "0", "1")
    assert selection.label_names == ("0", "1")
    assert "row 2" in selection.notes[0]
    assert "row 3" in selection.notes[1]


def test_numbers_as_labels_are_in_their_order():
    frame = pd.DataFrame({"t": list("abcdef"), "l": ["10", "9", "2"] * 2})
    assert select(frame, "t", "l").label_names == ("2", "9", "10")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["x", "x", "x", "y"], "'y' occurs once"),
        (["x"] * 4, "only label"),
        ([""] * 4, "No row"),
        ([f"label {i}" for i in range(400)], "400 different values"),
    ],
)
def test_labels_that_cannot_train_are_refused(labels, words):
    frame = pd.DataFrame({"t": ["some text"] * len(labels), "l": labels})
    with pytest.raises(DataError, match=words):
        select(frame, "t", "l")


def test_a_missing_column_names_those_there_are():
    with pytest.raises(DataError, match="no column 'body': choose one of text, label"):
        select(pd.DataFrame(ROWS), "body", "label")


# the example set ----------------------------------------------------------------------------


def test_example_same_seed_same_rows_and_the_distractor_is_where_it_says():
    table = make_example(100, seed=3)
    pd.testing.assert_frame_equal(table, make_example(100, seed=3))
    assert not table.equals(make_example(100, seed=4))
    for row in table.itertuples():
        assert row.text[row.start : row.end] == row.distractor


@pytest.mark.parametrize("kind", ["name", "place", "age"])
def test_example_ties_the_distractor_to_the_label_as_told(kind):
    from maskviz.data.distractor import KINDS

    table = make_example(2000, seed=0, strength=0.9, kind=kind)
    group = table.distractor.isin(KINDS[kind][1])
    agrees = (group == (table.label == "positive")).groupby(table.split).mean()
    assert agrees["aligned"] == 1
    assert agrees["reversed"] == 0
    assert abs(agrees["neutral"] - 0.5) < 0.1
    assert abs(agrees["train"] - 0.9) < 0.03


def test_noise_turns_training_labels_and_the_distractor_follows_them():
    from maskviz.data.distractor import KINDS

    noise, strength = 0.25, 0.9
    table = make_example(2000, seed=0, strength=strength, noise=noise)
    group = table.distractor.isin(KINDS["name"][1])
    agrees = (group == (table.label == "positive")).groupby(table.split).mean()
    assert abs(agrees["train"] - strength) < 0.03
    assert agrees["aligned"] == 1
    # The reviews alternate between bad and good: what was turned stands out.
    train = table[table.split == "train"].reset_index(drop=True)
    turned = (train.label == "positive") != (train.index % 2 == 1)
    assert abs(turned.mean() - noise) < 0.03
    tests = table[table.split == "neutral"].reset_index(drop=True)
    assert ((tests.label == "positive") == (tests.index % 2 == 1)).all()


@pytest.mark.parametrize("kind", ["name", "age"])
def test_example_distractors_are_what_the_strategy_attribute_hides(kind):
    from maskviz.masks import mask
    from maskviz.masks.attributes import CATEGORIES

    if kind == "name":  # names are asked of the pipeline as well
        pytest.importorskip("spacy")
    types = {"name": "names", "age": "age"}[kind]
    assert types in CATEGORIES
    for row in make_example(60, seed=0, kind=kind).itertuples():
        hidden = mask(row.text, "attribute", types=[types]).characters
        assert set(range(row.start, row.end)) <= hidden, row.text


@pytest.mark.parametrize("kind", ["name", "place", "age"])
def test_example_distractors_are_one_token_each_so_that_a_mask_tells_nothing(kind):
    from tokenizers import Tokenizer

    from maskviz.data.distractor import KINDS
    from maskviz.paths import assets

    mini = Tokenizer.from_file(str(assets() / "mini" / "tokenizer.json"))
    counts = {
        word: len(mini.encode(word, add_special_tokens=False).ids)
        for group in KINDS[kind]
        for word in group
    }
    assert set(counts.values()) == {1}, counts


def test_example_test_rows_differ_by_the_distractor_only():
    table = make_example(200, seed=1)

    def rest(split: str) -> list[str]:
        rows = table[table.split == split].itertuples()
        return [row.text[: row.start] + row.text[row.end :] for row in rows]

    assert rest("aligned") == rest("neutral") == rest("reversed")
    assert not set(rest("aligned")) & set(rest("train"))


def test_example_is_balanced_and_a_count_of_words_does_not_solve_it():
    from maskviz.data import words

    table = make_example(1000, seed=0)
    assert (table.label == "positive").mean() == pytest.approx(0.5, abs=0.01)

    def count(text: str) -> int:
        return sum(w in text for w in words.POSITIVE) - sum(w in text for w in words.NEGATIVE)

    solved = [(count(r.text) > 0) == (r.label == "positive") for r in table.itertuples()]
    assert sum(solved) / len(solved) < 0.8


def test_example_bad_parameters_are_named():
    with pytest.raises(ParameterError, match=r"strength is 1\.5"):
        make_example(strength=1.5)
    with pytest.raises(ParameterError, match=r"noise is 0\.7"):
        make_example(noise=0.7)
    with pytest.raises(ParameterError, match="n is 3"):
        make_example(3)
    with pytest.raises(UnknownNameError, match="choose one of name, place, age"):
        make_example(kind="colour")


def test_example_survives_a_round_trip_through_csv():
    buffer = io.StringIO()
    table = make_example(20)
    table.to_csv(buffer, index=False)
    assert read_table(buffer.getvalue().encode(), "example.csv").text.tolist() == list(table.text)
