"""Conversations as others write them: read, checked, written back; their contents are one text."""

from __future__ import annotations

import json

import pytest

from maskviz.errors import DataError
from maskviz.text.conversation import (
    Conversation,
    Turn,
    conversation_lines,
    in_cells,
    read_conversation,
)
from tests.chat_conversations import CONVERSATIONS

ASKED = (("system", "Be kind."), ("user", "Hi"), ("assistant", "Yo"))
FORMS = {
    "messages": {"messages": [{"role": r, "content": t} for r, t in ASKED]},
    "a list": [{"role": r, "content": t} for r, t in ASKED],
    "parts": [{"role": r, "content": [{"type": "text", "text": t}]} for r, t in ASKED],
    "ShareGPT": {
        "conversations": [
            {"from": "system", "value": "Be kind."},
            {"from": "human", "value": "Hi"},
            {"from": "gpt", "value": "Yo"},
        ]
    },
    "ShareGPT with system": {
        "system": "Be kind.",
        "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yo"}],
    },
    "prompt and response": {"system": "Be kind.", "prompt": "Hi", "response": "Yo"},
    "prompt of messages": {
        "prompt": [{"role": r, "content": t} for r, t in ASKED[:2]],
        "completion": [{"role": "assistant", "content": "Yo"}],
    },
    "instruction": {"system": "Be kind.", "instruction": "Hi", "input": "", "output": "Yo"},
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("way", [lambda v: v, json.dumps, lambda v: json.dumps(v).encode()])
def test_every_form_is_the_same_conversation(form, way) -> None:
    found = read_conversation(way(FORMS[form]))
    assert [(turn.role, turn.content) for turn in found.turns] == list(ASKED)
    assert read_conversation(found.to_json()) == found


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversations_come_back_from_json(name) -> None:
    found = read_conversation(CONVERSATIONS[name])
    assert read_conversation(found.to_json()) == found
    assert [found.text[p.start : p.end] for p in found.pieces] == list(found.texts)
    for piece in found.pieces:
        assert found.piece_at(piece.start) == piece
        assert found.piece_at(piece.end - 1) == piece
        assert found.pieces_in(piece.start, piece.end) == (piece,)


def test_openais_arguments_are_an_object_again() -> None:
    given = {"id": "1", "function": {"name": "w", "arguments": '{"city": "Rome"}'}}
    found = read_conversation(
        [{"role": "user", "content": "Hi"},
         {"role": "assistant", "content": None, "tool_calls": [given]},
         {"role": "tool", "content": {"warm": 21}, "tool_call_id": "1"}]
    )  # fmt: skip
    assert found.texts == ("Hi", "Rome", '{"warm": 21}')
    (call,) = found.messages()[1]["tool_calls"]
    assert call["function"]["arguments"] == {"city": "Rome"}


def test_sharegpts_calls() -> None:
    found = read_conversation(
        {"conversations": [
            {"from": "human", "value": "Warm?"},
            {"from": "function_call", "value": '{"name": "w", "arguments": {"city": "Rome"}}'},
            {"from": "observation", "value": "21"},
            {"from": "gpt", "value": "Yes"}]}
    )  # fmt: skip
    assert [turn.role for turn in found.turns] == ["user", "assistant", "tool", "assistant"]
    assert found.turns[1].calls[0].name == "w"


@pytest.mark.parametrize(
    "text",
    ["Hi there", "[MASK] is here", "{x} = 1", "[1, 2", "[1] says so", "{} is empty", "7", '"a"'],
)
def test_plain_text_is_one_turn(text) -> None:
    (turn,) = read_conversation(text).turns
    assert (turn.role, turn.content) == ("user", text)


BAD = {
    "no turns": ([], "has no turns"),
    "no messages": ({"messages": []}, "has no turns"),
    "no text": ([{"role": "user", "content": "  "}], "has no text"),
    "role": ([{"role": "owner", "content": "Hi"}], "Turn 1 has the role 'owner'"),
    "no role": ([{"content": "Hi"}], "Turn 1 is .* has no role"),
    "no content": ([{"role": "user"}], "Turn 1 has no 'content'"),
    "result without call": (
        [{"role": "user", "content": "Hi"}, {"role": "tool", "content": "21"}],
        "Turn 2 is the result of a tool that no turn before calls",
    ),
    "another call's result": (
        [*CONVERSATIONS["tool"][:2], {"role": "tool", "content": "21", "tool_call_id": "other"}],
        "Turn 3 answers the call 'other'",
    ),
    "call without name": (
        [{"role": "assistant", "content": "", "tool_calls": [{"id": "1"}]}],
        "calls a tool without a name",
    ),
    "user calls": (
        [{"role": "user", "content": "", "tool_calls": [{"function": {"name": "w"}}]}],
        "only the assistant calls tools",
    ),
    "picture": (
        [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Hi"}]}],
        "holds image: only text can be read",
    ),
    "cut": ('{"messages": [{"role": "user", "content": "H', "JSON is broken at character"),
    "cut list": ('[{"role": "user", "content": "Hi"}, {"ro', "JSON is broken at character"),
    "several": ('{"prompt": "a"}\n{"prompt": "b"}', "Behind the first JSON document stand others"),
    "another object": ({"name": "Ann"}, "holds name, not a conversation"),
    "tools": ({"messages": [{"role": "user", "content": "Hi"}], "tools": 3}, "'tools' are no list"),
    "number": ([{"role": "user", "content": True}], "must be a text|holds"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence(case) -> None:
    given, told = BAD[case]
    if case == "number":  # a value is written as JSON
        assert read_conversation(given).text == "true"
        return
    with pytest.raises(DataError, match=told) as caught:
        read_conversation(given)
    assert "\n" not in str(caught.value)


def test_two_system_turns_are_two() -> None:
    found = read_conversation([{"role": "system", "content": c} for c in "ab"] + FORMS["a list"])
    assert [turn.role for turn in found.turns].count("system") == 3


def test_lines_and_cells() -> None:
    rows = [json.dumps(FORMS["messages"]), "", '{"prompt": "a\u2028b", "response": "c"}']
    found = list(conversation_lines("\n".join(rows)))
    assert [c.text for c in found] == ["Be kind.\n\nHi\n\nYo", "a\u2028b\n\nc"]
    with pytest.raises(DataError, match="Line 2: The conversation's JSON is broken"):
        list(conversation_lines('{"prompt": "a"}\n{"prompt": "b'))
    assert next(in_cells([FORMS["ShareGPT"]])).answer == "Yo"
    with pytest.raises(DataError, match="Row 2: "):
        list(in_cells([FORMS["ShareGPT"], []]))


def test_the_prompt_is_what_stands_before_the_answer() -> None:
    found = read_conversation(FORMS["messages"])
    assert (found.answer, found.prompt.text) == ("Yo", "Be kind.\n\nHi")
    assert found.prompt.answering("Yo") == found
    assert found.prompt.prompt == found.prompt
    thinking = Conversation((Turn("user", "Why?"), Turn("assistant", "So.", "Hm")))
    assert thinking.prompt.texts == ("Why?", "Hm")
    assert thinking.prompt.answering("So.") == thinking
    alone = Conversation((Turn("assistant", "Yo"),))
    assert (alone.answer, alone.prompt) == ("", alone)


@pytest.mark.parametrize(
    ("turns", "answer", "read"),
    [
        ([("user", "Where?"), ("assistant", "")], "", ["user"]),
        ([("user", "Where?"), ("assistant", " \n")], "", ["user"]),
        ([("user", "Where?"), ("assistant", ""), ("assistant", "")], "", ["user"]),
        (
            [("user", "Where?"), ("assistant", "Rome"), ("assistant", "")],
            "",
            ["user", "assistant", "assistant"],
        ),
        (
            [("user", "Where?"), ("assistant", "Rome"), ("assistant", "Or Oslo")],
            "Or Oslo",
            ["user", "assistant", "assistant"],
        ),
        ([("user", "Where?"), ("assistant", ""), ("assistant", "Rome")], "Rome", ["user"]),
        ([("assistant", "Hi"), ("assistant", "Where?")], "Where?", ["assistant"]),
        ([("assistant", "Hi"), ("user", "Where?"), ("assistant", "")], "", ["assistant", "user"]),
        ([("assistant", ""), ("user", "Where?")], "", ["assistant", "user"]),
        ([("system", ""), ("user", "Where?"), ("assistant", "Rome")], "Rome", ["system", "user"]),
    ],
)
def test_an_empty_turn_at_the_end_is_where_the_model_answers(turns, answer, read) -> None:
    found = Conversation(tuple(Turn(role, text) for role, text in turns))
    assert (found.answer, [turn.role for turn in found.prompt.turns]) == (answer, read)
    assert found.prompt.prompt == found.prompt == read_conversation(found.prompt.to_json())


@pytest.mark.parametrize("before", [("user",), ("system", "user"), ("user", "assistant")])
def test_an_answer_to_nothing_is_refused(before) -> None:
    found = Conversation((*(Turn(role) for role in before), Turn("assistant", "Rome")))
    assert found.answer == "Rome"
    with pytest.raises(DataError, match="Nothing stands before the answer 'Rome': write"):
        found.prompt  # noqa: B018
