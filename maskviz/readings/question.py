"""What a model is asked, and so which numbers it answers with.

A kind of question is a small function `(model, reads, …) -> logits`, a tensor (texts, outputs),
registered with the names of its outputs; every kind of evidence works on it then. Its own
parameters are read from its signature.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ..data.known import Known
from ..errors import ParameterError, UnknownNameError
from ..models.memory import remembered
from ..models.model import Model, load_model
from ..registry import Registry
from ..text.conversation import Conversation, read_conversation
from .batches import Read, answers_in_batches
from .heads import activated, answer_of, chosen_of, log_odds

Ask = Callable[..., Any]
Given = Mapping[str, Any]  # every parameter of a question, by name
Outputs = Callable[[Model, Given], Sequence[str]]
Spec = str | Mapping[str, Any]  # a kind, or `name` and parameters


@dataclass(frozen=True)
class Kind:
    """A registered kind of question.

    capability: of the network that answers. outputs: their names, from the model and the
    parameters. head: what the outputs are, see `heads`. prepare: what is done once with all texts
    before they are read in batches, side by side. frame: the model behind its prompt. settle: the
    parameters that are found from one text, such as the model's own answer to it. subject: the
    output that is spoken of where it is not the answer itself. detail: what else is said of a plain
    and a masked text. by_odds: whether gradients are of the log-odds, not of the logit. flips:
    whether the outputs alone say that the answer flips. answers: how many texts are asked, where a
    way is better than in batches.
    """

    name: str
    summary: str
    capability: str | Callable[[Model], str]
    ask: Ask
    outputs: Outputs
    head: Callable[[Model], str] = lambda _: "single"
    prepare: Callable[[Model, Sequence[Read]], Sequence[Read]] = lambda model, reads: reads
    frame: Callable[[Model, Given], Model] = lambda model, given: model
    settle: Callable[[Question, str], Given] = lambda question, text: {}
    subject: Callable[[Given], int | None] = lambda given: None
    detail: Callable[..., dict[str, Any]] | None = None
    by_odds: bool = False
    flips: Callable[[Given], bool] = lambda given: True
    answers: Callable[[Question, Sequence[Read], int | None], Any] | None = None

    def capability_of(self, model: Model) -> str:
        """Return the capability of the network that answers. Raises CapabilityError."""
        return self.capability if isinstance(self.capability, str) else self.capability(model)

    @property
    def defaults(self) -> dict[str, Any]:
        """The parameters that one may give, with what they are without."""
        given = inspect.signature(self.ask).parameters.values()
        return {p.name: p.default for p in given if p.kind is p.KEYWORD_ONLY}


_MODULES = (
    "maskviz.readings.labels",
    "maskviz.readings.language.choices",
    "maskviz.readings.language.following",
    "maskviz.readings.language.answering",
)
QUESTIONS: Registry[Kind] = Registry("question", _MODULES, "maskviz.questions")


def question(
    name: str,
    summary: str,
    *,
    outputs: Outputs,
    capability: str | Callable[[Model], str],
    **more: Any,
) -> Callable[[Ask], Ask]:
    """Register the decorated function as the kind of question `name`; `more` is as in `Kind`.

    >>> @question("first", "…", outputs=lambda m, given: m.labels[:2], capability="classify")
    ... def first(model, reads): ...
    """

    def register(ask: Ask) -> Ask:
        QUESTIONS.add(Kind(name, summary, capability, ask, outputs, **more), ask.__module__)
        return ask

    return register


@dataclass(frozen=True)
class Question:
    """A kind of question put to one model: every kind of evidence takes it and asks it alone.

    parameters: (name, value) of what is not as the kind has it by default. memos: what is
    remembered of its answers, see `maskviz.models.memory.remembered`.
    """

    model: Model
    name: str = "labels"
    parameters: tuple[tuple[str, Any], ...] = ()
    memos: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def kind(self) -> Kind:
        """The registered kind. Raises UnknownNameError."""
        return QUESTIONS[self.name]

    @cached_property
    def given(self) -> dict[str, Any]:
        """Every parameter by name."""
        return {**self.kind.defaults, **dict(self.parameters)}

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs, in the order of the numbers."""
        return tuple(self.kind.outputs(self.model, self.given))

    @cached_property
    def head(self) -> str:
        """What the outputs are: `single`, `multi` or `regression`."""
        return self.kind.head(self.model)

    @property
    def network(self) -> Any:
        """The network that answers."""
        return self.model.network(self.kind.capability_of(self.model))

    def about(self, text: str) -> Question:
        """Return the question as it is put about one text: with its own next tokens or answer."""
        found = _settled(self, text)
        return asked(self.model, {**self._said(), **found}) if found else self

    def _said(self) -> dict[str, Any]:
        return {"name": self.name, **dict(self.parameters)}

    def detail(self, plain: Read, masked: Read, changed: Question | None = None) -> dict[str, Any]:
        """Return what else is to be said of a plain and a masked text, JSON-ready.

        changed: the same question to a network that was changed, where that reads the second text.
        """
        if self.kind.detail is None:
            return {}
        if changed is None:
            return self.kind.detail(self, plain, masked)
        if "changed" not in inspect.signature(self.kind.detail).parameters:
            return {}
        return self.kind.detail(self, plain, masked, changed=changed)

    def ask(self, reads: Sequence[Read]) -> Any:
        """Return the logits of one batch, a tensor (texts, outputs), with its gradient if any."""
        return self.kind.ask(self.model, reads, **self.given)

    def logits(self, reads: Sequence[Read], batch_size: int | None = None) -> Any:
        """Return the logits of any number of texts as a float array (texts, outputs).

        Texts that are the same to the model share one pass, so their answers are equal to the last
        bit.
        """
        import numpy as np

        firsts: dict[tuple[tuple[int, ...], tuple[int, ...]], tuple[int, Read]] = {}
        keys = [(tuple(r.input_ids), tuple(r.attention_mask)) for r in reads]
        pairs = zip(keys, reads, strict=True)
        which = [firsts.setdefault(key, (len(firsts), read))[0] for key, read in pairs]
        answers = self.logits_apart([read for _, read in firsts.values()], batch_size)
        return answers[which] if firsts else np.zeros((0, len(self.outputs)))

    def logits_apart(self, reads: Sequence[Read], batch_size: int | None = None) -> Any:
        """Return `logits` of texts that are known to differ: nothing is compared."""
        # Loaded here, since in inference mode its weights would have no gradient, and held on to,
        # so that no batch finds it dropped.
        network = self.network
        reads = self.kind.prepare(self.model, reads)
        try:
            answer = self.kind.answers or in_batches
            return answer(self, reads, batch_size)
        finally:
            del network

    def probabilities(self, logits: Any) -> Any:
        """Return logits (…, outputs) as probabilities (of a regression the values), an array."""
        return activated(self.head, logits)

    def log_odds(self, logits: Any) -> Any:
        """Return ln(p / (1 − p)) of each output (of a regression the values), an array."""
        return log_odds(self.head, logits)

    def target(self, logits: Any, index: int) -> Any:
        """Return what gradients are of, (texts,), from logits (texts, outputs), a tensor."""
        if not self.kind.by_odds or len(self.outputs) < 2:
            return logits[:, index]
        others = [i for i in range(len(self.outputs)) if i != index]
        return logits[:, index] - logits[:, others].logsumexp(-1)

    def subject(self, row: Any) -> int:
        """Return the output that is spoken of: the one asked for, else the answer of the row."""
        found = self.kind.subject(self.given)
        return self.answer(row) if found is None else found

    @property
    def has_subject(self) -> bool:
        """Whether one output is spoken of, whatever the answer is."""
        return self.head == "likelihood" or self.kind.subject(self.given) is not None

    def answer(self, row: Any) -> int:
        """Return the number of the output that one row of probabilities answers with."""
        return answer_of(self.head, row)

    def chosen(self, row: Any) -> tuple[str, ...]:
        """Return every output that one row of probabilities (outputs,) gives."""
        return chosen_of(self.head, self.outputs, row)

    def output(self, asked: str) -> str:
        """Return the output that a person means, read as a file's label is."""
        found = Known(self.outputs).find(asked)
        return self.outputs[self.index(asked)] if found is None else found

    def index(self, output: str) -> int:
        """Return the number of an output. Raises UnknownNameError, with what there is."""
        if output not in self.outputs:
            what = "label" if self.name == "labels" else "output"
            raise UnknownNameError.of(what, output, self.outputs)
        return self.outputs.index(output)

    def spec(self) -> str | dict[str, Any]:
        """Return the question without its model, JSON-ready: what `asked` reads back."""
        return _plain(self._said()) if self.parameters else self.name

    def options(self) -> list[str]:
        """Return what the command line says for it; nothing for a classifier's labels."""
        named = ["--question", self.name] if self.name != "labels" else []
        return [*named, *(word for n, v in self.parameters for word in _option(n, v))]


_FLAGS = {name: f"--{name}" for name in ("prompt", "target", "against", "answer")}


def _option(name: str, value: Any) -> list[str]:
    """Return a parameter as the command line takes it.

    Ids are found anew from the text, and a conversation is a file.
    """
    if name in ("tokens", "conversation"):
        return []
    if name == "choices":
        return [word for choice in value for word in ("--choice", choice)]
    if name in _FLAGS:
        return [_FLAGS[name], value.replace("\n", "\\n").replace("\t", "\\t")]
    return ["--ask", f"{name}={','.join(map(str, value)) if isinstance(value, tuple) else value}"]


def _plain(given: dict[str, Any]) -> dict[str, Any]:
    """Return parameters JSON-ready: a conversation as its messages."""
    return {n: v.to_dict() if isinstance(v, Conversation) else v for n, v in given.items()}


def in_batches(question: Question, reads: Sequence[Read], batch_size: int | None) -> Any:
    """Return the logits of many texts, a float array (texts, outputs), in batches."""
    count = len(question.outputs)
    return answers_in_batches(question.model, question.ask, reads, count, batch_size)


def json_of(question: Spec) -> dict[str, Any]:
    """Return a question as JSON has it: left out where it is that of a classifier."""
    return {} if question == "labels" else {"question": question}


def asked(model: Model | str | Question, question: Spec = "labels") -> Question:
    """Return the question put to the model, loaded where it is a name.

    `question` is a kind's name, or a mapping with `name` and its parameters. A `Question` in the
    place of the model stays as it is. Raises UnknownNameError for a kind or parameter that there is
    not, CapabilityError where the model cannot answer.

    >>> asked("mini").outputs
    ('negative', 'positive')
    """
    if isinstance(model, Question):
        return model
    given = {"name": question} if isinstance(question, str) else _mapping(question)
    kind = QUESTIONS[given.pop("name", "labels")]
    loaded = load_model(model).bare
    loaded.require(kind.capability_of(loaded))
    given = _without_answer(kind, given)
    values = tuple((name, _value(kind, name, value)) for name, value in sorted(given.items()))
    memos = _memos(loaded, kind.name, values)
    own = kind.frame(loaded, {**kind.defaults, **dict(values)})
    if own is not loaded:
        own = replace(own, memos=memos.setdefault("model", {}))
    return Question(own, kind.name, values, memos)


def _mapping(question: Any) -> dict[str, Any]:
    if not isinstance(question, Mapping):
        raise ParameterError(
            f"The question {question!r} is neither a name nor a name with parameters: give one "
            'such as "next", or {"name": "choices", "choices": ["good", "bad"]}.'
        )
    return dict(question)


def _without_answer(kind: Kind, given: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters with a conversation as it is read before its answer.

    That answer is the one which is asked for, where no other is given.
    """
    if not given.get("conversation") or "conversation" not in kind.defaults:
        return given
    spoken = read_conversation(given["conversation"])
    own = {"answer": spoken.answer} if spoken.answer and "answer" in kind.defaults else {}
    return {**own, **given, "conversation": spoken.prompt}


@remembered(maxsize=64)
def _settled(question: Question, text: str) -> Given:
    return question.kind.settle(question, text)


@remembered(maxsize=64)
def _memos(model: Model, name: str, values: tuple[tuple[str, Any], ...]) -> dict[Any, Any]:
    """Return what is remembered of a question, for all who put it again.

    Not the question itself, which holds the model.
    """
    return {}


def _value(kind: Kind, name: str, value: Any) -> Any:
    """Return a parameter as its default is: a tuple is written with commas, a number as text."""
    if name not in kind.defaults:
        if not kind.defaults:
            raise UnknownNameError(
                f"The question {kind.name!r} takes no parameter {name!r}: leave it out."
            )
        raise UnknownNameError.of(f"parameter of the question {kind.name!r}", name, kind.defaults)
    default = kind.defaults[name]
    if isinstance(value, Conversation):
        return value
    if isinstance(default, tuple):
        return _several(name, value)
    if isinstance(default, str) and not isinstance(value, str):
        raise ParameterError(f"{name} is {value!r}: give a text in quotes.")
    if isinstance(default, int | float):
        return _number(name, value, default)
    return value


def _several(name: str, value: Any) -> tuple[Any, ...]:
    if isinstance(value, str):
        return tuple(item.strip() for item in value.split(","))
    if not isinstance(value, Sequence):
        raise ParameterError(f"{name} is {value!r}: give a list.")
    return tuple(value)


def _number(name: str, value: Any, default: float) -> Any:
    """Return a number of the kind that the default is, also where it is written as a text."""
    kind = type(default)
    try:
        found = kind(value)
    except (TypeError, ValueError, OverflowError):
        found = None
    same = isinstance(value, str) or (isinstance(value, bool) == (kind is bool) and found == value)
    if found is None or not same:
        what = "a whole number" if kind is int else "a number"
        raise ParameterError(f"{name} is {value!r}: give {what}, as {default} is.")
    return found
