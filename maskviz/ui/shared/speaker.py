"""Which model reads conversations, and what to do where none can."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import streamlit as st

from maskviz.errors import MaskvizError
from maskviz.models import list_models, to_pull
from maskviz.models.locate import BUNDLED, BUNDLED_CHAT, folder_of, public_name
from maskviz.ui.shared import state
from maskviz.ui.shared.fetch import offer
from maskviz.ui.shared.page import escape

_FIRST = "smollm2"  # the one that is offered, and taken before others


def chat_models() -> list[str]:
    """Return the models here that write and have a chat template, the best known first."""
    names = [info.name for info in list_models("generate") if speaks(info.name)]
    return sorted(names, key=lambda name: name != _FIRST)


def speaks(name: str) -> bool | None:
    """Tell from a model's files whether it has a chat template; None where they are not here."""
    try:
        folder = folder_of(name)
    except (MaskvizError, OSError, ValueError):
        return None  # loading it says what is wrong
    if folder is None:
        return None
    file = folder / "tokenizer_config.json"
    changed = file.stat().st_mtime_ns if file.is_file() else 0
    return _has_template(str(folder), changed) and _writes(name)


@lru_cache(maxsize=64)
def _has_template(folder: str, _changed: int) -> bool:
    if (Path(folder) / "chat_template.jinja").is_file():
        return True
    try:
        said = json.loads((Path(folder) / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(isinstance(said, dict) and said.get("chat_template"))


def _writes(name: str) -> bool:
    from maskviz.models.abilities import capabilities

    config = json.loads((Path(str(folder_of(name))) / "config.json").read_text(encoding="utf-8"))
    heads = config.get("architectures") or ()
    return "generate" in capabilities(heads, str(config.get("model_type")), "text_config" in config)


def speaker_of(model: str) -> str | None:
    """Return the model that answers: the session's, or of its chat models where that is `mini`."""
    if speaks(model) is not False:
        return model
    others = chat_models()
    return others[0] if model == BUNDLED and others else None


def say_speaker(model: str, speaker: str) -> None:
    """Say in one quiet sentence where another model answers than the session's."""
    if speaker == model:
        return
    others = "another one can be chosen in the sidebar."
    if speaker == BUNDLED_CHAT and _FIRST in {info.name for info in to_pull()}:
        others = f"it knows short facts alone, choose {_FIRST} in the sidebar for a larger one."
    st.caption(
        escape(
            f"{public_name(model)} reads no conversations, so {public_name(speaker)} answers "
            f"here; {others}"
        )
    )


def offer_speakers(model: str, place: str = "chat") -> None:
    """Say that a model reads no conversation, and offer those that do.

    place: what the keys of the buttons begin with.
    """
    names = chat_models()
    offered = {info.name for info in to_pull()} if names in ([], [BUNDLED_CHAT]) else set()
    st.caption(
        escape(
            f"{public_name(model)} has no chat template, so it reads no conversation. "
            + ("Choose a chat model:" if names else "A small chat model is fetched in one click:")
            if names or _FIRST in offered
            else f"{public_name(model)} has no chat template, so it reads no conversation: name a "
            "chat model in the sidebar, as a folder, a GGUF file or a name on the Hub."
        )
    )
    with st.container(horizontal=True):
        for name in names[:3]:
            st.button(f"Use {escape(public_name(name))}", key=f"{place}_use_{name}",
                      on_click=_use, args=(name,))  # fmt: skip
    if _FIRST in offered:
        offer(_FIRST, key=f"_{place}")


def _use(name: str) -> None:
    st.session_state.pop("view_model", None)
    state.update(model=name)
