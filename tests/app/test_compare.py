"""The Compare page, driven without a browser."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

TEXT = "The story is dull and the ending is a waste of time."
CSV = "text;label\nA great and funny film;1\nA dull, slow story;0\n;1\nA warm picture;1\n"


def open_page(**link: str) -> AppTest:
    app = AppTest.from_file("../../pages/compare.py", default_timeout=180)
    for name, value in {"text": TEXT, "strategy": "random", "ratio": "0.3", **link}.items():
        app.query_params[name] = value
    return app.run()


def upload(app: AppTest, name: str, content: bytes) -> AppTest:
    return app.get("file_uploader")[0].upload(name, content, "text/csv").run()


def test_it_opens_with_the_finding_and_a_row_for_each_strategy() -> None:
    app = open_page()
    assert not app.exception
    assert "random masks of the same size" in app.markdown[0].value
    table = app.dataframe[0].value
    assert {"your mask", "random", "span", "key"} <= set(table["strategy"])
    assert table["p"].between(0, 1).all()


def test_a_file_gives_flip_rate_accuracy_and_rows_to_open() -> None:
    app = upload(open_page(), "films.csv", CSV.encode("latin-1"))
    assert not app.exception
    next(b for b in app.button if b.label == "Compare all rows").click().run()
    assert not app.exception
    assert any("Over 3 rows" in m.value for m in app.markdown)
    table = next(d.value for d in app.dataframe if "flip rate" in d.value)
    assert set(table["strategy"]) == {"random", "entity", "attribute"}
    assert table["accuracy plain"].between(0, 1).all()
    assert any(str(b.key).startswith("open_") for b in app.button)


def test_bad_files_are_one_sentence_and_nothing_is_lost() -> None:
    for name, content, says in [
        ("empty.csv", b"", "empty"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "PNG"),
    ]:
        app = upload(open_page(), name, content)
        assert not app.exception, name
        assert any(says in e.value for e in app.error), (name, [e.value for e in app.error])
        assert app.session_state["maskviz_view"].text == TEXT


def test_labels_that_are_not_the_models_are_named() -> None:
    app = upload(open_page(), "t.csv", b"text,label\nsome film,joy\nother film,anger\n")
    next(b for b in app.button if b.label == "Compare all rows").click().run()
    assert not app.exception
    assert any("negative, positive" in e.value.replace("\\", "") for e in app.error)
