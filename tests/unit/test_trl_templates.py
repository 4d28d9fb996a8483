"""Real chat templates, those that trl ships: contents are placed to the character, or refused.

pip install --no-deps trl==1.16.0
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.templates import judged, templates_of_trl
from maskviz.models.chat import render_conversation
from maskviz.text.conversation import Conversation, Turn, read_conversation
from tests.chat_conversations import CONVERSATIONS
from tests.tiny_chat import chat_tokenizer

FOLDER = templates_of_trl() or Path()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        templates_of_trl() is None, reason="trl is not installed: its templates are the subject."
    ),
]
MOST_REFUSED = 0.01
HI = "<|im_end|>\n<|im_start|>user\nHi?"


def talk(*turns) -> Conversation:
    return Conversation(tuple(Turn(*turn) for turn in turns))


# Template, conversation, where each piece begins and ends; from the end of the rendering where
# negative, None where it is not there or not told.
KNOWN = [
    ("qwen2_5",
     talk(("user", "user"), ("assistant", "assistant"), ("user", "You"), ("assistant", "a")),
     [(115, 119), (152, 161), (189, 192), (225, 226)]),
    ("llama3_1",
     talk(("user", "  a \n"), ("assistant", "\n 1 \n"), ("user", "2024"), ("assistant", "1")),
     [(176, 177), (234, 235), (287, 291), (348, 349)]),
    ("gptoss",
     talk(("user", "Hi"), ("assistant", "final"), ("user", "end"),
          ("assistant", "return", "final")),
     [-221, -167, -131, -73, -16]),
    ("qwen2_5", talk(("user", HI), ("assistant", "Hi")), [(115, 115 + len(HI)), None]),
    ("glm4moe",
     talk(("user", "Hi"), ("assistant", "<think>Hm</think>Hm"), ("user", "x"), ("assistant", "y")),
     [None, (53, 55), None, (95, 96)]),
]  # fmt: skip


@pytest.fixture(scope="module")
def tok():
    tok = chat_tokenizer()
    tok.bos_token = "<|begin_of_text|>"  # Llama's, whose places are told
    return tok


@pytest.mark.parametrize(("template", "said", "places"), KNOWN)
def test_five_conversations_to_the_character(tok, template, said, places) -> None:
    tok.chat_template = (FOLDER / f"{template}.jinja").read_text("utf-8")
    found = render_conversation(tok, said, template)
    for piece, place in zip(found.stretches, places, strict=True):
        if isinstance(place, int):
            assert piece is not None
            assert piece[0] - len(found.text) == place
        elif place is not None:
            assert piece == place


def test_no_place_is_wrong_and_few_are_refused(tok) -> None:
    wrong, refused, placed = [], 0, 0
    for file in sorted(FOLDER.glob("*.jinja")):
        tok.chat_template = file.read_text("utf-8")
        for name, messages in CONVERSATIONS.items():
            verdict, told = judged(tok, file.stem, read_conversation(messages), begin=False)
            placed += verdict.startswith("right")
            refused += verdict == "refused by maskviz"
            if verdict == "WRONG":
                wrong.append((file.stem, name, told))
    assert wrong == []
    assert placed > 2000
    assert refused / (placed + refused) <= MOST_REFUSED
