"""Loss masks: their algebra, how they are chosen, their JSON."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from maskviz.errors import MaskError, ParameterError, UnknownNameError
from maskviz.masks.loss import LossMask, LossSpan, loss_mask
from maskviz.text.conversation import Conversation, ToolCall, Turn

TALK = Conversation(
    (
        Turn("system", "Be brief."),
        Turn("user", "Where does Anna live?"),
        Turn("assistant", "In Rome.", thought="She moved to Rome."),
        Turn("user", "And Bob?"),
        Turn("assistant", "", calls=(ToolCall("find", '{"name": "Bob"}'),)),
        Turn("tool", "Oslo"),
        Turn("assistant", "In Oslo 🙂, naïvely."),
    )
)


def drawn(seed: int) -> LossMask:
    """Return a loss mask with random spans and weights."""
    rng, spans, at = random.Random(seed), [], 0
    while at < len(TALK.text) - 5:
        start = at + rng.randrange(4)
        at = start + 1 + rng.randrange(8)
        weight = rng.choice([0.1, 0.25, 0.5, 1.0])
        spans.append(LossSpan(start, min(at, len(TALK.text)), weight, f"w{weight}"))
    ends = tuple(rng.choice([0, 0.5, 1]) for _ in TALK.turns)
    return LossMask(TALK, tuple(spans), ends)


@pytest.mark.parametrize("seed", range(6))
def test_weights_combine_character_by_character(seed: int) -> None:
    a, b = drawn(seed), drawn(seed + 100)
    x, y = np.array(a.weights), np.array(b.weights)
    s, t = np.array(a.end_of_turn), np.array(b.end_of_turn)
    for found, weights, ends in (
        (a | b, np.maximum(x, y), np.maximum(s, t)),
        (a & b, np.minimum(x, y), np.minimum(s, t)),
        (a - b, np.maximum(0, x - y), np.maximum(0, s - t)),
    ):
        np.testing.assert_allclose(found.weights, weights, atol=1e-12)
        np.testing.assert_allclose(found.end_of_turn, ends, atol=1e-12)
    contents = np.array([TALK.piece_at(i) is not None for i in range(len(TALK.text))])
    np.testing.assert_allclose((~a).weights, np.where(contents, 1 - x, 0))
    assert a | a == a
    assert a & a == a
    assert not (a - a).spans


def test_a_span_never_reaches_over_a_turn() -> None:
    whole = LossMask(TALK, (LossSpan(0, len(TALK.text), 0.5),))
    pieces = [(p.start, p.end) for p in TALK.pieces]
    assert [(s.start, s.end) for s in whole.spans] == pieces


def test_json_comes_back_and_belongs_to_its_conversation() -> None:
    made = loss_mask(TALK, "role:assistant - pattern:/Rome/", prompt_weight=0.25)
    document = made.to_json()
    assert LossMask.from_json(document, TALK) == made
    learned = json.loads(document)["learned"]
    assert {"turn", "start", "end", "weight", "reason"} <= set(learned[0])
    assert json.loads(document)["end_of_turn"] == [0, 0, 1, 0, 1, 0, 1]
    with pytest.raises(MaskError, match="another conversation"):
        LossMask.from_json(document, Conversation((Turn("user", "Hi"),)))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "not JSON"),
        ("[1]", "holds a list"),
        ("{}", "no list 'learned'"),
        ('{"learned": [], "end_of_turn": ["x", 1, 1, 1, 1, 1, 1]}', "end_of_turn"),
        ('{"learned": [], "end_of_turn": [1]}', "7 turns"),
        ('{"learned": [], "end_of_turn": [2, 0, 0, 0, 0, 0, 0]}', "from 0 to 1"),
        ('{"learned": [{"start": 0}], "end_of_turn": []}', "no learned span"),
        ('{"learned": [{"start": 0, "end": 3, "weight": "a"}], "end_of_turn": []}', "no learned"),
        ('{"learned": [{"start": 0, "end": 3, "weight": 2}], "end_of_turn": []}', "weight 2"),
        ('{"learned": [{"start": 0, "end": 999}], "end_of_turn": []}', "outside"),
        (
            '{"learned": [{"start": 0, "end": 9}, {"start": 3, "end": 5}], "end_of_turn": []}',
            "over",
        ),
    ],
)
def test_broken_json_is_a_sentence(document: str, said: str) -> None:
    with pytest.raises(MaskError, match=said):
        LossMask.from_json(document, TALK)


def test_the_default_learns_what_the_assistant_says_thinks_and_calls() -> None:
    made = loss_mask(TALK)
    said = [TALK.text[s.start : s.end] for s in made.spans]
    assert said == ["She moved to Rome.", "In Rome.", "Bob", "In Oslo 🙂, naïvely."]
    assert made.end_of_turn == (0, 0, 1, 0, 1, 0, 1)
    assert loss_mask(TALK, end_of_turn=False).end_of_turn == (0,) * 7


def test_turns_roles_and_words_choose() -> None:
    last = loss_mask(TALK, "last-turn")
    assert [TALK.text[s.start : s.end] for s in last.spans] == ["In Oslo 🙂, naïvely."]
    assert last.end_of_turn == (0, 0, 0, 0, 0, 0, 1)
    users = loss_mask(TALK, "role:user,tool")
    assert {TALK.piece_at(s.start).role for s in users.spans} == {"user", "tool"}
    assert not any(users.end_of_turn)
    words = loss_mask(TALK, "role:assistant & pattern:/Oslo|Rome/")
    assert [TALK.text[s.start : s.end] for s in words.spans] == ["Rome", "Rome", "Oslo"]
    some = loss_mask(TALK, "random", ratio=0.5, seed=3)
    assert some == loss_mask(TALK, "random", ratio=0.5, seed=3)
    assert some.spans


def test_the_prompt_learns_with_a_weight_of_its_own() -> None:
    made = loss_mask(TALK, prompt_weight=0.1)
    for piece in TALK.pieces:
        wanted = 1.0 if piece.role == "assistant" else 0.1
        assert set(made.weights[piece.start : piece.end]) == {wanted}


@pytest.mark.parametrize(
    ("strategy", "error", "said"),
    [
        ("role:asistant", UnknownNameError, "role 'asistant'"),
        ("no-such", UnknownNameError, "loss strategy 'no-such'"),
        ("manual", ParameterError, "needs a person"),
        ("last-turn:3", ParameterError, "nothing behind a colon"),
        ("role:assistant -", ParameterError, "lacks a strategy"),
    ],
)
def test_what_is_no_loss_strategy_is_a_sentence(
    strategy: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        loss_mask(TALK, strategy)


def test_a_weight_outside_its_range_is_a_sentence() -> None:
    with pytest.raises(ParameterError, match=r"prompt_weight is 1\.5"):
        loss_mask(TALK, prompt_weight=1.5)
