"""What of a rendering is learned: never a character of another's, all of the model's own."""

from __future__ import annotations

import pytest

from maskviz.errors import CapabilityError
from maskviz.masks.loss import learned, loss_mask, weighed
from maskviz.models.chat import render_conversation
from maskviz.models.chat.own import alike, end_marks, own_stretches, units
from maskviz.models.chat.plain import joined_contents
from maskviz.text.conversation import Conversation, Turn, read_conversation
from tests.chat_conversations import CONVERSATIONS, FEW
from tests.chat_templates import TEMPLATES, truth
from tests.tiny_chat import chat_tokenizer

# No end behind the last answer, a role's mark alone behind the others (as GLM's).
UNENDED = (
    "{% for m in messages %}<|start|>{{ m.role }}\n{{ m.content | trim }}{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant{% endif %}"
)
# An end that is written only when another turn follows.
FOLLOWED = (
    "{% for m in messages %}<|start|>{{ m.role }}\n{{ m.content }}"
    "{% if not loop.last %}<|end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|end|>\n<|start|>assistant\n{% endif %}"
)
# Another end behind the last answer, and one of its own behind a call.
SEVERAL = (
    "{% for m in messages %}<|start|>{{ m.role }}{% if m.tool_calls %} to=tool: "
    "{{ m.tool_calls[0].function.arguments | tojson }}[MASK]"
    "{% else %}: {{ m.content }}{% if loop.last and m.role == 'assistant' %}{{ eos_token }}"
    "{% else %}<|end|>{% endif %}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant{% endif %}"
)
# A system prompt of its own, and an end of two marks (as Cohere's).
DOUBLE = (
    "<|start|>system: Be kind.[MASK]{% for m in messages %}<|start|>{{ m.role }}: {{ m.content }}"
    "{% if m.role == 'assistant' %}<|end|>{% endif %}[MASK]{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant: {% endif %}"
)
# A system prompt of its own that ends as an answer that is followed does (as gpt-oss's).
CHANNELS = (
    "<|start|>system: Be kind.<|end|>{% for m in messages %}<|start|>{{ m.role }}: {{ m.content }}"
    "{% if loop.last and m.role == 'assistant' %}{{ eos_token }}{% else %}<|end|>{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<|start|>assistant{% endif %}"
)
ALL = {
    "channels": CHANNELS,
    "double": DOUBLE,
    **TEMPLATES,
    "unended": UNENDED,
    "followed": FOLLOWED,
    "several": SEVERAL,
}
ENDS = {
    "channels": ("[SEP]", "<|end|>"),
    "double": ("<|end|>[MASK]",),
    "inst": ("[SEP]",),
    "unended": (),
    "several": ("[SEP]", "<|end|>", "[MASK]"),
}


@pytest.fixture(scope="module")
def tokenizers():
    return {name: chat_tokenizer(template) for name, template in ALL.items()}


@pytest.mark.parametrize("name", ALL)
def test_end_marks_are_found_by_probes(tokenizers, name: str) -> None:
    assert end_marks(tokenizers[name], name) == ENDS.get(name, ("<|end|>",))


@pytest.mark.parametrize("name", ALL)
def test_no_character_of_another_message_is_learned(tokenizers, name: str) -> None:
    """Held against the truth: one character is changed, and one looks which place changes."""
    tokenizer, seen = tokenizers[name], 0
    for said in FEW:
        conversation = read_conversation(CONVERSATIONS[said])
        try:
            rendering = render_conversation(tokenizer, conversation, name)
            stretches = own_stretches(tokenizer, rendering, name)
        except CapabilityError:
            continue
        inside = {p: s.turn for s in stretches for p in range(s.start, s.end)}

        def render(texts, conversation=conversation, tokenizer=tokenizer) -> str:
            return tokenizer.apply_chat_template(conversation.messages(texts), tokenize=False)

        for k, _, place in truth(render, conversation.texts, most=20):
            piece = conversation.pieces[k]
            if place is not None:
                own = piece.turn if piece.role == "assistant" else None
                assert inside.get(place) == own, (said, piece)
                seen += 1
    assert seen > 100


@pytest.mark.parametrize(
    ("name", "said", "wanted"),
    [
        ("plain", "roles as words", ["assistant<|end|>", "a<|end|>"]),
        ("plain", "quoted marks", ["Hi<|end|>"]),
        ("thinking", "white space around", ["1<|end|>", "1<|end|>"]),
        ("thinking", "thoughts", ["return<|end|>", "end\n</think>\n\nfinal<|end|>"]),
        (
            "tools",
            "tool",
            ['{"name": "weather", "arguments": {"city": "Rome"}}<|end|>', "It is warm.<|end|>"],
        ),
        ("inst", "system", [" A parrot.[SEP]"]),
        ("moving", "roles as words", ["\nassistant<|end|>", "\na<|end|>"]),
        ("unended", "roles as words", ["\nassistant", "\na"]),
        ("followed", "roles as words", ["assistant<|end|>", "a"]),
        ("several", "roles as words", [": assistant<|end|>", ": a[SEP]"]),
        ("several", "tool", [' to=tool: {"city": "Rome"}[MASK]', ": It is warm.[SEP]"]),
    ],
)
def test_a_turn_runs_from_its_prompt_to_its_end(
    tokenizers, name: str, said: str, wanted: list[str]
) -> None:
    conversation = read_conversation(CONVERSATIONS[said])
    rendering = render_conversation(tokenizers[name], conversation, name)
    stretches = own_stretches(tokenizers[name], rendering, name)
    assert [rendering.text[s.start : s.end] for s in stretches] == wanted


def test_an_answer_moved_behind_anothers_words_is_refused(tokenizers) -> None:
    conversation = read_conversation(CONVERSATIONS["tool with text"])
    rendering = render_conversation(tokenizers["moving"], conversation, "moving")
    with pytest.raises(CapabilityError, match="turn 2 is mixed with what others say"):
        own_stretches(tokenizers["moving"], rendering, "moving")


def test_tokens_have_the_weights_of_their_characters(tokenizers) -> None:
    tokenizer = tokenizers["plain"]
    conversation = read_conversation(CONVERSATIONS["system"])
    rendering = render_conversation(tokenizer, conversation, "plain")
    mask = loss_mask(conversation, "role:assistant - pattern:/parrot/", prompt_weight=0.25)
    found = learned(tokenizer, rendering, mask, "plain")
    by_weight: dict[float, str] = {}
    for weight, (start, end) in zip(found.weights, found.places, strict=True):
        by_weight[weight] = by_weight.get(weight, "") + rendering.text[start:end]
    assert by_weight[1.0] == "A .<|end|>"
    assert by_weight[0.25].replace(" ", "") == "Youareaparrot.Whoareyou?parrot"
    assert "<|start|>" in by_weight[0.0]
    assert "system" in by_weight[0.0]
    assert found.count == sum(weight > 0 for weight in found.weights)


def test_a_token_over_the_border_is_left_out_and_counted() -> None:
    """As Qwen3.5's `\\n\\n`: its first half belongs to the prompt, its second to the answer."""
    template = (
        "{% for m in messages %}{{ m.role }}: {{ m.content }}{% if m.role == 'assistant' %}"
        "<|end|>{% endif %}{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
    )
    tokenizer = chat_tokenizer(template)
    conversation = Conversation((Turn("user", "Who sees?"), Turn("assistant", "Anna of Paris")))
    rendering = render_conversation(tokenizer, conversation, "x")
    found = learned(tokenizer, rendering, loss_mask(conversation), "x")
    border = rendering.text.index("Anna")
    over = [p for p in found.places if p[0] < border < p[1]]
    assert found.straddling == len(over)
    for weight, (start, end) in zip(found.weights, found.places, strict=True):
        assert (weight > 0) == (start >= border and end > start)


def test_ends_that_are_missing_and_turns_that_say_nothing_are_named(tokenizers) -> None:
    def of(name: str, said: str):
        conversation = read_conversation(CONVERSATIONS[said])
        rendering = render_conversation(tokenizers[name], conversation, name)
        return learned(tokenizers[name], rendering, loss_mask(conversation), name)

    assert of("unended", "system").unended == (2,)
    assert of("plain", "system").unended == ()
    assert of("plain", "tool").unsaid == (1,)  # the template writes no calls
    assert of("tools", "tool").unsaid == ()


def test_white_space_before_a_chosen_word_does_not_hide_it(tokenizers) -> None:
    conversation = Conversation((Turn("user", "Where?"), Turn("assistant", "He lives in Paris")))
    rendering = render_conversation(tokenizers["plain"], conversation, "plain")
    mask = loss_mask(conversation, "pattern", pattern="Paris")
    found = learned(tokenizers["plain"], rendering, mask, "plain")
    said = "".join(
        rendering.text[start:end]
        for weight, (start, end) in zip(found.weights, found.places, strict=True)
        if weight
    )
    assert said.strip() == "Paris"
    assert found.straddling == 0


@pytest.mark.parametrize(
    "turns",
    [
        (Turn("assistant", "She loved every minute."),),
        (Turn("user", "1 + 1 ="), Turn("assistant", " 2")),
        (Turn("user", "Naïve café 🙂"), Turn("assistant", " yes")),
    ],
)
def test_without_a_template_contents_are_joined_and_ended(turns: tuple[Turn, ...]) -> None:
    tokenizer = chat_tokenizer()
    conversation = Conversation(turns)
    rendering, stretches = joined_contents(tokenizer, conversation)
    found = weighed(tokenizer, rendering, stretches, loss_mask(conversation), "x")
    plain = "".join(conversation.texts)
    assert found.plain.input_ids == tuple(tokenizer(plain)["input_ids"])  # as it reads plain text
    last = len(conversation.texts[-1])
    ids = tokenizer(plain, return_offsets_mapping=True)["offset_mapping"][1:-1]
    own = [start >= len(plain) - last for start, _ in ids]
    assert [weight > 0 for weight in found.weights] == [False, *own, True]


def test_units_never_cut_a_mark() -> None:
    marks = ("</s>", "<s>")
    assert units("a</s>b", marks) == ["a", "</s>", "b"]
    assert alike(units("x<s>", marks), units("x<|", marks)) == ["x"]


# The five conversations of published templates; needs TRL, whose package holds these.
