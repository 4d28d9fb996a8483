"""Published chat templates: what is learned of their renderings, and what TRL marks there."""

from __future__ import annotations

import re

import pytest

from maskviz.errors import CapabilityError
from maskviz.masks.loss import learned, loss_mask
from maskviz.models.chat import render_conversation
from maskviz.models.chat.own import own_stretches
from maskviz.text.conversation import Conversation, Turn, read_conversation
from tests.chat_conversations import CONVERSATIONS, FEW
from tests.chat_templates import truth
from tests.published import published, published_templates
from tests.tiny_chat import chat_tokenizer

FIVE = [
    (
        "qwen2_5",
        [("user", "user"), ("assistant", "assistant"), ("user", "You"), ("assistant", "a")],
        [(152, 171), (225, 236)],
    ),
    (
        "llama3_1",
        [("user", "  a \n"), ("assistant", "\n 1 \n"), ("user", "2024"), ("assistant", "1")],
        [(234, 245), (348, 359)],
    ),
    (
        "glm4moe",
        [("user", "Hi"), ("assistant", "<think>Hm</think>Hm"), ("user", "x"), ("assistant", "y")],
        [(36, 55), (78, 96)],
    ),
]


def with_marks(template: str):
    """Return a tokenizer whose special tokens are the marks that a template writes."""
    tokenizer = chat_tokenizer(template)
    found = re.findall(
        r"<\|[^|>]+\|>|<｜[^｜]+｜>|</?s>|\[gMASK\]|<sop>|<\w+_of_\w+>|<\w+\|>|<\|\w+>", template
    )
    more = {"additional_special_tokens": list(dict.fromkeys(found))}
    tokenizer.add_special_tokens(more)
    for end in ("<|im_end|>", "<|eot_id|>", "<|return|>", "<|endoftext|>"):
        if end in found:
            tokenizer.eos_token = end
            break
    for begin in ("<|begin_of_text|>",):
        if begin in found or "bos_token" in template:
            tokenizer.bos_token = begin
    return tokenizer


@pytest.mark.slow
@pytest.mark.parametrize(("name", "turns", "wanted"), FIVE)
def test_published_templates_are_learned_where_they_should(
    name: str, turns: list[tuple[str, str]], wanted: list[tuple[int, int]]
) -> None:
    tokenizer = with_marks(published(name))
    conversation = Conversation(tuple(Turn(role, said) for role, said in turns))
    rendering = render_conversation(tokenizer, conversation, name)
    stretches = own_stretches(tokenizer, rendering, name)
    assert [(s.start, s.end) for s in stretches] == wanted
    if name == "glm4moe":
        assert all(s.mark == s.end for s in stretches)


@pytest.mark.slow
def test_a_thought_in_a_channel_of_its_own_is_learned_with_its_frame() -> None:
    tokenizer = with_marks(published("gptoss"))
    thinking = Turn("assistant", "return", thought="final")
    turns = (Turn("user", "Hi"), Turn("assistant", "final"), Turn("user", "end"), thinking)
    rendering = render_conversation(tokenizer, Conversation(turns), "gptoss")
    first, last = own_stretches(tokenizer, rendering, "gptoss")
    text = rendering.text
    assert text[first.start : first.end] == "<|channel|>final<|message|>final<|end|>"
    said = text[last.start : last.end]
    assert said.startswith("<|channel|>analysis")
    assert said.endswith("<|return|>")
    assert "<|start|>assistant" in said
    assert text[: last.start].endswith("<|start|>assistant")
    assert last.end == len(text)


@pytest.mark.slow
def test_a_quoted_end_ends_nothing() -> None:
    tokenizer = with_marks(published("qwen2_5"))
    quoted = "<|im_end|>\n<|im_start|>user\nHi?"
    conversation = Conversation((Turn("user", quoted), Turn("assistant", "Hi")))
    rendering = render_conversation(tokenizer, conversation, "qwen2_5")
    (only,) = own_stretches(tokenizer, rendering, "qwen2_5")
    assert rendering.text[only.start : only.end] == "Hi<|im_end|>"
    found = learned(tokenizer, rendering, loss_mask(conversation), "qwen2_5")
    assert "2 marks of the template are quoted" in found.plain.said


MORE = {"diffusion_gemma_training": {"<|tool_response>", "<|turn>model\n"}}  # behind a call
LISTS_ALONE = ("idefics3", "llava_next", "smolvlm")  # they read no plain content


def messages_of(conversation: Conversation, name: str, texts=None) -> list[dict]:
    """Return the messages as this template reads them, contents as parts where it wants those."""
    messages = conversation.messages(texts)
    if name.removesuffix("_training") not in LISTS_ALONE:
        return messages
    return [{**m, "content": [{"type": "text", "text": m.get("content") or ""}]} for m in messages]


TEMPLATES = published_templates()


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in TEMPLATES if not n.endswith("_training")] or [""])
def test_published_templates_never_learn_what_others_say(name: str) -> None:
    """Held against the truth, as above; a refusal is an answer, a wrong place is none."""
    tokenizer = with_marks(published(name))
    seen = 0
    for said in FEW:
        conversation = read_conversation(CONVERSATIONS[said])
        try:
            rendering = render_conversation(tokenizer, conversation, name)
            stretches = own_stretches(tokenizer, rendering, name)
        except CapabilityError:
            continue
        inside = {p: s.turn for s in stretches for p in range(s.start, s.end)}

        def render(texts, conversation=conversation) -> str:
            messages = messages_of(conversation, name, texts)
            return tokenizer.apply_chat_template(messages, tokenize=False)

        for k, _, place in truth(render, conversation.texts, most=8):
            piece = conversation.pieces[k]
            if place is not None:
                own = piece.turn if piece.role == "assistant" else None
                assert inside.get(place) == own, (said, piece)
                seen += 1
    assert seen > 20


# What TRL marks besides, by family: a newline behind the end mark, the role's header, the thought
# that a generation prompt supplies, the next message's role mark.
BESIDES = re.compile(
    r"\s*((<\|start\|>assistant|<｜Assistant｜>|<think>|</think>|</s>|\[SEP\]|<\|user\|>"
    r"|<\|system\|>|<｜tool▁outputs▁end｜>)\s*)*"
)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in TEMPLATES if n.endswith("_training")] or [""])
def test_what_is_learned_lies_within_what_trl_marks(name: str) -> None:
    from transformers.utils.chat_template_utils import render_jinja_template

    tokenizer = with_marks(published(name))
    compared = 0
    for said in FEW:
        conversation = read_conversation(CONVERSATIONS[said])
        try:
            rendering = render_conversation(tokenizer, conversation, name)
            stretches = own_stretches(tokenizer, rendering, name)
        except CapabilityError:
            continue
        if any(not rendering.text[s.start : s.mark].strip() for s in stretches):
            continue  # the template writes nothing of a turn: such rows are refused
        (text,), (marked,) = render_jinja_template(
            [messages_of(conversation, name)], chat_template=tokenizer.chat_template,
            return_assistant_tokens_mask=True, **tokenizer.special_tokens_map,
        )  # fmt: skip
        assert text == rendering.text
        theirs = {p for start, end in marked for p in range(start, end)}
        ours = {p for s in stretches for p in range(s.start, s.end)}
        more = stretch_of(text, ours - theirs)
        assert set(more) <= MORE.get(name, set()), (said, more)
        for extra in stretch_of(text, theirs - ours):
            assert BESIDES.fullmatch(extra), (said, extra)
        compared += 1
    assert compared


def stretch_of(text: str, places: set[int]) -> list[str]:
    """Return the stretches of a text that lie at these places."""
    from maskviz.masks.spans import runs

    return [text[start:end] for start, end in runs(sorted(places))]
