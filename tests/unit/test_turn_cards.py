"""What comes back from the cards: the browser is not trusted."""

from __future__ import annotations

import pytest

from maskviz.ui.components.turn_cards import LONGEST, Act, read_acts

ROLES = ("user", "assistant")
WRITE = {"number": 3, "act": "write", "at": 0, "role": "user", "content": "Hi", "thought": ""}


def test_new_acts_come_in_their_order() -> None:
    sent = {"acts": [{**WRITE, "number": 5}, WRITE, {"number": 4, "act": "add", "at": 1}]}
    assert [(act.number, act.act) for act in read_acts(sent, 2, ROLES)] == [
        (3, "write"), (4, "add"), (5, "write"),
    ]  # fmt: skip
    assert [act.number for act in read_acts(sent, 4, ROLES)] == [5]
    assert read_acts(sent, 0, ROLES)[0] == Act(3, "write", 0, "user", "Hi")


@pytest.mark.parametrize(
    "sent",
    [
        None, 3, "x", [], {}, {"acts": 3}, {"acts": [None, "x", 3, []]},
        {"acts": [{**WRITE, "act": "shout"}]}, {"acts": [{**WRITE, "at": -1}]},
        {"acts": [{**WRITE, "at": "0"}]}, {"acts": [{**WRITE, "at": True}]},
        {"acts": [{**WRITE, "number": 1.5}]}, {"acts": [{**WRITE, "role": "king"}]},
        {"acts": [{**WRITE, "content": 7}]}, {"acts": [{**WRITE, "content": "x" * (LONGEST + 1)}]},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_dropped(sent: object) -> None:
    assert read_acts(sent, 0, ROLES) == []
