"""Many texts annotated in one pass are annotated as one by one."""

from __future__ import annotations

import pytest

from maskviz.text import Document, pipelines, together
from maskviz.text.docs import _behind_names, read, read_names
from maskviz.text.pipelines import load_pipeline
from maskviz.text.spacing import spaced
from maskviz.text.together import annotate_together, annotated

pytest.importorskip("spacy")
TEXTS = [f"Tom Hanks flew to Paris in {year}. He liked it." for year in range(1990, 2002)]


@pytest.fixture(autouse=True)
def small_memory(monkeypatch):
    """Let the memory of annotations be small, and empty."""
    monkeypatch.setattr(pipelines, "_KEPT", 8)
    monkeypatch.setattr(together, "_AT_ONCE", 5)
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


def test_the_products_of_a_pipeline_are_numpys_and_say_the_same():
    from thinc.api import NumpyOps

    pipeline = pipelines.load_pipeline()
    said = [pipelines.annotate(text) for text in TEXTS]
    nodes = [
        x for _, part in pipeline.components if hasattr(part, "model") for x in part.model.walk()
    ]
    quick = [node.ops for node in nodes]
    assert nodes
    assert not any(ops.use_blis for ops in quick)
    pipelines._kept.clear()
    try:
        for node in nodes:
            node.ops = NumpyOps()
        assert [pipelines.annotate(text) for text in TEXTS] == said
    finally:
        for node, ops in zip(nodes, quick, strict=True):
            node.ops = ops


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


def test_a_long_text_is_read_in_pieces_as_its_sentences_are(monkeypatch):
    text = "  ".join(TEXTS) + "\n" + " ".join(TEXTS)
    whole = Document(text)
    read = (whole.sentences, whole.entities, whole.parts_of_speech)
    pipelines._kept.clear()
    monkeypatch.setattr(pipelines, "_PIECE", 100)
    seen = []
    documents = [
        Document(text, progress=lambda done, total: seen.append((done, total))),
        Document("Ann left."),
    ]
    annotate_together(documents)
    assert [document.annotated for document in documents] == [False, True]
    long = documents[0]
    assert (long.sentences, long.entities, long.parts_of_speech) == read
    assert len(seen) > 2
    assert seen[-1] == (len(text), len(text))


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("One is here. Two is\nThree is", "One is here. Two is\n"),
        ("One is here. Two is Three is", "One is here. "),
        ("One is here and Two is three", "One is here and Two "),
        ("x" * 40, "x" * 20),
    ],
)
def test_a_piece_ends_with_a_line_else_a_sentence_else_a_word(text, piece, monkeypatch):
    monkeypatch.setattr(pipelines, "_PIECE", 20)
    assert text[: pipelines._end_of_piece(text, 0)] == piece


def test_no_sentence_begins_inside_a_name():
    import spacy
    from spacy.tokens import Doc

    words = ["Tom", "Hanks", "flew", ".", "He", "liked", "it", "."]
    starts = [True, True, False, False, True, False, False, False]
    doc = Doc(spacy.blank("en").vocab, words=words, sent_starts=starts)
    doc.ents = [doc.char_span(0, 9, "PERSON")]
    found = pipelines.annotation(doc)
    assert [doc.text[s.start : s.end] for s in found.sentences] == [
        "Tom Hanks flew .",
        "He liked it .",
    ]


def test_a_run_of_emoji_is_one_token():
    family = "👩\u200d👩\u200d👧\u200d👦"
    text = f"We liked it {family} 👍👍 ❤️ much."
    tokens = [text[t.start : t.end] for t in Document(text).parts_of_speech]
    assert tokens[3:6] == [family, "👍👍", "❤️"]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("Anna Lee met Bob in Paris.\n\nThe film is dull.", False),
        ("Theresa May, 62, said so; Zuzka (36) was in Oslo.", True),
        ("", False),
        ("The bill @ noon.  He  lives\tin New York.", False),
    ],
)
def test_names_are_the_same_where_nothing_else_is_read(text: str, whole: bool) -> None:
    pipeline = load_pipeline()
    alone, read_whole = (way(pipeline, spaced(text)) for way in (read_names, read))
    assert [(e.text, e.label_) for e in alone.ents] == [(e.text, e.label_) for e in read_whole.ents]
    assert [t.lemma_ for t in alone] == [t.lemma_ for t in read_whole]
    assert any(t.pos_ for t in alone) == whole  # an age makes a capitalised noun a person


@pytest.mark.parametrize(
    ("pipes", "run"),
    [
        (["entity_ruler", "tagger", "senter"], ["entity_ruler"]),
        (["tagger", "entity_ruler", "tok2vec"], ["tagger", "entity_ruler"]),
        (
            ["entity_ruler", "sentencizer", "lemmatizer"],
            ["entity_ruler", "sentencizer", "lemmatizer"],
        ),
        (["entity_ruler", "span_ruler"], ["entity_ruler", "span_ruler"]),
        (["sentencizer"], []),
    ],
)
def test_what_could_tell_a_name_or_a_lemma_is_run(pipes: list[str], run: list[str]) -> None:
    import spacy

    pipeline = spacy.blank("en")
    for pipe in pipes:
        pipeline.add_pipe(pipe)
    left_out = _behind_names(pipeline, spaced("Bob left."))
    assert [name for name in pipeline.pipe_names if name not in left_out] == run
