"""What travels with the user from page to page: one text, one model, one mask.

The session holds one frozen `View`; widgets show it and `update` replaces it. A link carries the
same values, the text only where the user wants it there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from maskviz.errors import MaskvizError
from maskviz.examples import EXAMPLES, Example, by_name
from maskviz.masks import STRATEGIES, Mask, mask
from maskviz.masks.choice import Choice, joined
from maskviz.masks.edit import beginning, with_units
from maskviz.masks.expression import asks
from maskviz.masks.wordlists import own_lists
from maskviz.text.conversation import Conversation, read_conversation
from maskviz.text.languages import dominant_script, say
from maskviz.ui.shared import fit, limits
from maskviz.ui.shared.link_values import READERS, masked_in_link, spans_in_link
from maskviz.ui.shared.link_values import SEEDS as SEEDS
from maskviz.ui.shared.link_values import SIGNS as SIGNS
from maskviz.ui.shared.spoken import asked_in_link, spoken_of, text_of, with_conversation
from maskviz.ui.shared.talk import Talk, to_value

_KEY = "maskviz_view"
_LONGEST_IN_LINK = 6_000  # characters of a conversation: an address that servers still take
DRAFTS = ("chat_pasted", "conversation_pasted")  # fields that are emptied once they are read
_FOLLOWED = "followed"  # name in the address → the value that was followed


@dataclass(frozen=True)
class View:
    """All that the user has chosen.

    second: another strategy on the same text; sign: how it joins the first, of SIGNS.
    complement: hide all else and keep what the strategy would hide.
    unit: what the strip shows and a click hides, words or the model's tokens.
    edited: the units hidden after the user's clicks, by index; None while nothing was clicked.
    saved: a mask loaded from a file, in place of a strategy.
    turn: how often clicks were dropped, so that those of an earlier turn never come back.
    given: the words of the text as it was given, where the pages read its beginning alone.
    question: what the model is asked, `name` and parameters; empty: what suits the model.
    chat: the conversation of the Chat page, which goes along; None before it is begun.
    language: the code of the text's language as the user gave it; empty: it is found.
    """

    text: str
    strategy: str
    ratio: float | None = None
    seed: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)
    operator: str = "mask"
    model: str = "mini"
    second: Choice | None = None
    sign: str = "beside"
    complement: bool = False
    unit: str = "words"
    edited: tuple[int, ...] | None = None
    saved: str | None = None
    turn: int = 0
    given: int = 0
    question: Mapping[str, Any] = field(default_factory=dict)
    chat: Talk | None = None
    language: str = ""

    def __post_init__(self) -> None:
        if len(self.text) <= limits.LONGEST:
            return
        text = limits.beginning(self.text)
        if self.saved is not None:
            kept = beginning(Mask.from_json(self.saved, self.text), len(text)).to_json()
            object.__setattr__(self, "saved", kept)
        object.__setattr__(self, "given", limits.words_in(self.text))
        object.__setattr__(self, "text", text)

    @property
    def revision(self) -> str:
        """A short name of the mask before any click: changes exactly when it does."""
        chosen = [
            self.strategy,
            self.ratio,
            self.seed,
            dict(self.parameters),
            self.saved,
            self.turn,
            *((asdict(self._joining), self.sign) if self._joining else ()),
            *(("complement",) if self.complement else ()),
            *((self.unit, self.model) if self.unit != "words" else ()),
            *((self.language,) if self.language else ()),
        ]
        return json.dumps(chosen, sort_keys=True, default=str)

    @property
    def combined(self) -> bool:
        """Whether the mask is made of two strategies."""
        return self._joining is not None

    @property
    def _joining(self) -> Choice | None:
        return self.second if self.sign != "beside" else None

    @property
    def first(self) -> Choice:
        """The strategy without what joins it."""
        return Choice(self.strategy, self.ratio, self.seed, self.parameters)

    @property
    def spoken(self) -> Conversation | None:
        """The conversation whose contents the text is, None of a plain text."""
        return spoken_of(self.question, self.text)

    @property
    def named(self) -> str:
        """The strategies in words, such as `key minus entity`."""
        other = self._joining
        return self.strategy if other is None else f"{self.strategy} {self.sign} {other.strategy}"


def of_example(example: Example) -> View:
    """Return the view that an example opens with."""
    return View(
        example.text,
        example.strategy,
        example.ratio,
        example.seed,
        example.parameters,
        example.operator,
    )


def current() -> View:
    """Return the session's view, as far as its model can do what it asks for.

    A new session opens with its link, or with the first example.
    """
    return _fitted(chosen())


def chosen() -> View:
    """Return what the user has chosen, which another model may be able to do."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = _of_link(st.query_params.to_dict())
    view: View = st.session_state[_KEY]
    say(view.language)  # for all that this run of the page reads
    return view


def _fitted(view: View) -> View:
    parameters = fit.choice(view.model, view.first).parameters
    second = view.second and fit.choice(view.model, view.second)
    operator = fit.operator(view.model, view.operator)
    return replace(view, parameters=parameters, second=second, operator=operator)


def update(**changes: Any) -> View:
    """Replace values of the view; a new text or a new choice of mask drops the user's clicks."""
    before = chosen()
    if "text" in changes:
        changes = {"given": 0, **changes}
        if changes["text"] != before.text and "question" not in changes:
            question = {k: v for k, v in before.question.items() if k != "conversation"}
            changes["question"] = question  # it is asked about its own text alone
        if dominant_script(changes["text"]) != dominant_script(before.text):
            changes = {"language": "", **changes}
    view = replace(before, **changes)
    if "edited" not in changes and (view.text, view.revision) != (before.text, before.revision):
        view = replace(view, edited=None, turn=before.turn + 1)
    if view.text != before.text and "saved" not in changes:
        view = replace(view, saved=None)
    st.session_state[_KEY] = view
    say(view.language)
    return _fitted(view)


def open_view(view: View) -> None:
    """Replace the whole view, and let every widget show the new values; the conversation stays."""
    before = current()
    st.session_state[_KEY] = replace(view, turn=before.turn + 1, chat=view.chat or before.chat)
    for key in [k for k in st.session_state if str(k).startswith("view_")]:
        del st.session_state[key]


def of_text(text: str, strategy: str, spoken: Mapping[str, Any] | None = None, **more: Any) -> View:
    """Return a view of another text or strategy, with the session's own model and question.

    spoken: the conversation that the text is of, which is then asked about.
    """
    before = current()
    question = dict(before.question)
    question.pop("conversation", None)  # it is asked about its own text alone
    if spoken:
        question = with_conversation(question, spoken)
    return View(text, strategy, model=before.model, question=question, **more)


def open_link(written: str) -> None:
    """Replace the whole view with that of a link's query string, and give back the drafts in it.

    Call it before the page's fields are drawn.
    """
    values = dict(parse_qsl(written.removeprefix("?")))
    open_view(_of_link(values))
    for name in DRAFTS:
        if name in values:
            st.session_state[name] = values[name]


def drafts() -> dict[str, str]:
    """Return what was pasted and could not be read, which the tab keeps over a reload."""
    return {name: said for name in DRAFTS if (said := st.session_state.get(name))}


def asked_anew(name: str) -> str | None:
    """Return what the address asks for under `name`, unless it was followed already.

    It stays in the address, where a reload finds it.
    """
    followed = st.session_state.setdefault(_FOLLOWED, {})
    asked = st.query_params.get(name)
    anew = asked != followed.get(name)
    followed[name] = asked
    return asked if anew else None


def followed(written: Mapping[str, str], cleared: tuple[str, ...] = ()) -> None:
    """Count what the page itself wrote into the address as followed."""
    known = st.session_state.setdefault(_FOLLOWED, {})
    known.update(written)
    for name in cleared:
        known.pop(name, None)


def follow_again() -> None:
    """Let every link be followed once more, for the page that shows them to call."""
    st.session_state.pop(_FOLLOWED, None)


def try_asked() -> None:
    """Take the strategy that a link of the Guide asks for, on the session's own text."""
    asked = asked_anew("try")
    if asked is not None and asked in STRATEGIES:
        unit = "tokens" if asked == "random-token" else "words"
        before = current()
        open_view(of_text(before.text, asked, unit=unit, given=before.given))


def strategy_mask(view: View) -> Mask:
    """Return the mask before any click: of the strategies, or the one loaded from a file."""
    chosen = mask_before_joining(view)
    if view.combined and view.second is not None:
        chosen = joined(chosen, view.sign, mask_of(view, view.second))
    return ~chosen if view.complement and view.saved is None else chosen


def mask_before_joining(view: View) -> Mask:
    """Return the mask of the first strategy alone, or the one loaded from a file."""
    if view.saved is not None:
        return Mask.from_json(view.saved, view.text)
    return mask_of(view, view.first)


def mask_of(view: View, choice: Choice) -> Mask:
    """Return the mask of one strategy on the view's text.

    Where it asks a model word by word, it is chosen from `limits.first_words`.
    """
    choice = fit.choice(view.model, choice)
    parameters = tuple(sorted((k, _frozen(v)) for k, v in choice.parameters.items()))
    spoken = view.spoken
    cut = spoken is None and asks(choice.strategy, choice.parameters)
    read = limits.first_words(view.text) if cut else view.text
    said = None if spoken is None else spoken.to_json()
    chosen = _choose(
        read, choice.strategy, choice.ratio, choice.seed, parameters, view.model, own_lists(), said,
        view.language,
    )  # fmt: skip
    return chosen if read == view.text else replace(chosen, text=view.text)


def current_mask(view: View | None = None) -> Mask:
    """Return the mask as the user sees it, clicks included. Raises MaskvizError."""
    view = view or current()
    chosen = strategy_mask(view)
    if view.edited is None:
        return chosen
    from maskviz.ui.shared.strip import unit_offsets

    return with_units(chosen, unit_offsets(view.text, view.unit, view.model), view.edited)


def show_units(unit: str) -> None:
    """Show words or tokens; what was clicked in the others stays hidden, as a mask of its own."""
    view = current()
    kept = {"saved": current_mask(view).to_json()} if view.edited is not None else {}
    update(unit=unit, edited=None, turn=view.turn + 1, **kept)


@st.cache_data(max_entries=256, show_spinner="Choosing what to hide …", show_time=True)
def _choose(
    text: str,
    strategy: str,
    ratio: float | None,
    seed: int,
    parameters: tuple[tuple[str, Any], ...],
    model: str,
    lists: tuple[Any, ...],
    spoken: str | None,
    language: str,
) -> Mask:
    given: dict[str, Any] = {k: list(v) if isinstance(v, tuple) else v for k, v in parameters}
    subject = text if spoken is None else read_conversation(json.loads(spoken))
    return mask(subject, strategy, ratio=ratio, seed=seed, model=model, language=language, **given)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value


def link(with_text: bool = False, with_chat: bool = False, **more: str) -> str:
    """Return the query string that opens this view again; what was written only where asked for.

    with_chat: the conversation of the Chat page.
    """
    view = current()
    example = next((e for e in EXAMPLES if e.text == view.text), None)
    values = {
        "strategy": view.strategy,
        "ratio": view.ratio,
        "seed": view.seed,
        "parameters": json.dumps(dict(view.parameters)) if view.parameters else None,
        "operator": view.operator,
        "model": view.model,
        "second": json.dumps(asdict(view.second)) if view.second else None,
        "sign": view.sign if view.second else None,
        "complement": "1" if view.complement else None,
        "unit": None if view.unit == "words" else view.unit,
        "language": view.language or None,
        "hidden": None if view.edited is None else ".".join(map(str, view.edited)),
        "question": json.dumps(own) if (own := asked_in_link(view.question, with_text)) else None,
        "example": example.name if example else None,
        "text": view.text if with_text and not example and view.spoken is None else None,
        "saved": spans_in_link(view.saved) if with_text and view.saved is not None else None,
        "chat": json.dumps(to_value(view.chat)) if with_chat and view.chat else None,
        **more,
    }
    return "?" + urlencode({k: v for k, v in values.items() if v is not None})


def _of_link(values: Mapping[str, str]) -> View:
    """Read a link; a value that cannot be read is left at its default."""
    view = of_example(by_name(values.get("example", "")))
    changes: dict[str, Any] = {k: values[k] for k in ("text", "strategy", "model") if values.get(k)}
    if "strategy" in changes:  # a link names the whole mask: none of it is the example's
        changes |= {"ratio": None, "seed": 0, "parameters": {}}
    for name, read in READERS.items():
        try:
            if name in values:
                changes["edited" if name == "hidden" else name] = read(values[name])
        except (ValueError, RecursionError):  # the latter of brackets in brackets in brackets
            st.toast(f"The link's {name} cannot be read and is left at its default.")
    if "text" not in changes and (text := text_of(changes.get("question", {}))):
        changes["text"] = text
    try:
        if "saved" in values:
            chosen = masked_in_link(values["saved"], changes.get("text", view.text))
            changes["saved"] = chosen.to_json()
    except (ValueError, RecursionError):
        st.toast("The link's mask cannot be read and is left out.")
    return replace(view, **changes)


def too_long_for_a_link() -> bool:
    """Tell whether the conversation is too long to stand in a link."""
    chat = current().chat
    return chat is not None and len(json.dumps(to_value(chat))) > _LONGEST_IN_LINK


def summary(view: View) -> str:
    """Return the mask in one line, for the sidebar."""
    try:
        chosen = current_mask(view)
    except MaskvizError:
        return "no mask yet"
    by_hand = " edited by hand" if view.edited is not None else ""
    return (
        f"{len(chosen.hidden_words):,} of {len(chosen.words):,} words hidden, {view.named}{by_hand}"
    )
