"""What the model is asked: one control wherever an answer is compared, and the fields it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import streamlit as st

from maskviz.errors import MaskvizError
from maskviz.models import Model, list_models, load_model, tuned
from maskviz.models.abilities import abilities
from maskviz.readings.language.asking import askable, opening_question
from maskviz.readings.language.conversing import conversed
from maskviz.readings.language.tails import Template, joined
from maskviz.readings.question import QUESTIONS, Spec
from maskviz.ui.shared import fit, state
from maskviz.ui.shared.page import escape
from maskviz.ui.shared.widgets import drawn

_NAMES = {
    "labels": "its labels", "choices": "choose between …", "next": "next word",
    "answer": "its answer",
}  # fmt: skip
_BEGUN: dict[str, dict[str, Any]] = {  # what a question begins with on a page
    "choices": {"prompt": "Review: {text}\nSentiment:", "choices": ["positive", "negative"]},
}
_KEPT = "asked_before"  # question → what was said of it last
_HIDDEN = ("tokens",)  # parameters that are found from the text


def question_of(view: state.View) -> dict[str, Any]:
    """Return what the model is asked, `name` and parameters: what was chosen, where it can be."""
    model = load_model(view.model)
    name = view.question.get("name")
    if name is None or name not in askable(model):
        return _begun(opening_question(model))
    return dict(view.question)


def spec_of(view: state.View) -> Spec:
    """Return the question as `maskviz.readings.question.asked` takes it."""
    given = question_of(view)
    defaults = QUESTIONS[given["name"]].defaults
    said = {k: v for k, v in given.items() if k != "name" and v != _plain(defaults.get(k))}
    return {"name": given["name"], **said} if said else given["name"]


def reader_of(view: state.View) -> Model:
    """Return the model as it reads the view's text: a conversation as its own template writes it.

    It then has a name of its own, so that nothing is taken for the same text read plainly.
    """
    model, spoken = load_model(view.model), view.spoken
    if spoken is None or "generate" not in model.capabilities:
        return model
    return replace(conversed(model, spoken), name=f"{model.name} in a conversation")


def second_models(view: state.View, operator: str) -> list[str]:
    """Return the models that may answer the page's question beside another, hidden alike.

    As far as one can tell: of one that is not there yet all are named.
    """
    name = "labels"
    with suppress(MaskvizError):
        name = question_of(view)["name"]
    able = _WAYS.get(name, (None,))
    names = list(dict.fromkeys(m.name for way in able for m in list_models(way)))
    base = tuned.base_of(view.model)
    if base and base not in names and (name != "labels" or abilities(base).classify):
        names.append(base)
    return [one for one in names if one != view.model and operator in fit.operators(one)]


_WAYS: dict[str, tuple[str | None, ...]] = {
    "labels": ("classify",), "next": ("generate",), "answer": ("generate", "translate"),
    "choices": ("generate", "translate", "fill"),
}  # fmt: skip


def _begun(name: str) -> dict[str, Any]:
    kept = st.session_state.get(_KEPT, {}).get(name)
    return kept or {"name": name, **_BEGUN.get(name, {})}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def question_controls(view: state.View) -> None:
    """The question and what it takes; nothing of a model that gives its labels alone.

    What is wrong with it is said where the answer would stand.
    """
    with suppress(MaskvizError):
        _controls(view, load_model(view.model))


def _controls(view: state.View, model: Model) -> None:
    names, given = askable(model), question_of(view)
    if len(names) > 1:
        st.session_state["view_question"] = given["name"]
        drawn(
            st.pills,
            "What is it asked?",
            given["name"],
            names,
            key="view_question",
            required=True,
            on_change=_take_name,
            format_func=lambda name: _NAMES.get(name, name),
            wrap=True,
            help="\n".join(f"- **{_NAMES.get(n, n)}**: {QUESTIONS[n].summary}" for n in names),
        )
    _fields(given)
    if given.get("prompt"):
        st.caption(escape(reads_as(view.text, given, model)))


def _fields(given: Mapping[str, Any]) -> None:
    """Draw the fields of a question that are asked for often."""
    name = given["name"]
    if name == "labels":
        return
    if name not in _NAMES:  # one of somebody's own
        for parameter in QUESTIONS[name].defaults:
            _field(given, parameter, parameter.replace("_", " ").capitalize())
        return
    if given.get("conversation"):
        st.caption("Asked about the conversation, as the model's own template writes it.")
    else:
        _field(given, "prompt", "Prompt", help="Write {text} once, where the text is to stand.")
    if name == "choices":
        _field(given, "choices", "Choices, with commas")
    elif name == "next":
        left, right = st.columns(2)
        with left:
            _field(given, "target", "Why this word", placeholder="the most probable one")
        with right:
            _field(given, "against", "and not this one", placeholder="any other")
    elif name == "answer":
        _field(given, "answer", "Answer", placeholder="the model's own")


def question_more(view: state.View) -> None:
    """What is asked for less often, for the folded part of a page."""
    with suppress(MaskvizError):
        _more(question_of(view))


def _more(given: Mapping[str, Any]) -> None:
    if given["name"] == "choices":
        ways = {
            "sum": "log-probability of the whole choice", "mean": "its mean over the tokens",
            "pmi": "its gain over the prompt without the text",
        }  # fmt: skip
        key = _key(given, "by")
        drawn(
            st.selectbox,
            "Choices are weighed by",
            given.get("by", "sum"),
            list(ways),
            key=key,
            format_func=ways.__getitem__,
            on_change=_take_field,
            args=("choices", "by", key),
        )
    elif given["name"] == "next":
        _number(given, "top", "Tokens shown", 50)
    elif given["name"] == "answer":
        _number(given, "longest", "Tokens of its own answer, at most", 256)


def _key(given: Mapping[str, Any], parameter: str) -> str:
    return f"view_q_{given['name']}_{parameter}"


def _field(given: Mapping[str, Any], parameter: str, label: str, **more: Any) -> None:
    """Draw one parameter as text; a template has lines."""
    default = QUESTIONS[given["name"]].defaults.get(parameter, "")
    value, key = given.get(parameter, default), _key(given, parameter)
    written = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    options: dict[str, Any] = {
        "key": key, "on_change": _take_field, "args": (given["name"], parameter, key), **more,
    }  # fmt: skip
    if parameter == "prompt":
        drawn(st.text_area, label, written, height=80, **options)
    else:
        drawn(st.text_input, label, written, **options)


def _number(given: Mapping[str, Any], parameter: str, label: str, most: int) -> None:
    key, default = _key(given, parameter), QUESTIONS[given["name"]].defaults[parameter]
    shown = max(1, min(most, int(given.get(parameter, default))))
    drawn(
        st.number_input, label, shown, 1, most, key=key, on_change=_take_field,
        args=(given["name"], parameter, key),
    )  # fmt: skip


def _take_name() -> None:
    before = question_of(state.current())
    spoken = {k: v for k, v in before.items() if k == "conversation"}  # goes with the text alone
    kept = {k: v for k, v in before.items() if k not in spoken}
    st.session_state.setdefault(_KEPT, {})[before["name"]] = kept
    state.update(question={**_begun(st.session_state["view_question"]), **spoken})


def _take_field(name: str, parameter: str, key: str) -> None:
    given, value = question_of(state.current()), st.session_state[key]
    if isinstance(QUESTIONS[name].defaults.get(parameter), tuple):
        value = [item.strip() for item in value.split(",") if item.strip()]
    state.update(question={**given, "name": name, parameter: value})


def reads_as(text: str, given: Mapping[str, Any], model: Model) -> str:
    """Return the prompt as the model reads it, the text itself shortened, and what is scored.

    Raises ParameterError for a template that has no place for the text.
    """
    template = Template.of(given["prompt"])
    shown = template.around(_middle(text))
    behind = _continuations(given)
    if not behind:
        return f"Reads: {shown}"
    scored = [joined(template, item) for item in behind]
    return f"Reads: {shown}{scored[0]}" + "".join(f" · {item.strip()}" for item in scored[1:])


def _continuations(given: Mapping[str, Any]) -> Sequence[str]:
    if given["name"] == "choices":
        return [str(item) for item in given.get("choices", ())]
    found = [given.get(name, "") for name in ("target", "against", "answer")]
    return [item for item in found if item.strip()]


def _middle(text: str, most: int = 40) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[: most // 2]} … {flat[-most // 2 :]}"
