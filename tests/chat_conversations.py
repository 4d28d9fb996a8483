"""Forty conversations that are hard to place: words of templates, marks, thoughts, tools, scripts.

Each is a list of messages; the first twelve are tried in the suite, all of them in the benchmark.
"""

from __future__ import annotations

from typing import Any

Messages = list[dict[str, Any]]


def said(*contents: str, system: str = "") -> Messages:
    """Return turns of user and assistant by turns, behind a system prompt if there is one."""
    roles = ("user", "assistant")
    turns = [{"role": roles[i % 2], "content": text} for i, text in enumerate(contents)]
    return [*([{"role": "system", "content": system}] if system else []), *turns]


def called(
    result: str, arguments: dict[str, Any], text: str = "", answer: str = "It is warm."
) -> Messages:
    """Return a question, the call of a tool, its result and the answer."""
    call = {
        "type": "function",
        "id": "call00001",
        "function": {"name": "weather", "arguments": arguments},
    }
    return [
        {"role": "user", "content": "How warm is it in Rome?"},
        {"role": "assistant", "content": text, "tool_calls": [call]},
        {"role": "tool", "content": result, "tool_call_id": "call00001", "name": "weather"},
        *([{"role": "assistant", "content": answer}] if answer else []),
    ]


def thought(*pairs: tuple[str, str], question: str = "Why?") -> Messages:
    """Return answers with a thought each, behind the same question."""
    found: Messages = []
    for own, answer in pairs:
        found.append({"role": "user", "content": question})
        found.append({"role": "assistant", "content": answer, "reasoning_content": own})
    return found


LONG = "The river bends twice before the mill, and nobody remembers who built the bridge. "

CONVERSATIONS: dict[str, Messages] = {
    "roles as words": said("user", "assistant", "You", "a"),
    "one letter": said("a", "a", "a", "a"),
    "white space around": said("  a \n", "\n 1 \n", "2024", "1"),
    "system": said("Who are you?", "A parrot.", system="You are a parrot."),
    "system twice": said("You are a parrot.", "You are a parrot.", system="You are a parrot."),
    "thought inside": said("Hi", "<think>Hm</think>Hm", "x", "y"),
    "thoughts": thought(("final", "return"), ("end", "final"), question="end"),
    "quoted marks": said("<|im_end|>\n<|im_start|>user\nHi?", "Hi"),
    "tool": called('{"warm": 21, "unit": "C"}', {"city": "Rome"}),
    "tool as the argument": called("Rome", {"city": "Rome"}, "Rome", "Rome"),
    "scripts": said(
        "Où est Anna ? 我们 喜欢 电影", "שלום 🙂👩‍👩‍👧 مرحبا", "e\u0301le\u0300ve", "नमस्ते"
    ),
    "question last": said("Hi", "Hello", "And now?", system="Be short."),
    "single": said("Hello"),
    "single letter": said("u"),
    "numbers": said("1", "2", "3", "4", "5"),
    "template words": said(
        "system", "<think>", "You are a helpful assistant.", "tool", system="assistant"
    ),
    "a brace": said("{{ 7 * 7 }} {% if x %}", "{# no #} }}", "{", "}"),
    "quotes": said('He said "no".', "She said 'yes' and \"no\"\\n.", "\\", '"'),
    "lines": said("a\n\nb\n\n\nc", "1.\n2.\n\n3.", "\tx", "y\t\n"),
    "repeated": said("Yes. Yes. Yes.", "Yes. Yes.", "Yes.", "Yes. Yes. Yes."),
    "long": said(LONG * 4, LONG * 3, LONG * 2, LONG, system=LONG),
    "end marks": said("</s> stop <eos>", "<|endoftext|>", "[INST] hi [/INST]", "<end_of_turn>"),
    "headers": said("<|start_header_id|>user<|end_header_id|>\n\nHi", "<|eot_id|>", "ok?", "ok"),
    "thought unclosed": said("Hi", "<think>I wonder", "x", "y"),
    "thought closed alone": said("Hi", "Hm</think>Well", "x", "y"),
    "two thoughts": said("Hi", "<think>a</think>b<think>c</think>d", "x", "y"),
    "thought with lines": said("Hi", "<think>\nLet me see.\n</think>\n\nFine.", "And?", "Good."),
    "thought quoted by the user": said("What is <think>this</think>?", "A mark.", "Ah", "Yes"),
    "empty thought": thought(("", "x"), ("a", "y")),
    "thought as the answer": thought(("Hello", "Hello"), ("Hello", "Hello"), question="Hello"),
    "tool with text": called("21 degrees", {"city": "Rome"}, "Let me look."),
    "tool of lists": called("21", {"cities": ["Rome", "Oslo"], "days": 2, "deep": {"a": "b"}}),
    "tool quoting": called('say "hi"\nand \\ go', {"city": 'the "old" town'}),
    "tool last": called("21 degrees", {"city": "Rome"}, answer=""),
    "tool that is a role": called("tool", {"city": "user"}, "assistant", "tool"),
    "tool in another script": called("二十一度", {"city": "羅馬"}, "", "二十一度です"),
    "thought and tool": [
        {"role": "user", "content": "Rome?"},
        {
            "role": "assistant",
            "content": "",
            "reasoning_content": "I need the weather.",
            "tool_calls": [
                {"type": "function", "function": {"name": "weather", "arguments": {"city": "Rome"}}}
            ],
        },
        {"role": "tool", "content": "21"},
        {"role": "assistant", "content": "Warm.", "reasoning_content": "21 is warm."},
    ],
    "late system": [
        *said("Hi", "Hello"),
        {"role": "system", "content": "Be brief."},
        *said("And now?", "Bye"),
    ],
    "two users": [
        {"role": "user", "content": "Hi"},
        {"role": "user", "content": "Hi again"},
        {"role": "assistant", "content": "Hi"},
    ],
    "private characters": said("\ue000a\U000f0000", "b\U00100000", "\uf8ff", "c"),
}
FEW = tuple(CONVERSATIONS)[:12]
