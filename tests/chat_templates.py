"""Five chat templates that do to contents what published ones do, and the truth about a place.

Truth is found by no algorithm of the product: one character of a conversation is changed, and one
looks which place of the rendering changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

PLAIN = (
    "{% for m in messages %}<|start|>{{ m.role }}\n{{ m.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
# Keeps thoughts behind the last question alone, wherever they are written; trims.
THINKING = """{%- set ns = namespace(last=0) -%}
{%- for m in messages -%}{%- if m.role == 'user' -%}{%- set ns.last = loop.index0 -%}{%- endif -%}
{%- endfor -%}
{%- for m in messages -%}
{%- set text = m.content or '' -%}
{%- set own = m.reasoning_content or '' -%}
{%- if m.role == 'assistant' and '</think>' in text -%}
{%- set own = text.split('</think>')[0].split('<think>')[-1] -%}
{%- set text = text.split('</think>')[-1] -%}
{%- endif -%}
<|start|>{{ m.role }}
{% if own and loop.index0 > ns.last %}<think>
{{ own.strip() }}
</think>

{% endif %}{{ text.strip() }}<|end|>
{% endfor -%}
{%- if add_generation_prompt %}<|start|>assistant
<think>
{% endif -%}"""
# Writes arguments and results of tools as JSON.
TOOLS = """{{ bos_token }}{% for m in messages %}{% if m.role == 'tool' %}<|start|>result
{{ m.content | tojson }}<|end|>
{% else %}<|start|>{{ m.role }}
{{ m.content }}{% for c in m.tool_calls or [] %}
{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}
{%- endfor %}<|end|>
{% endif %}{% endfor %}{% if add_generation_prompt %}<|start|>assistant
{% endif %}"""
# Puts the system prompt before the last question, and leaves it out where the assistant is last.
INST = """{%- set ns = namespace(system='') -%}
{{- bos_token -}}
{%- for m in messages -%}{%- if m.role == 'system' -%}{%- set ns.system = m.content -%}{%- endif -%}
{%- endfor -%}
{%- for m in messages -%}
{%- if m.role == 'user' -%}
{{- '[INST] ' -}}
{%- if loop.last and ns.system -%}{{- ns.system + '\\n\\n' -}}{%- endif -%}
{{- m.content + ' [/INST]' -}}
{%- elif m.role == 'assistant' -%}{{- ' ' + (m.content or '') | trim + eos_token -}}
{%- elif m.role == 'tool' -%}{{- '[RESULT] ' + m.content -}}
{%- endif -%}
{%- endfor -%}"""
# Writes the text beside a call behind its result, knows the day, begins a turn unasked.
MOVING = """Today is {{ strftime_now('%d %b %Y') }}.
{% for m in messages %}{% if m.tool_calls %}<|start|>call
{% for c in m.tool_calls %}{{ c.function.name }}(
{%- for k, v in c.function.arguments.items() %}{{ k }}={{ v }};{% endfor %}){% endfor %}<|end|>
{% elif m.role == 'tool' %}<|start|>result
{{ m.content }}<|end|>
{% if loop.index0 and messages[loop.index0 - 1].content %}<|start|>assistant
{{ messages[loop.index0 - 1].content }}<|end|>
{% endif %}{% else %}<|start|>{{ m.role }}
{{ m.content | trim }}<|end|>
{% endif %}{% endfor %}<|start|>assistant
"""
TEMPLATES = {
    "plain": PLAIN,
    "thinking": THINKING,
    "tools": TOOLS,
    "inst": INST,
    "moving": MOVING,
}
# Reads lists of parts alone, as those of models that see pictures may: a string is lost or refused.
PARTS = (
    "{% for m in messages %}<|start|>{{ m.role }}\n{% for part in m.content %}"
    "{% if part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
PARTS_ONLY = (
    "{% for m in messages %}{% if m.content is string %}{{ raise_exception('Parts only.') }}"
    "{% endif %}{% endfor %}" + PARTS
)
_OTHERS = {"letter": "qzQZ", "digit": "7309", "mark": ";*~"}


def truth(
    render: Callable[[Sequence[str]], str], texts: Sequence[str], most: int = 60
) -> Iterator[tuple[int, int, int | None]]:
    """Yield (text, character, its place) for up to `most` characters of each text.

    The place is None where nothing changes. What changes more than one place is passed over.
    """
    real = render(texts)
    for k, text in enumerate(texts):
        inked = [i for i, c in enumerate(text) if not c.isspace()]
        for i in inked[:: max(1, len(inked) // most)]:
            if (places := changed(render, real, texts, k, i)) is not None:
                yield k, i, places[0] if places else None


def changed(
    render: Callable[[Sequence[str]], str], real: str, texts: Sequence[str], k: int, i: int
) -> list[int] | None:
    """Return the places that change with a character; None where it cannot be told."""
    text = texts[k]
    kind = "letter" if text[i].isalpha() else "digit" if text[i].isdigit() else "mark"
    for other in _OTHERS[kind]:
        if other == text[i]:
            continue
        written = render([*texts[:k], text[:i] + other + text[i + 1 :], *texts[k + 1 :]])
        if len(written) == len(real):
            places = [p for p, (a, b) in enumerate(zip(real, written, strict=True)) if a != b]
            if len(places) < 2:
                return places
    return None
