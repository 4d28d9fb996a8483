"""Real chat templates, those that TRL ships: contents are placed to the character, or refused."""

from __future__ import annotations

import pytest

from benchmarks.templates import judged
from maskviz.models.chat import render_conversation
from maskviz.text.conversation import Conversation, Turn, read_conversation
from tests.chat_conversations import CONVERSATIONS
from tests.published import published, published_templates
from tests.tiny_chat import chat_tokenizer

pytestmark = pytest.mark.slow
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
    tok.chat_template = published(template)
    found = render_conversation(tok, said, template)
    for piece, place in zip(found.stretches, places, strict=True):
        if isinstance(place, int):
            assert piece is not None
            assert piece[0] - len(found.text) == place
        elif place is not None:
            assert piece == place


def test_no_place_is_wrong_and_few_are_refused(tok) -> None:
    wrong, refused, placed = [], 0, 0
    for template, text in published_templates().items():
        tok.chat_template = text
        for name, messages in CONVERSATIONS.items():
            verdict, told = judged(tok, template, read_conversation(messages), begin=False)
            placed += verdict.startswith("right")
            refused += verdict == "refused by maskviz"
            if verdict == "WRONG":
                wrong.append((template, name, told))
    assert wrong == []
    assert placed > 2000
    assert refused / (placed + refused) <= MOST_REFUSED
