"""A conversation as cards, one a turn: words to click, turns to write, add and delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from maskviz.figures.static_files import read_static
from maskviz.ui.components._assets import read_asset
from maskviz.ui.components.token_strip import StripUnit, edited_units, strip_message

LONGEST = 200_000  # characters of one turn that are taken from the browser

_mount = st.components.v2.component(
    "maskviz_turn_cards",
    html=read_asset("turn_cards.html"),
    css=read_static("common.css") + read_asset("token_strip.css") + read_asset("turn_cards.css"),
    js=read_static("marks.js")
    + read_asset("token_strip_picture.js")
    + read_asset("token_strip.js")
    + read_asset("turn_cards.js"),
)


@dataclass(frozen=True)
class Card:
    """One turn: `count` of the strip's units from number `first` on, and the text behind them.

    title: what stands in the margin; label: how it is read aloud. kinds: unit → what begins there,
    such as a thought. calls: of tools, in one line. content, thought: what is written in its form.
    """

    role: str
    title: str
    label: str
    first: int
    count: int
    tail: str = ""
    kinds: tuple[tuple[int, str], ...] = ()
    calls: str = ""
    content: str = ""
    thought: str = ""


@dataclass(frozen=True)
class Act:
    """What the user did to the turns: `write`, `add` before or `delete` the one numbered `at`."""

    number: int
    act: str
    at: int
    role: str = ""
    content: str = ""
    thought: str = ""


def turn_cards(
    cards: Sequence[Card],
    units: Sequence[StripUnit],
    *,
    key: str,
    revision: str,
    roles: Sequence[str],
    taken: int,
    take: Callable[[], None],
    colours: Mapping[str, str] | None = None,
    max_height: int = 560,
) -> None:
    """Show the turns; what is clicked is read by `edited_units`, what is written by `acts_of`.

    taken: the number of the last act that the page has taken. take: called before the page runs
    where there are new ones.
    """
    _mount(
        key=key,
        data={
            **strip_message(
                units, f"{key}|{revision}", "The conversation; click a word to hide or show it",
                colours or {}, "words", max_height,
            ),
            "tail": "", "of": "of", "turns": [asdict(card) for card in cards],
            "roles": list(roles), "taken": taken,
        },
        on_edit_change=_ignore,
        on_turns_change=take,
    )  # fmt: skip


def clicked_words(key: str, count: int, revision: str) -> list[int] | None:
    """Return the numbers of the words that the user has hidden, or None while untouched."""
    return edited_units(key, count, revision)


def acts_of(key: str, taken: int, roles: Sequence[str]) -> list[Act]:
    """Return the acts that are new, in order; the browser is not trusted."""
    sent = (st.session_state.get(key) or {}).get("turns")
    return read_acts(sent, taken, roles)


def read_acts(sent: Any, taken: int, roles: Sequence[str]) -> list[Act]:
    """Return what a message holds of new acts that make sense.

    >>> read_acts({"acts": [{"number": 2, "act": "delete", "at": 0}]}, 1, ["user"])
    [Act(number=2, act='delete', at=0, role='', content='', thought='')]
    """
    acts = sent.get("acts") if isinstance(sent, Mapping) else None
    found = [_act(one, roles) for one in acts] if isinstance(acts, list) else []
    return sorted((a for a in found if a and a.number > taken), key=lambda act: act.number)


def _act(said: Any, roles: Sequence[str]) -> Act | None:
    if not isinstance(said, Mapping) or said.get("act") not in ("write", "add", "delete"):
        return None
    texts = [said.get(name, "") for name in ("role", "content", "thought")]
    if not all(isinstance(text, str) and len(text) <= LONGEST for text in texts):
        return None
    if not all(type(said.get(name)) is int and said[name] >= 0 for name in ("number", "at")):
        return None
    if said["act"] == "write" and texts[0] not in roles:
        return None
    return Act(said["number"], said["act"], said["at"], *texts)


def _ignore() -> None:
    """Declare a state key without acting on its change."""
