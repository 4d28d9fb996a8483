"""The Compare page, driven without a browser."""

from __future__ import annotations

import time

import pytest
from streamlit.testing.v1 import AppTest

from maskviz.evidence.jobs import jobs, work
from tests.tiny_models import build

TEXT = "The story is dull and the ending is a waste of time."
CSV = "text;label;who\nA great and funny film;1;x\nA dull, slow story;0;y\n;1;x\nHe is warm;1;x\n"


def open_page(tab: str = "This text", **link: str) -> AppTest:
    app = AppTest.from_file("../../pages/compare.py", default_timeout=180)
    for name, value in {"text": TEXT, "strategy": "random", "ratio": "0.3", **link}.items():
        app.query_params[name] = value
    app.session_state["compare_tab"] = tab
    return app.run()


def upload(app: AppTest, name: str, content: bytes) -> AppTest:
    return app.get("file_uploader")[0].upload(name, content, "text/csv").run()


def press(app: AppTest, label: str) -> AppTest:
    return next(b for b in app.button if b.label == label).click().run()


def finished(app: AppTest) -> AppTest:
    """Wait for the jobs' processes, then let the page look again."""
    end = time.monotonic() + 180
    while not all(job.status().ended for job in jobs.recent()):
        assert time.monotonic() < end
        time.sleep(0.1)
    return app.run()


def test_it_opens_with_the_finding_and_a_row_for_each_strategy() -> None:
    app = open_page()
    assert not app.exception
    assert "other masks" in app.markdown[0].value
    table = app.dataframe[0].value
    assert {"your mask", "random", "span", "key"} <= set(table["strategy"])
    assert table["p"].between(0, 1).all()


def test_five_operators_say_whether_the_conclusion_survives() -> None:
    app = open_page()
    app.session_state["view_compared"] = ["key"]
    next(t for t in app.toggle if t.label == "Under five operators").set_value(True).run()
    assert not app.exception
    table = app.dataframe[0].value
    assert set(table["operator"]) == {"mask", "delete", "pad", "attention", "infill"}
    assert any("operator for" in m.value for m in app.markdown)


@pytest.mark.parametrize("head", ["regression", "multi_label_classification"])
def test_other_heads_work_as_well(head: str, tmp_path) -> None:
    model = build("bert", tmp_path / head, num_labels=1 if head == "regression" else 3,
                  problem_type=head, initializer_range=0.5)  # fmt: skip
    for tab in ("This text", "Word by word"):
        app = open_page(tab, model=str(model))
        assert not app.exception
        assert not app.error
        assert "LABEL_" in app.markdown[0].value.replace("\\", "")
        assert len(app.dataframe) > 0


def test_word_by_word_shows_scores_and_their_faithfulness() -> None:
    app = open_page("Word by word")
    assert not app.exception
    assert any("rests most on" in m.value for m in app.markdown)
    next(t for t in app.toggle if t.label == "Measure faithfulness").set_value(True).run()
    assert not app.exception
    table = next(d.value for d in app.dataframe if "sufficiency" in d.value)
    assert list(table["method"]) == ["occlusion", "gradient-input", "random"]


def test_a_file_gives_flip_rate_accuracy_and_rows_to_open() -> None:
    app = upload(open_page("A file"), "films.csv", CSV.encode("latin-1"))
    assert not app.exception
    assert any(c.value.startswith("3 rows can be compared") for c in app.caption)
    app = finished(press(app, "Compare all rows"))
    assert not app.exception
    assert any("Over 3 rows" in m.value for m in app.markdown)
    table = next(d.value for d in app.dataframe if "flip rate" in d.value)
    assert set(table["strategy"]) == {"random", "entity", "attribute"}
    assert table["accuracy plain"].between(0, 1).all()
    assert any(str(b.key).startswith("open_") for b in app.button)
    (job,) = jobs.recent()
    assert job.status().state == "done"
    assert len(job.rows.read_text().splitlines()) == 4


def test_without_a_file_the_example_set_is_one_click() -> None:
    app = press(open_page("A file"), "Try it with the example set")
    assert not app.exception
    assert any(c.value.startswith("360 rows can be compared") for c in app.caption)


def test_pairs_give_a_gap_that_is_zero_where_all_is_hidden() -> None:
    app = upload(open_page("Fairness"), "films.csv", CSV.encode())
    app = finished(press(app, "Compare all pairs"))
    assert not app.exception
    table = next(d.value for d in app.dataframe if "CTF gap" in d.value).set_index("texts")
    assert table.loc["plain", "pairs"] == 1
    assert table.loc["differences", "CTF gap"] == 0


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.csv", b"", "empty"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "PNG"),
        (
            "t.csv",
            b"text,label\n" + b"".join(b"a film,%d.5\n" % i for i in range(60)),
            "60 different",
        ),
    ],
)
def test_bad_files_are_one_sentence_and_nothing_runs(name: str, content: bytes, says: str) -> None:
    app = upload(open_page("A file"), name, content)
    assert not app.exception
    assert any(says in e.value.replace("\\", "") for e in app.error), [e.value for e in app.error]
    assert app.session_state["maskviz_view"].text == TEXT
    assert all(b.disabled for b in app.button if b.label == "Compare all rows")


LEANED = "text,label,who\n" + "".join(
    f'"a {("dull", "great")[i % 2]} film {i}",{i % 2},{"xy"[i % 3 > 0]}\n' for i in range(100)
)


def test_what_it_leans_on_asks_for_columns_and_shows_what_was_found(tmp_path, monkeypatch) -> None:
    app = upload(open_page("What it leans on"), "films.csv", LEANED.encode())
    assert not app.exception
    assert any(c.value.startswith("100 rows can be searched") for c in app.caption)
    assert any(b.label == "Search all rows" for b in app.button)
    path = tmp_path / "films.csv"
    path.write_text(LEANED)
    monkeypatch.setattr("maskviz.evidence.shortcuts.work.of_kinds", lambda **_: [])
    job = jobs.create("shortcuts", "films.csv", path, {
        "model": "mini", "text_column": "text", "label_column": "label", "group_columns": ["who"],
        "irrelevant": ["dull"],
    })  # fmt: skip
    work.work(job)
    assert (job.status().state, job.status().message) == ("done", "")
    app.session_state["comparison_shown"] = {"shortcuts": job.id}
    app.run()
    assert not app.exception
    assert any("leans on" in m.value for m in app.markdown)
    table = next(d.value for d in app.dataframe if "verdict" in d.value).set_index("what")
    assert table.loc["word:dull", "verdict"] == "shortcut"
    assert any(set(d.value.get("who", ())) == {"x", "y"} for d in app.dataframe)
    press(app, "Open")
    assert app.session_state["maskviz_view"].strategy == "pattern"
    assert "word" not in app.session_state["maskviz_view"].parameters


@pytest.mark.slow
def test_a_search_is_a_job_of_its_own_process() -> None:
    app = upload(open_page("What it leans on"), "films.csv", LEANED.encode())
    next(m for m in app.multiselect if m.label == "Columns with groups").set_value(["who"]).run()
    next(t for t in app.text_input if t.label == "What should not count").set_value("dull").run()
    app = finished(press(app, "Search all rows"))
    assert not app.exception
    (job,) = jobs.recent()
    assert (job.status().state, job.status().message) == ("done", "")
    assert any("leans on" in m.value for m in app.markdown)


OWN = b"text,label\nA great and funny film,satisfied\nA dull, slow story,unsatisfied\n".replace(
    b"dull, slow", b"dull and slow"
)


def options(app: AppTest, value: str) -> object:
    return next(s for s in app.selectbox if s.label.startswith(value))


def test_labels_of_ones_own_are_guessed_asked_and_kept_with_the_file() -> None:
    app = upload(open_page("A file"), "own.csv", OWN + b"So so,unsure\n")
    assert not app.exception
    assert not app.error
    assert options(app, "satisfied").value == "positive"
    assert options(app, "unsatisfied").value == "negative"
    assert any("'unsure'" in i.value and "none" in i.value for i in app.info)
    assert all(b.disabled for b in app.button if b.label == "Compare all rows")
    options(app, "unsure").select("leave these rows out").run()
    assert not app.info
    assert any(c.value.startswith("2 rows can be compared") for c in app.caption)
    again = upload(open_page("A file"), "own.csv", OWN + b"So so,unsure\n")
    assert options(again, "unsure").value == "leave these rows out"
    app = finished(press(again, "Compare all rows"))
    (job,) = jobs.recent()
    assert job.status().state == "done", job.status().message
    assert job.spec["arguments"]["label_map"]["satisfied"] == "positive"
    said = " ".join(c.value.replace("\\", "") for c in app.caption)
    assert "by your map: satisfied as 'positive'" in said
    assert "1 row with a label that the label map leaves out" in said


def test_labels_without_names_are_guessed_by_order_and_none_is_a_way_on(tmp_path) -> None:
    model = build("bert", tmp_path / "three", num_labels=3)
    rows = b"text,label\nA fine film,good\nIt is so so,neutral\nA bad one,bad\n"
    app = upload(open_page("A file", model=str(model)), "three.csv", rows)
    assert [options(app, v).value for v in ("good", "neutral", "bad")] == [
        "LABEL_2", "LABEL_1", "LABEL_0",
    ]  # fmt: skip
    options(app, "Label column").select("none").run()
    assert not any(s.label.startswith("good") for s in app.selectbox)
    assert not any(b.disabled for b in app.button if b.label == "Compare all rows")


def test_a_result_has_an_address_that_opens_it_in_another_session_with_its_file() -> None:
    app = upload(open_page("A file"), "films.csv", CSV.encode())
    app = finished(press(app, "Compare all rows"))
    (job,) = jobs.recent()
    assert app.query_params["result"] == job.id
    assert app.query_params["view"] == "A file"
    other = AppTest.from_file("../../pages/compare.py", default_timeout=180)
    other.query_params["result"] = job.id
    other = other.run()
    assert not other.exception
    assert other.session_state["compare_tab"] == "A file"
    assert "Over 3 rows" in other.markdown[0].value.replace("\\", "")
    assert any("films.csv" in c.value.replace("\\", "") for c in other.caption)
    report = next(b for b in other.get("download_button") if b.proto.label == "Report")
    assert report is not None
    gone = AppTest.from_file("../../pages/compare.py", default_timeout=180)
    gone.query_params["result"] = "20200101-000000-none"
    assert not gone.run().exception


def test_one_upload_serves_both_tabs_until_it_is_replaced() -> None:
    app = upload(open_page("A file"), "films.csv", CSV.encode())
    app.session_state["compare_tab"] = "Fairness"
    app.run()
    assert not app.exception
    assert any(b.label == "Compare all pairs" for b in app.button)
    second = AppTest.from_file("../../pages/compare.py", default_timeout=180)
    second.query_params["file"] = app.query_params["file"]
    second.query_params["view"] = "Fairness"
    second.run()
    assert any(b.label == "Compare all pairs" for b in second.button)
    app = upload(app, "other.csv", b"text\nA dull film that he liked\n")
    assert any("other.csv" in m.value.replace("\\", "") for m in app.markdown)


def test_rows_and_pairs_as_csv_say_what_was_hidden() -> None:
    import csv

    app = upload(open_page("A file"), "films.csv", CSV.encode())
    finished(press(app, "Compare all rows"))
    app = upload(open_page("Fairness"), "films.csv", CSV.encode())
    app = finished(press(app, "Compare all pairs"))
    written = (job.rows.read_text().splitlines() for job in jobs.recent())
    pairs, rows = (list(csv.DictReader(lines)) for lines in written)
    assert all(row["random: hidden_words"] in row["text"] for row in rows)
    (pair,) = pairs
    assert (pair["differences: hidden of first"], pair["differences: hidden of second"]) == (
        "He", "She",
    )  # fmt: skip
    assert any("1 of 4 rows" in m.value for m in app.markdown)


def test_the_address_follows_a_text_that_was_changed() -> None:
    app = open_page()
    from dataclasses import replace

    app.session_state["maskviz_view"] = replace(
        app.session_state["maskviz_view"], text="Another text of one's own."
    )
    app.run()
    assert "text" not in app.query_params
    assert app.query_params["strategy"] == "random"
