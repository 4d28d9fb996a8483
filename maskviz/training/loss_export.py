"""Loss masks for other trainers: rows as JSON Lines, in the form that each of them documents.

    trl            input_ids and assistant_masks (SFTTrainer takes rows that hold input_ids as read)
    axolotl        segments of {label, text} (type: input_output)
    labels         input_ids, attention_mask and labels (axolotl without a type, transformers)
    llama-factory  messages of {role, content, loss_weight} (its v1)

What a form cannot say is left out and counted, never made into something else: no form but the last
knows weights, and that one knows whole turns alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from ..errors import CapabilityError, UnknownNameError
from ..masks.loss import Learned
from ..paths import write_atomic
from .data.spoken import Spoken
from .loss_audit import Examined

IGNORED = -100
Row = dict[str, Any]


class _Unsaid(Exception):
    """A form cannot say what is learned of a row; the reason."""


def export(examined: Examined, form: str, out: Path) -> Counter[str]:
    """Write the rows of a file in a trainer's form; return why rows are left out → how many.

    Raises UnknownNameError for a form that is none.
    """
    if form not in FORMS:
        raise UnknownNameError.of("form of export", form, FORMS)
    left = Counter(examined.left.values())
    lines = [json.dumps(row, ensure_ascii=False) for row in _rows(examined, form, left)]
    write_atomic(out, "".join(f"{line}\n" for line in lines))
    return left


def _rows(examined: Examined, form: str, left: Counter[str]) -> Iterator[Row]:
    for number, spoken in enumerate(examined.rows):
        try:
            found = examined.teacher.learned(spoken, number)
            if not found.count:
                raise _Unsaid("nothing of them is learned")
            yield FORMS[form](examined, spoken, found)
        except CapabilityError as error:
            left[str(error).rstrip(".")] += 1
        except _Unsaid as why:
            left[str(why)] += 1


def _flags(found: Learned) -> list[bool]:
    """Return which tokens are learned, where no weight but 0 and 1 is asked for."""
    if any(0 < weight < 1 for weight in found.weights):
        raise _Unsaid("the form knows no weights between 0 and 1")
    return [weight > 0 for weight in found.weights]


def _trl(_: Examined, __: Spoken, found: Learned) -> Row:
    masks = [int(flag) for flag in _flags(found)]
    return {"input_ids": list(found.plain.input_ids), "assistant_masks": masks}


def _labels(_: Examined, __: Spoken, found: Learned) -> Row:
    ids, flags = list(found.plain.input_ids), _flags(found)
    labels = [token if flag else IGNORED for token, flag in zip(ids, flags, strict=True)]
    return {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels}


def _axolotl(examined: Examined, _: Spoken, found: Learned) -> Row:
    """Cut the rendering where learning begins and ends; pieces alone must be the same tokens."""
    tokenizer, segments, start = examined.teacher.model.tokenizer, [], 0
    ids: list[int] = []
    for label, group in groupby(enumerate(_flags(found)), key=lambda pair: pair[1]):
        last = [i for i, _ in group][-1]
        end = len(found.text) if last == len(found.places) - 1 else found.places[last][1]
        segments.append({"label": label, "text": found.text[start:end]})
        ids += tokenizer(found.text[start:end], add_special_tokens=False)["input_ids"]
        start = end
    if tuple(ids) != found.plain.input_ids:
        raise _Unsaid("their segments are other tokens than the whole: take the form 'labels'")
    return {"segments": segments}


def _llama_factory(_: Examined, spoken: Spoken, found: Learned) -> Row:
    """Give each turn one weight: what it says, calls and ends with must have the same."""
    turns, weights = spoken.conversation.turns, _by_turn(found)
    messages = []
    for number, turn in enumerate(turns):
        if turn.thought:
            raise _Unsaid("the form has no place for thoughts beside the content")
        own = weights.get(number, {0.0})
        end = found.ends[number]
        if end is not None:
            own = own | {end}
        if len(own) > 1:
            raise _Unsaid("the form knows whole turns alone, and of one a part is learned")
        calls = [{"type": "tool_call", "value": _called(call)} for call in turn.calls]
        said = [{"type": "text", "value": turn.content}] if turn.content else []
        messages.append({"role": turn.role, "content": [*said, *calls], "loss_weight": own.pop()})
    tools = {"tools": spoken.conversation.tools} if spoken.conversation.tools else {}
    return {"messages": messages, **tools}


def _called(call: Any) -> str:
    return json.dumps({"name": call.name, "arguments": json.loads(call.arguments)})


def _by_turn(found: Learned) -> dict[int, set[float]]:
    """Return the weights of the tokens of each turn's contents."""
    weights: dict[int, set[float]] = {}
    for turn, weight in zip(found.plain.turns, found.weights, strict=True):
        if turn is not None:
            weights.setdefault(turn, set()).add(weight)
    return weights


FORMS: dict[str, Callable[[Examined, Spoken, Learned], Row]] = {
    "trl": _trl,
    "axolotl": _axolotl,
    "labels": _labels,
    "llama-factory": _llama_factory,
}
