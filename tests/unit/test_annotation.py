"""Many texts annotated in one pass are annotated as one by one."""

from __future__ import annotations

import pytest

from maskviz.text import Document, pipelines
from maskviz.text.pipelines import annotate_together, annotated

pytest.importorskip("spacy")
TEXTS = [f"Tom Hanks flew to Paris in {year}. He liked it." for year in range(1990, 2002)]


@pytest.fixture(autouse=True)
def small_memory(monkeypatch):
    """Let the memory of annotations be small, and empty."""
    monkeypatch.setattr(pipelines, "_KEPT", 8)
    monkeypatch.setattr(pipelines, "_AT_ONCE", 5)
    pipelines._kept.clear()


def test_together_is_as_one_by_one_and_says_how_far_it_is():
    done = []
    documents = [Document(text) for text in TEXTS]
    annotate_together(documents, done.append)
    assert done == list(range(1, len(TEXTS) + 1))
    pipelines._kept.clear()
    for document in documents:
        alone = Document(document.text)
        assert document.annotated
        assert not alone.annotated
        assert document.entities == alone.entities
        assert document.sentences == alone.sentences
        assert document.parts_of_speech == alone.parts_of_speech


def test_the_memory_keeps_the_last_texts_only():
    annotate_together(Document(text) for text in TEXTS)
    assert [text for text, _ in pipelines._kept] == TEXTS[-8:]


def test_rows_come_annotated_and_in_order(monkeypatch):
    rows = [(i, text) for i, text in enumerate([*TEXTS, "half \ud83d of a pair"])]
    read = []
    for i, text in annotated(rows, lambda row: row[1], ["en_mini"], at_once=4):
        read.append(i)
        assert ((text, "en_mini") in pipelines._kept) == (i < len(TEXTS))
    assert read == list(range(len(rows)))


def test_a_text_beyond_the_pipeline_says_so_when_asked(monkeypatch):
    monkeypatch.setattr(pipelines, "MAX_CHARACTERS", 20)
    documents = [Document(TEXTS[0]), Document("Ann left.")]
    annotate_together(documents)
    assert [document.annotated for document in documents] == [False, True]
    with pytest.raises(pipelines.TextError, match="split it"):
        _ = documents[0].entities
