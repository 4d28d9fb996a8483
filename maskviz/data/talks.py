"""Generated example conversations: a few facts, one of them irrelevant, a question, its answer.

Two people, each with a town and a thing; the question is about one of them, so that one sentence
says the answer and the others do not. Where the answer stands is balanced.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import ParameterError
from . import words

if TYPE_CHECKING:
    import pandas as pd

_NAMES = (*words.NAMES[0], *words.NAMES[1])
_TOWNS = ("Boston", "Toronto", "Houston", "Chicago", "London", "Sydney", "Miami")
_THINGS = ("a bicycle", "a piano", "a red coat", "an old map", "a small boat", "a clock")
_Fact = tuple[str, str, str]  # what is said, what is asked, what is answered


def make_talks(n: int = 400, seed: int = 0) -> pd.DataFrame:
    """Return `n` conversations to train on and n // 5 for `dev`.

    Columns: messages, irrelevant (a list of the sentence that has nothing to do with the question)
    and split.

    >>> talk = make_talks(10).messages[0]
    >>> [turn["role"] for turn in talk]
    ['user', 'assistant']
    """
    import pandas as pd

    if n < 5:
        raise ParameterError(f"{n} example conversations are too few: give 5 or more.")
    rng = random.Random(seed)  # noqa: S311 - a seeded stream, no secret
    splits = ["train"] * n + ["dev"] * (n // 5)
    rows = [{**_talk(rng, i), "split": split} for i, split in enumerate(splits)]
    return pd.DataFrame.from_records(rows)


def _talk(rng: random.Random, number: int) -> dict[str, list[Any]]:
    facts = [_fact(name, rng) for name in rng.sample(_NAMES, 2)]
    _, question, answer = facts[number % 2]
    beside = [rng.choice(words.NEUTRAL)]
    told = [fact[0] for fact in facts]
    at = rng.randrange(3)
    told[at:at] = beside
    talk = [
        {"role": "user", "content": f"{' '.join(told)} {question}"},
        {"role": "assistant", "content": answer},
    ]
    return {"messages": talk, "irrelevant": beside}


def _fact(name: str, rng: random.Random) -> _Fact:
    kinds: tuple[Callable[[], _Fact], ...] = (
        lambda: _lives(name, rng.choice(_TOWNS)),
        lambda: _bought(name, rng.choice(_THINGS)),
    )
    return rng.choice(kinds)()


def _lives(name: str, town: str) -> _Fact:
    return f"{name} lives in {town}.", f"Where does {name} live?", f"In {town}."


def _bought(name: str, thing: str) -> _Fact:
    return f"{name} bought {thing}.", f"What did {name} buy?", f"{thing[0].upper()}{thing[1:]}."
