"""What the Attention page holds between two runs: passes in bytes, and what it drew last.

Long inputs are looked at one layer at a time. Where all layers fit LARGEST_HELD they are captured
in one pass and held in float16; beyond it each layer is captured when it is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from operator import attrgetter
from typing import Any

import streamlit as st

from maskviz.attention.looking import SHOWS, Look, Seen, Size, look_at
from maskviz.attention.view import Display, View
from maskviz.byte_cache import ByteCache, give_back
from maskviz.errors import ParameterError
from maskviz.models import Model

SENT_AT_ONCE = 6_000_000  # bytes of a mosaic; more than this and layers are sent one at a time
LARGEST_VIEW = 50_000_000  # bytes of a view; more than this is not offered
LARGEST_HELD = 100_000_000  # bytes of all layers of one pass, held in float16
_CACHE_LIMIT = 160_000_000
_bytes_of = attrgetter("weights.nbytes")


def seen(model: Model, look: Look, size: Size, display: Display, doing: str) -> Seen:
    """Return what is looked at; nothing is worked out twice for the same choices."""
    held = size.captured <= LARGEST_HELD
    return memo(
        (model.name, look.show, look.key(True, look.layer), display, doing),
        lambda: look_at(model, look, display, doing=doing, keep=_kept, held=held),
    )


def beside(model: Model, look: Look, size: Size, display: Display, shown: View) -> dict[str, View]:
    """Return plain, masked and difference as they are drawn, `shown` as the one on the page.

    Empty where nothing is hidden, or one query is followed: there is nothing to switch to.
    """
    if not look.mask.spans or look.queries is not None:
        return {}
    held = size.captured <= LARGEST_HELD

    def drawn(show: str) -> View:
        return look_at(model, replace(look, show=show), display, keep=_kept, held=held).drawn

    return {show: shown if show == look.show else drawn(show) for show in SHOWS}


def _kept(key: Hashable, make: Callable[[], Any]) -> Any:
    """Return a pass from the cache of all sessions, or make it."""

    def made() -> Any:
        found = make()
        if _bytes_of(found) > SENT_AT_ONCE:
            give_back()
        return found

    return _cache().get(key, made, _bytes_of)


@st.cache_resource(show_spinner=False)
def _cache() -> ByteCache:
    return ByteCache(_CACHE_LIMIT)


def one_at_a_time(size: Size) -> bool:
    """Return whether layers are sent one at a time."""
    return size.whole > SENT_AT_ONCE


def cost(size: Size) -> str:
    """Say what looking at all layers would cost, and what is smaller.

    Raises ParameterError where even one layer is too much for a page.
    """
    if size.layer > LARGEST_VIEW:
        raise ParameterError(
            f"One layer of {size.heads} heads would be {size.layer / 1e6:.0f} MB, more than a page "
            f"should hold ({LARGEST_VIEW / 1e6:.0f} MB): shorten the text, or choose a method with "
            "one map for each layer, such as mean."
        )
    whole = f"All {size.layers} layers are {size.whole / 1e6:.0f} MB"
    one = f"one layer is {size.layer / 1e6:.1f} MB"
    if size.seconds > 1:
        one += f" and is read in about {size.seconds:.0f} s, plain and masked each"
    if size.whole > LARGEST_VIEW:
        return f"{whole}, more than a page should hold ({LARGEST_VIEW / 1e6:.0f} MB): {one}."
    return f"{whole} and take a while: {one}."


def memo(key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
    """Return what this session made last for the same key: nothing is worked out twice."""
    kept = st.session_state.get("attention_memo")
    if kept is None or kept[0] != key:
        st.session_state["attention_memo"] = kept = (key, make())
    return kept[1]
