"""Strategies by who says what: roles, turns, thoughts, tools, examples; the others inside turns."""

from __future__ import annotations

import pytest

from maskviz.errors import ParameterError, UnknownNameError
from maskviz.masks import STRATEGIES, Mask, mask
from maskviz.text.conversation import Conversation, Turn, read_conversation
from tests.chat_conversations import CONVERSATIONS, called, said, thought

FEW_SHOTS = read_conversation(
    said("2 + 2?", "4", "3 + 5?", "8", "And 1 + 1?", system="You add. Be short.")
)
TOOLS = read_conversation(
    [*called("21 degrees", {"city": "Rome", "days": 2}, "Let me look."), *thought(("21.", "Yes"))]
)


def hidden(spoken: Conversation, strategy: str, **given) -> list[str]:
    chosen = mask(spoken, strategy, **given)
    return [chosen.text[span.start : span.end] for span in chosen.spans]


@pytest.mark.parametrize(
    ("spoken", "strategy", "given", "found"),
    [
        (FEW_SHOTS, "role", {}, ["You add. Be short."]),
        (FEW_SHOTS, "role", {"roles": ["assistant"]}, ["4", "8"]),
        (FEW_SHOTS, "role:user", {}, ["2 + 2?", "3 + 5?", "And 1 + 1?"]),
        (FEW_SHOTS, "turn", {"indices": [1, 3]}, ["You add. Be short.", "4"]),
        (FEW_SHOTS, "example", {}, ["2 + 2?", "4", "3 + 5?", "8"]),
        (FEW_SHOTS, "example", {"indices": [2]}, ["3 + 5?", "8"]),
        (FEW_SHOTS, "tool", {}, []),
        (FEW_SHOTS, "thought", {}, []),
        (TOOLS, "tool", {}, ["Rome", "21 degrees"]),
        (TOOLS, "tool", {"parts": ["results"]}, ["21 degrees"]),
        (TOOLS, "tool", {"parts": ["calls"]}, ["Rome"]),
        (TOOLS, "thought", {}, ["21."]),
        (TOOLS, "role", {"roles": ["tool", "system"]}, ["21 degrees"]),
        (TOOLS, "example", {},
         ["How warm is it in Rome?", "Let me look.", "Rome", "21 degrees", "It is warm."]),
    ],
)  # fmt: skip
def test_what_is_hidden(spoken, strategy, given, found) -> None:
    assert hidden(spoken, strategy, **given) == found


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("<think>Hm, so.</think>Yes", ["<think>Hm, so.</think>"]),
        ("<think>\nHm\n</think>\n\nYes <think>or</think> no",
         ["<think>\nHm\n</think>", "<think>or</think>"]),
        ("<think>I wonder", ["<think>I wonder"]),
        ("Hm</think>Well", ["Hm</think>"]),
        ("No thought", []),
    ],
)  # fmt: skip
def test_thoughts_inside_answers(content, found) -> None:
    spoken = Conversation((Turn("user", "Is <think>this</think> one?"), Turn("assistant", content)))
    assert hidden(spoken, "thought") == found


def test_a_drawn_turn_is_never_the_last() -> None:
    for seed in range(30):
        assert "And 1 + 1?" not in hidden(FEW_SHOTS, "turn", ratio=0.6, seed=seed)
    assert len(hidden(FEW_SHOTS, "turn", ratio=1.0)) == 5


def test_a_share_of_the_examples() -> None:
    for seed in range(10):
        one = hidden(FEW_SHOTS, "example", ratio=0.5, seed=seed)
        assert one in (["2 + 2?", "4"], ["3 + 5?", "8"])


@pytest.mark.parametrize("name", ["role", "turn", "thought", "tool", "example"])
def test_a_plain_text_is_one_turn_of_the_users(name) -> None:
    assert mask("Anna loved it.", name).spans == ()
    assert STRATEGIES[name].needs == {"conversation"}


def test_the_role_of_a_plain_text() -> None:
    assert mask("Anna loved it.", "role", roles=["user"]).masked_text("delete") == ""


@pytest.mark.parametrize(
    ("strategy", "given", "error", "told"),
    [
        ("role", {"roles": ["owner"]}, UnknownNameError, "Unknown role 'owner'"),
        ("tool", {"parts": ["names"]}, UnknownNameError, "part of a tool's use 'names'"),
        ("turn", {"indices": [9]}, ParameterError, "no turn 9: the conversation has 6"),
        ("example", {"indices": [3]}, ParameterError, "no example 3: the conversation has 2"),
    ],
)
def test_what_is_not_there_is_one_sentence(strategy, given, error, told) -> None:
    with pytest.raises(error, match=told):
        mask(FEW_SHOTS, strategy, **given)


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_no_span_of_any_strategy_crosses_a_border(name) -> None:
    spoken = read_conversation(CONVERSATIONS[name])
    for strategy in ("role:user", "turn", "thought", "tool", "example", "random", "span"):
        try:
            chosen = mask(spoken, strategy, ratio=None if ":" in strategy else 0.7, seed=3)
        except ParameterError:
            continue
        for span in chosen.spans:
            piece = spoken.piece_at(span.start)
            assert piece is not None
            assert span.end <= piece.end
        assert Mask.from_json(chosen.to_json(), spoken.text) == chosen
