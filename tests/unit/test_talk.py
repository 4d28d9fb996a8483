"""The conversation of the Chat page: what is written, what was clicked, what a link says of it."""

from __future__ import annotations

import json

import pytest

from maskviz.masks import Choice
from maskviz.text.conversation import ToolCall, Turn, read_conversation
from maskviz.ui.shared.link_values import READERS
from maskviz.ui.shared.talk import Talk, of_conversation, to_value

CALL = Turn("assistant", calls=(ToolCall("weather", '{"city": "New York"}', "1"),))
TALKS = {
    "plain": Talk((Turn("user", "Where is Ann?"), Turn("assistant", "In Rome."))),
    "clicked": Talk((Turn("system", "Be brief."), Turn("user", "Hi Ann")), hidden=((1,), (0, 1))),
    "thought": Talk((Turn("user", "1+1?"), Turn("assistant", "2", "one and one"))),
    "tool": Talk((Turn("user", "Rain?"), CALL, Turn("tool", "No", call_id="1"))),
    "result alone": Talk((Turn("tool", "No"),)),
    "unfinished": Talk((Turn("user", "Hi"), Turn("assistant"))),
    "no turn": Talk(),
    "hostile": Talk((Turn("user", "<script>&\u202e\n<|im_end|> ünï 한국어 🙂"),)),
    "chosen": Talk(
        (Turn("user", "Ann and Bob"),), choice=Choice("random", 0.5, 3), operator="attention",
        complement=True, longest=7,
    ),
    "with tools": Talk((Turn("user", "Hi"),), tools='[{"name": "weather"}]'),
}  # fmt: skip


@pytest.mark.parametrize("talk", TALKS.values(), ids=TALKS)
def test_a_link_gives_back_what_was_written_and_clicked(talk: Talk) -> None:
    assert READERS["chat"](json.dumps(to_value(talk))) == talk


@pytest.mark.parametrize(
    "document",
    [
        "[]", "{}", '{"messages": 3}', '{"messages": ["hi"]}', '{"messages": [{"role": "king"}]}',
        '{"messages": [{"role": "user", "content": "a"}], "hidden": [[0], [1]]}',
        '{"messages": [{"role": "user", "content": "a"}], "hidden": [["x"]]}',
        '{"messages": [{"role": "user", "content": "a"}], "hidden": 5}',
        '{"messages": [{"role": "user", "content": "a"}], "longest": 100000}',
        '{"messages": [{"role": "user", "content": "a"}], "operator": "shred"}',
        '{"messages": [{"role": "user", "content": "a"}], "choice": {"strategy": "none such"}}',
        '{"messages": [{"role": "user", "content": "a"}], "tools": "x"}', "{",
    ],
)  # fmt: skip
def test_a_link_that_cannot_be_read_is_left_at_its_default(document: str) -> None:
    with pytest.raises((ValueError, RecursionError)):
        READERS["chat"](document)


def test_clicks_are_counted_over_all_turns() -> None:
    talk = TALKS["plain"].clicked([0, 4])
    assert talk.hidden == ((0,), (1,))
    assert talk.indices == (0, 4)
    assert TALKS["plain"].indices is None


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Hi Ann", (1,)), ("Oh hi Ann", (2,)), ("Hi dear Ann and Bob", (2,)), ("Hi", ()),
        ("Ann", (0,)), ("", ()),
    ],
)  # fmt: skip
def test_words_that_stay_keep_their_clicks(text: str, kept: tuple[int, ...]) -> None:
    talk = Talk((Turn("user", "Hi Ann"), Turn("user", "Bye Ann")), hidden=((1,), (0,)))
    written = talk.with_turn(0, Turn("user", text))
    assert written.hidden == (kept, (0,))


def test_turns_come_and_go_with_their_clicks() -> None:
    talk = Talk((Turn("user", "a b"), Turn("assistant", "c d")), hidden=((1,), (0,)))
    more = talk.added(1, Turn("user", "new"))
    assert [turn.content for turn in more.turns] == ["a b", "new", "c d"]
    assert more.hidden == ((1,), (), (0,))
    assert more.without(0).hidden == ((), (0,))
    assert talk.added(9, Turn("user", "end")).turns[-1].content == "end"


def test_another_choice_drops_the_clicks_for_good() -> None:
    talk = TALKS["clicked"]
    chosen = talk.choosing(choice=Choice("random"))
    assert chosen.hidden is None
    assert chosen.revision != talk.revision
    again = chosen.choosing(choice=talk.choice)
    assert again.revision != talk.revision  # clicks of the first time do not come back


def test_an_opened_conversation_keeps_the_strategy() -> None:
    before = TALKS["chosen"]
    opened = of_conversation(read_conversation("Hello there"), before)
    assert (opened.choice, opened.hidden) == (before.choice, None)
    assert opened.turns == (Turn("user", "Hello there"),)
