"""What stands in the browser's address: page, tab, file and result, and the view of a link.

A reload, a second session and whoever gets the address see the same. The text is put there by the
user alone (`Link to this view`): where the view of a link was changed, the address follows with all
but the text, which is left out when it is no longer the link's.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

import streamlit as st

from maskviz.ui.shared import state

_VIEW = ("strategy", "ratio", "seed", "parameters", "operator", "model", "second", "sign",
         "complement", "unit", "hidden", "question", "example", "text", "chat")  # fmt: skip


def follow(more: Mapping[str, str], clears: tuple[str, ...] = ()) -> None:
    """Let the address say what the page shows; `clears` are names that stand there no longer."""
    before = st.query_params.to_dict()
    kept = {k: v for k, v in before.items() if k not in clears and k not in more}
    if any(name in before for name in _VIEW):
        kept = {k: v for k, v in kept.items() if k not in _VIEW} | _of_view(before)
    wanted = {**kept, **more}
    if wanted != before:
        st.query_params.from_dict(wanted)
        changed = {k: v for k, v in wanted.items() if before.get(k) != v}
        state.followed(changed, tuple(name for name in clears if name not in more))


def _of_view(before: Mapping[str, str]) -> dict[str, str]:
    """Return the view as a link has it; its text where the address has that very text already."""
    view = state.current()
    same = before.get("text") == view.text
    link = dict(parse_qsl(state.link(with_text=same).removeprefix("?")))
    return link | ({"chat": before["chat"]} if "chat" in before else {})
