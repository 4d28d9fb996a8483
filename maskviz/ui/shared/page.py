"""What every page shares: the sidebar, a place for errors, the link, the warm-up."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from maskviz import warm
from maskviz.errors import MaskvizError, TextError
from maskviz.models.raised import said_of
from maskviz.text.marks import named
from maskviz.ui.components.kept_view import kept_view
from maskviz.ui.components.manners import manners
from maskviz.ui.shared import state
from maskviz.ui.shared.address import follow
from maskviz.ui.shared.code import code
from maskviz.ui.shared.escaping import escape as escape
from maskviz.ui.shared.fetch import offer
from maskviz.ui.shared.notices import notices
from maskviz.ui.shared.widgets import drawn

_STATIC = Path(__file__).parents[1] / "components" / "static"
_THEME = _STATIC / "theme.css"
WORDMARK = str(_STATIC / "wordmark.svg")
_APP_RAN = "app_ran"
_MODEL_HELP = (
    "`mini` is bundled: a small English encoder that guesses hidden words and tells good reviews "
    "from bad. `smollm2` is a small chat model, fetched once. Models tuned on the Fine-tune page "
    "are listed too. Or type the name of one on the Hugging Face Hub, such as "
    "`distilbert-base-uncased`, or the path of a folder or a GGUF file."
)


def show_text(spoken: bool = False) -> None:
    """Show the session's text in the sidebar, for app.py to call before it runs a page.

    spoken: whether the page is that of the conversation, which stands there in its place.

    So the first paint comes before the page imports what it needs, and before the browser fetches
    the scripts of its widgets.
    """
    st.session_state[_APP_RAN] = True
    with st.sidebar:
        manners()
        if not spoken:
            st.caption("Text")
            st.text(_shortened(named(state.current().text)) or "no text yet")
    warm.painted()


def open_page(reads: bool = True) -> state.View:
    """Begin a page: the model in the sidebar; return the view. Call it first.

    `reads`: whether the page reads the session's text, and so says what of it it leaves out.
    """
    from maskviz.readings.side_by_side import between_turns

    _run_app_script()
    between_turns(lambda: _APP_RAN in st.session_state)  # where Streamlit stops or begins anew
    st.html(_THEME)
    warm.begin()  # where the server was started otherwise than by `maskviz app`
    state.try_asked()
    view = state.current()
    with st.sidebar:
        names = _model_names(view.model)
        drawn(
            st.selectbox,
            "Model",
            view.model,
            names,
            key="view_model",
            on_change=_take_model,
            accept_new_options="MASKVIZ_MODELS" not in os.environ,
            help=_MODEL_HELP,
        )
        offer(view.model)
    for notice in notices(view) if reads else ():
        st.caption(f"{escape(notice)}")
    return view


def take_tab(key: str, names: Sequence[str]) -> None:
    """Open the tab that a link asks for. Call it before the tabs are made."""
    asked = state.asked_anew("tab")
    if asked in names:
        st.session_state[key] = asked


def close_page(
    hides: str | None = None,
    spoken: bool = False,
    address: Mapping[str, str] | None = None,
    clears: tuple[str, ...] = (),
    **more: str,
) -> None:
    """End a page: mask and link in the sidebar. Call it last.

    Only now, so that the page is painted before the mask is chosen, and so that a click on the
    page counts already. `more` goes into the link: what the page itself needs to show its
    picture again; `address` stands in the browser's address as well, which then has none of
    `clears` but these. `hides` says what is hidden where that is not the text's mask; `spoken`:
    the page is that of the conversation, which then goes into the link.
    """
    view, more = state.current(), {**more, **(address or {})}
    follow(address or {}, clears)
    with st.sidebar:
        st.caption("Mask")
        st.text(state.summary(view) if hides is None else hides)
        with st.popover("Link to this view", width="stretch"):
            what = "conversation" if spoken else "text"
            long = spoken and state.too_long_for_a_link()
            with_text = st.checkbox(f"Put my {what} into the link", value=False, disabled=long)
            written = state.link(with_text and not spoken, with_text and spoken, **more)
            code(f"{st.context.url or ''}{written}")
            if long:
                st.caption("This conversation is too long for a link: save it as JSON.")
            st.caption(
                "The whole address, with a button to copy it. Whoever opens it sees what it holds; "
                f"without your {what} it opens an example."
            )
        kept = {**more, **state.drafts()}
        kept_view(state.link(with_text=True, with_chat=True, **kept), state.open_link)
    warm.shown()


def _run_app_script() -> None:
    """Start again from app.py where a fresh server's first visitors followed links to pages.

    Until app.py has run once, Streamlit takes the folder pages/ for an app without one: the page
    then lacks its width, its title, the navigation and the sign-in.
    """
    from streamlit.runtime.pages_manager import PagesManager
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    context = get_script_run_ctx()
    is_page_of_app = context is not None and Path(context.main_script_path).name == "app.py"
    if is_page_of_app and _APP_RAN not in st.session_state:
        PagesManager.uses_pages_directory = False
        st.rerun()


def _take_model() -> None:
    for key in ("view_operator", "view_p_key_by", "view_2_p_key_by"):
        st.session_state.pop(key, None)  # the model may offer others
    state.update(model=st.session_state["view_model"].strip())


def _model_names(chosen: str) -> list[str]:
    from maskviz.models import list_models, to_pull

    names = [info.name for info in (*list_models(), *to_pull())]
    return names if chosen in names else [*names, chosen]


def _shortened(text: str, length: int = 120) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"


@contextmanager
def errors() -> Iterator[None]:
    """Show an error that the user can act on as one line, and go on with the rest of the page."""
    try:
        yield
    except TextError as error:
        if state.current().text.strip():
            st.error(escape(str(error)), icon="⚠️")
        else:
            st.markdown("### No text yet: write one, or choose an example on the Mask page.")
    except MaskvizError as error:
        st.error(escape(str(error)), icon="⚠️")
    except Exception as error:
        if (sentence := said_of(error)) is None:
            raise
        st.error(escape(sentence), icon="⚠️")


def say_unfamiliar(view: state.View) -> None:
    """Say where the model hardly knows the words of the text, so that nobody trusts its answer."""
    if sentence := _unfamiliar(view.text, view.model):
        st.warning(escape(sentence), icon="⚠️")


@st.cache_data(max_entries=256, show_spinner=False)
def _unfamiliar(text: str, model: str) -> str:
    from maskviz.models import load_model
    from maskviz.readings.familiar import unfamiliar

    return unfamiliar(text, load_model(model))


FEW_ROWS = 40


def sentences_table(rows: Sequence[Mapping[str, str]]) -> None:
    """Show rows of sentences: few of them wrap, however narrow the page, many scroll in a grid."""
    import pandas as pd  # half a second: after the page's first paint

    table = pd.DataFrame(rows)
    if len(table) <= FEW_ROWS:
        st.table(table.map(escape), hide_index=True, border="horizontal")
    else:
        from maskviz.ui.shared.grid import in_names

        st.dataframe(in_names(table), hide_index=True, width="stretch")
