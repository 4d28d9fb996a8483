"""What a model is asked, and so which numbers it answers with.

A kind of question is a small function `(model, reads, …) -> logits`, a tensor (texts, outputs),
registered with the names of its outputs; every kind of evidence works on it then. Its own
parameters are read from its signature.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..data.known import Known
from ..errors import ParameterError, UnknownNameError
from ..models.memory import remembered
from ..models.model import Model, load_model
from ..registry import Registry
from .batches import Ids, Read, answers_in_batches
from .heads import activated, answer_of, chosen_of, log_odds

Ask = Callable[..., Any]
Spec = str | Mapping[str, Any]  # a kind, or `name` and parameters


@dataclass(frozen=True)
class Kind:
    """A registered kind of question.

    capability: of the network that answers. outputs: their names, from the model and the
    parameters. head: what the outputs are, see `heads`. prepare: what is done once with all texts
    before they are read in batches, side by side.
    """

    name: str
    summary: str
    capability: str
    ask: Ask
    outputs: Callable[[Model, Mapping[str, Any]], Sequence[str]]
    head: Callable[[Model], str]
    prepare: Callable[[Model, Sequence[Read]], Sequence[Read]] = lambda model, reads: reads

    @property
    def defaults(self) -> dict[str, Any]:
        """The parameters that one may give, with what they are without."""
        given = inspect.signature(self.ask).parameters.values()
        return {p.name: p.default for p in given if p.kind is p.KEYWORD_ONLY}


QUESTIONS: Registry[Kind] = Registry("question", ("maskviz.readings.labels",), "maskviz.questions")


def question(
    name: str,
    summary: str,
    *,
    outputs: Callable[[Model, Mapping[str, Any]], Sequence[str]],
    capability: str,
    head: Callable[[Model], str] = lambda _: "single",
    prepare: Callable[[Model, Sequence[Read]], Sequence[Read]] = lambda model, reads: reads,
) -> Callable[[Ask], Ask]:
    """Register the decorated function as the kind of question `name`.

    >>> @question("first", "…", outputs=lambda m, given: m.labels[:2], capability="classify")
    ... def first(model, reads): ...
    """

    def register(ask: Ask) -> Ask:
        QUESTIONS.add(Kind(name, summary, capability, ask, outputs, head, prepare), ask.__module__)
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
        return self.model.network(self.kind.capability)

    def ask(self, reads: Sequence[Read]) -> Any:
        """Return the logits of one batch, a tensor (texts, outputs), with its gradient if any."""
        return self.kind.ask(self.model, reads, **self.given)

    def logits(self, reads: Sequence[Read], batch_size: int | None = None) -> Any:
        """Return the logits of any number of texts as a float array (texts, outputs).

        Texts that are the same to the model share one pass, so their answers are equal to the last
        bit.
        """
        import numpy as np

        places: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
        keys = ((tuple(r.input_ids), tuple(r.attention_mask)) for r in reads)
        which = [places.setdefault(key, len(places)) for key in keys]
        answers = self.logits_apart([Ids(*key) for key in places], batch_size)
        return answers[which] if places else np.zeros((0, len(self.outputs)))

    def logits_apart(self, reads: Sequence[Read], batch_size: int | None = None) -> Any:
        """Return `logits` of texts that are known to differ: nothing is compared."""
        # Loaded here, since in inference mode its weights would have no gradient, and held on to,
        # so that no batch finds it dropped.
        network = self.network
        reads = self.kind.prepare(self.model, reads)
        try:
            return answers_in_batches(self.model, self.ask, reads, len(self.outputs), batch_size)
        finally:
            del network

    def probabilities(self, logits: Any) -> Any:
        """Return logits (…, outputs) as probabilities (of a regression the values), an array."""
        return activated(self.head, logits)

    def log_odds(self, logits: Any) -> Any:
        """Return ln(p / (1 − p)) of each output (of a regression the values), an array."""
        return log_odds(self.head, logits)

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
        return {"name": self.name, **dict(self.parameters)} if self.parameters else self.name

    def options(self) -> list[str]:
        """Return what the command line says for it; nothing for a classifier's labels."""
        shown = {n: ",".join(v) if isinstance(v, tuple) else v for n, v in self.parameters}
        given = [word for n, v in shown.items() for word in ("--ask", f"{n}={v}")]
        return [*(["--question", self.name] if self.name != "labels" else []), *given]


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
    given = {"name": question} if isinstance(question, str) else dict(question)
    kind = QUESTIONS[given.pop("name", "labels")]
    loaded = load_model(model)
    loaded.require(kind.capability)
    values = tuple((name, _value(kind, name, value)) for name, value in sorted(given.items()))
    return _put(loaded, kind.name, values)


@remembered(maxsize=64)
def _put(model: Model, name: str, values: tuple[tuple[str, Any], ...]) -> Question:
    """Return the same question for the same words: what it remembers is there for all."""
    return Question(model, name, values)


def _value(kind: Kind, name: str, value: Any) -> Any:
    """Return a parameter as its default is: a tuple is written with commas, a number as text."""
    if name not in kind.defaults:
        if not kind.defaults:
            raise UnknownNameError(
                f"The question {kind.name!r} takes no parameter {name!r}: leave it out."
            )
        raise UnknownNameError.of(f"parameter of the question {kind.name!r}", name, kind.defaults)
    default = kind.defaults[name]
    if isinstance(default, tuple):
        items: Iterable[Any] = value.split(",") if isinstance(value, str) else value
        return tuple(item.strip() if isinstance(item, str) else item for item in items)
    if isinstance(default, int | float) and isinstance(value, str):
        try:
            return type(default)(value)
        except ValueError:
            raise ParameterError(f"{name} is {value!r}: give a number, as {default} is.") from None
    return value
