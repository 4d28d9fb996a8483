"""A text in which a click or the keyboard hides a word and shows it again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from maskviz.figures.static_files import read_static
from maskviz.ui.components._assets import read_asset

CATEGORY_COLOUR = "#999999"

_mount = st.components.v2.component(
    "maskviz_token_strip",
    html=read_asset("token_strip.html"),
    css=read_static("common.css") + read_asset("token_strip.css"),
    js=read_static("marks.js")
    + read_asset("token_strip_picture.js")
    + read_asset("token_strip.js")
    + read_asset("token_strip_mount.js"),
)


@dataclass(frozen=True)
class StripUnit:
    """One word (or model token) of the strip, with the plain text that stands before it.

    `guesses` are (word, probability) pairs, best first; a `locked` unit cannot be hidden. `learned`
    is the weight with which a model learns it, in [0, 1]: a line under it, the deeper the more.

    >>> StripUnit("Ada", before="Dear ", hidden=True, category="PERSON").hidden
    True
    """

    text: str
    before: str = ""
    hidden: bool = False
    category: str | None = None
    reason: str | None = None
    guesses: tuple[tuple[str, float], ...] = ()
    locked: bool = False
    learned: float = 0.0


def token_strip(
    units: Sequence[StripUnit],
    *,
    key: str,
    label: str,
    revision: str | int = "",
    tail: str = "",
    more: bool = False,
    colours: Mapping[str, str] | None = None,
    noun: str = "words",
    max_height: int = 440,
) -> list[int] | None:
    """Show `units` as flowing text; return the hidden indices, or None while untouched.

    Put a hash of the text in `key`: a new text is a new strip. `revision` names the mask that the
    page shows, such as "random-0.3-7": a new revision drops the user's edits and undo history and
    shows `hidden` as given. Keep it unchanged while the user edits. `tail` is the text after the
    last unit, or `more` says that it has units which are not shown; `colours` maps a category to a
    hex colour, `noun` is what a unit is called.

    The value comes one step late for a page that computes guesses from it: read `edited_units`
    before drawing instead.
    """
    _mount(
        key=key,
        data={
            **strip_message(units, f"{key}|{revision}", label, colours or {}, noun, max_height),
            "tail": " …" if more else tail,
            "of": "of the first" if more else "of",
        },
        on_edit_change=_ignore,
    )
    locked = {i for i, unit in enumerate(units) if unit.locked}
    return edited_units(key, len(units), revision, locked)


def edited_units(
    key: str, count: int, revision: str | int = "", locked: Sequence[int] | set[int] = ()
) -> list[int] | None:
    """Return what the user has hidden in the strip `key`, in order, or None while untouched.

    Reads the session, so that a page can build the mask first and then draw the strip with its
    reasons and guesses. The browser is not trusted: anything but a list of indices below `count`
    that are not locked is dropped.
    """
    edit = (st.session_state.get(key) or {}).get("edit")
    return validate_edit(edit, count, f"{key}|{revision}", locked)


def validate_edit(
    edit: Any, count: int, revision: str, locked: Sequence[int] | set[int] = ()
) -> list[int] | None:
    """Return the sorted hidden indices of an edit of this revision, else None.

    >>> validate_edit({"revision": "a", "hidden": [2, 0, 99, "x"]}, 3, "a")
    [0, 2]
    """
    if not isinstance(edit, Mapping) or edit.get("revision") != revision:
        return None
    hidden = edit.get("hidden")
    if not isinstance(hidden, list):
        return None
    return sorted({i for i in hidden if type(i) is int and 0 <= i < count} - set(locked))


def strip_message(
    units: Sequence[StripUnit],
    revision: str,
    label: str,
    colours: Mapping[str, str],
    noun: str,
    max_height: int,
) -> dict[str, Any]:
    """Write the units column by column, which keeps 512 of them small."""
    categories = sorted({unit.category for unit in units if unit.category})
    reasons = sorted({unit.reason for unit in units if unit.reason})
    return {
        "revision": revision,
        "label": label,
        "noun": noun,
        "maxHeight": max_height,
        "text": [unit.text for unit in units],
        "before": [unit.before for unit in units],
        "hidden": [i for i, unit in enumerate(units) if unit.hidden],
        "locked": [i for i, unit in enumerate(units) if unit.locked],
        "learned": {i: unit.learned for i, unit in enumerate(units) if unit.learned},
        "categories": [[name, colours.get(name, CATEGORY_COLOUR)] for name in categories],
        "category": {i: categories.index(u.category) for i, u in enumerate(units) if u.category},
        "reasons": reasons,
        "reason": {i: reasons.index(u.reason) for i, u in enumerate(units) if u.reason},
        "guesses": {
            i: [[word, round(float(p), 4)] for word, p in unit.guesses]
            for i, unit in enumerate(units)
            if unit.guesses
        },
    }


def _ignore() -> None:
    """Declare a state key without acting on its change."""
