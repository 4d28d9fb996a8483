"""What operators may not do to a conversation: leave a turn empty, write marks of the template."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..errors import CapabilityError
from ..models.chat import special_ids
from ..text.alignment import Tokenised

EMPTY = "…"  # stands in the place of a turn of which nothing is left


def emptied_turns(
    plain: Tokenised, runs: Sequence[tuple[int | None, Sequence[int]]]
) -> dict[int, int]:
    """Return the first hidden token of each turn that has no visible one: token → turn."""
    hidden = {i for span, run in runs if span is not None for i in run}
    left = {plain.turns[i] for i in range(len(plain.turns)) if _says(plain, i) and i not in hidden}
    firsts: dict[int, int] = {}
    for span, run in runs:
        turn = plain.turns[run[0]]
        if span is not None and turn is not None and turn not in left:
            firsts.setdefault(turn, run[0])
    return {token: turn for turn, token in firsts.items()}


def _says(plain: Tokenised, token: int) -> bool:
    """Tell whether a token stands for characters, not for white space alone."""
    place = plain.offsets[token] or plain.typed[token]
    return place is not None and place[0] < place[1]


def turns_emptied(turns: Iterable[int]) -> str:
    """Return the sentence that says which turns would be empty; empty where none.

    >>> turns_emptied([1])
    'Nothing of turn 2 is left: “…” stands in its place.'
    """
    named = [str(turn + 1) for turn in sorted(turns)]
    if not named:
        return ""
    if not named[1:]:
        return f"Nothing of turn {named[0]} is left: “{EMPTY}” stands in its place."
    return f"Nothing of turns {', '.join(named)} is left: “{EMPTY}” stands in their place."


def in_a_conversation(operator: str, model: Any, plain: Tokenised) -> None:
    """Refuse an operator whose token is one that ends texts or turns.

    Raises CapabilityError, as for SmolLM2, whose unknown token is `<|endoftext|>`.
    """
    tokenizer = model.tokenizer
    token = {"unk": tokenizer.unk_token_id, "pad": model.padding}.get(operator)
    ends = {tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.sep_token_id}
    marks = special_ids(tokenizer) & set(plain.input_ids)
    if token is not None and token in ends | marks:
        name = tokenizer.convert_ids_to_tokens(token)
        raise CapabilityError(
            f"The {operator} token of {model.name!r} is {name}, which begins or ends a text or a "
            "turn: use the operator delete, placeholder or attention."
        )
