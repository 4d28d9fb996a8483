"""Spans that people marked, as annotation tools export them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maskviz.errors import DataError
from maskviz.evidence.words.plausibility import plausibility
from maskviz.evidence.words.rationales import read_rationales

TEXT = "A dull story, but the acting is wonderful."
DULL, FINE = [2, 6], [32, 41]
ONE, OTHER = ({"label": "why", "start": s, "end": e} for s, e in (DULL, FINE))
MARKED = {
    "argilla": {
        "id": "1", "fields": {"text": TEXT}, "metadata": {},
        "suggestions": {"why": {"value": [{"label": "why", "start": 14, "end": 17}]}},
        "responses": {
            "why": [
                {"value": [ONE, OTHER], "user_id": "a", "status": "submitted"},
                {"value": [{"label": "why", "start": 7, "end": 12}], "status": "discarded"},
            ],
            "sentiment": [{"value": "positive", "user_id": "a", "status": "submitted"}],
        },
    },
    "argilla of two people": {
        "fields": {"review": TEXT},
        "responses": {"why": [{"value": [ONE], "user_id": "a"}, {"value": [OTHER]}]},
    },
    "argilla, flat": {
        "text": TEXT, "why.responses": [[ONE], [OTHER], [{"label": "x", "start": 7, "end": 12}]],
        "why.responses.users": ["a", "b", "c"],
        "why.responses.status": ["submitted", "submitted", "draft"],
        "why.suggestion": [{"label": "why", "start": 14, "end": 17}],
    },
    "argilla, first version": {
        "text": TEXT, "tokens": TEXT.split(), "annotation": [["why", *DULL], ["why", *FINE, 1.0]],
        "prediction": [["why", 14, 17]],
    },
    "label studio": {
        "id": 1, "data": {"my_text": TEXT}, "predictions": [{"result": []}],
        "annotations": [
            {
                "was_cancelled": False,
                "result": [
                    {"type": "labels", "from_name": "why", "to_name": "text",
                     "value": {"start": s, "end": e, "text": "…", "labels": ["why"]}}
                    for s, e in (DULL, FINE)
                ] + [{"type": "choices", "value": {"choices": ["positive"]}}],
            },
            {"was_cancelled": True, "result": [{"value": {"start": 7, "end": 12}}]},
        ],
    },
    "label studio, min": {
        "id": 1, "text": TEXT, "annotator": 1, "sentiment": "positive",
        "label": [{"start": s, "end": e, "text": "…", "labels": ["why"]} for s, e in (DULL, FINE)],
    },
    "own": {"text": TEXT, "spans": [DULL, FINE]},
}  # fmt: skip


@pytest.mark.parametrize("shape", ["json", "jsonl", "json lines in .json"])
@pytest.mark.parametrize("kind", MARKED)
def test_an_export_is_read_as_it_is(kind: str, shape: str, tmp_path: Path) -> None:
    path = tmp_path / ("marked.jsonl" if shape == "jsonl" else "marked.json")
    rows = [MARKED[kind], MARKED[kind]]
    lines = "\n".join(json.dumps(row) for row in rows)
    path.write_text(json.dumps(rows, indent=1) if shape == "json" else lines)
    for source in (path, path.read_bytes()):
        found = list(read_rationales(source, path.name if isinstance(source, bytes) else None))
        assert [r.text for r in found] == [TEXT, TEXT]
        assert [r.words for r in found] == [frozenset({1, 7})] * 2


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('[{"data": {"a": 1}, "annotations": []}]', "Row 1 has no text"),
        ('[{"text": "a b", "label": 1}]', "no marked spans"),
        ('[{"text": "a b", "spans": [[3, 1]]}]', "span"),
        ("[1, 2]", "no list of rows"),
        ('[{"text": ', "no JSON"),
    ],
)
def test_what_is_none_is_one_sentence(content: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        list(read_rationales(content.encode(), "a.json"))


def test_a_missing_export_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file"):
        list(read_rationales(tmp_path / "none.json"))


def test_nobody_marked_anything_says_so() -> None:
    row = {"fields": {"text": TEXT}, "responses": {"why": [{"value": [ONE], "status": "draft"}]}}
    with pytest.raises(DataError, match="marked words"):
        plausibility(json.dumps([row]).encode(), name="a.json")
