"""What a decoder leans on: the search by options, by a given answer, and in conversations."""

from __future__ import annotations

import json

import pytest

from maskviz.evidence.shortcuts import work as search_work
from maskviz.evidence.shortcuts.candidates import part
from maskviz.evidence.shortcuts.search import shortcuts
from tests.tiny_chat import chat_model
from tests.unit.test_shortcuts import table


@pytest.fixture(autouse=True)
def few(monkeypatch) -> None:
    kinds = [part("pos", "NOUN"), part("attribute", "names")]
    monkeypatch.setattr(search_work, "of_kinds", lambda **_: kinds)


@pytest.fixture(scope="module")
def talking(tmp_path_factory) -> str:
    return chat_model(tmp_path_factory.mktemp("chat"))


@pytest.mark.parametrize(
    ("more", "value"),
    [
        ({"question": {"name": "choices", "choices": (" a", " b")}}, "log-odds"),
        ({"question": {"name": "answer", "answer": " good"}}, "ln p"),
        (
            {"question": {"name": "choices", "choices": ("a", "b")}, "conversations": True},
            "log-odds",
        ),
    ],
)
def test_a_decoder_is_searched_by_its_question(talking, more: dict, value: str) -> None:
    said = [line.split(",")[0] for line in table(90).decode().splitlines()[1:]]
    turns = [{"messages": [{"role": "user", "content": text}]} for text in said]
    rows = turns if more.get("conversations") else [{"messages": text} for text in said]
    source = "\n".join(map(json.dumps, rows)).encode()
    found = shortcuts(
        source, text_column="messages", name="a.jsonl", model=talking, operator="delete",
        irrelevant=["zebra"], **more,
    )  # fmt: skip
    (zebra,) = [one for one in found.leanings if one.name == "word:zebra"]
    assert (found.rows, found.value) == (90, value)
    assert zebra.all.strength > 0
    assert zebra.p_value is not None
    assert ("flips" in found.finding) == (bool(found.found) and value == "log-odds")
