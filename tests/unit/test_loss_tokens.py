"""What of a rendering is learned: never a character of another's, all of the model's own."""

from __future__ import annotations

import re

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


def published(name: str):
    """Return the text of a template of TRL's; the test is skipped where it is not installed."""
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec("trl")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("Published templates come with TRL: pip install trl==1.16.0.")
    folder = Path(next(iter(spec.submodule_search_locations))) / "chat_templates"
    return (folder / f"{name}.jinja").read_text(encoding="utf-8")


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


def all_published() -> dict[str, str]:
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec("trl")
    if spec is None or not spec.submodule_search_locations:
        return {}
    folder = Path(next(iter(spec.submodule_search_locations))) / "chat_templates"
    return {file.stem: file.read_text(encoding="utf-8") for file in folder.glob("*.jinja")}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [n for n in all_published() if not n.endswith("_training")] or [""]
)
def test_published_templates_never_learn_what_others_say(name: str) -> None:
    """Held against the truth, as above; a refusal is an answer, a wrong place is none."""
    if not name:
        pytest.skip("Published templates come with TRL: pip install trl==1.16.0.")
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
            return tokenizer.apply_chat_template(conversation.messages(texts), tokenize=False)

        for k, _, place in truth(render, conversation.texts, most=8):
            piece = conversation.pieces[k]
            if place is not None:
                own = piece.turn if piece.role == "assistant" else None
                assert inside.get(place) == own, (said, piece)
                seen += 1
    assert seen > 20 or name in LISTS_ALONE


# What TRL marks besides, by family: a newline behind the end mark, the role's header, the thought
# that a generation prompt supplies, the next message's role mark.
BESIDES = re.compile(
    r"\s*((<\|start\|>assistant|<｜Assistant｜>|<think>|</think>|</s>|\[SEP\]|<\|user\|>"
    r"|<\|system\|>|<｜tool▁outputs▁end｜>)\s*)*"
)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in all_published() if n.endswith("_training")] or [""])
def test_what_is_learned_lies_within_what_trl_marks(name: str) -> None:
    if not name:
        pytest.skip("Published templates come with TRL: pip install trl==1.16.0.")
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
            [conversation.messages()], chat_template=tokenizer.chat_template,
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
    assert compared or name.removesuffix("_training") in LISTS_ALONE


def stretch_of(text: str, places: set[int]) -> list[str]:
    """Return the stretches of a text that lie at these places."""
    from maskviz.masks.spans import runs

    return [text[start:end] for start, end in runs(sorted(places))]
