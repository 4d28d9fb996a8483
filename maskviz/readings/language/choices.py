"""The question that a language model answers by choosing: which of these continuations?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import ParameterError, UnknownNameError
from ...models.memory import remembered
from ...models.model import Model
from ...text.conversation import Conversation
from ..batches import Read
from ..question import Question, question
from .conversing import conversed
from .prompt import Framed, framed
from .scoring import begun, checked, log_probabilities, of_both, way_of
from .sharing import shared_answers
from .tails import Tail, Template, answer_tails, tails_of

BY = ("sum", "mean", "pmi")


def _frame(model: Model, given: Mapping[str, Any]) -> Framed:
    template, choices = Template.of(given["prompt"]), given["choices"]
    if len(choices) < 2:
        raise ParameterError(
            f"{len(choices)} choices are given: name two or more, such as positive and negative."
        )
    if any(not isinstance(choice, str) for choice in choices):
        raise ParameterError(f"The choices are {choices!r}: give texts in quotes.")
    if given["by"] not in BY:
        raise UnknownNameError.of("way to weigh choices", given["by"], BY)
    if given["conversation"]:
        if given["by"] == "pmi":
            raise ParameterError(
                "A conversation without its contents is none, so that nothing is gained over it "
                "(pmi): weigh the choices by sum or mean."
            )
        own = conversed(model, given["conversation"], choices, as_turn=True)
        _distinct(own.tails)
        return own
    apart = way_of(model) == "translate"
    tails = (answer_tails if apart else tails_of)(model.tokenizer, template, choices)
    _distinct(tails)
    return framed(model, template, tails, ended=apart)


def _distinct(tails: Sequence[Tail]) -> None:
    """Refuse choices of which one begins another: the shorter one always wins."""
    for one in tails:
        for other in tails:
            if one is not other and one.own == other.own:
                raise ParameterError(
                    f"The choice {one.text!r} is there twice: leave one out, or write another."
                )
            if one is not other and other.own[: one.scored] == one.own:
                raise ParameterError(
                    f"The choice {one.text!r} begins {other.text!r}, so that it can only be the "
                    "more probable one: end both with the same mark, such as a full stop."
                )


def _names(model: Model, given: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(given["choices"])


def _detail(
    asked: Question, plain: Read, masked: Read, changed: Question | None = None
) -> dict[str, Any]:
    """Return ln p of each choice: whole, by token and by what it gains over an empty text."""
    model: Any = asked.model

    def ask(one: Model, reads: Sequence[Read]) -> Any:
        return log_probabilities(one, reads, model.tails)

    found = of_both(asked, changed, ask, plain, masked).double().cpu()
    base = without_text(model) if _says_something(model) else None
    return {
        "choices": [
            {
                "text": tail.text,
                "tokens": list(tail.pieces),
                "log_probability_original": float(found[0, i].sum()),
                "log_probability_masked": float(found[1, i].sum()),
                "mean_original": float(found[0, i].sum()) / tail.scored,
                "mean_masked": float(found[1, i].sum()) / tail.scored,
                **({} if base is None else {"log_probability_without_text": base[i]}),
            }
            for i, tail in enumerate(model.tails)
        ],
        "by": asked.given["by"],
    }


@question(
    "choices",
    "Which of the given continuations does the language model choose?",
    outputs=_names,
    capability=way_of,
    prepare=checked,
    frame=_frame,
    detail=_detail,
    answers=shared_answers,
    by_odds=True,
)
def choices(
    model: Model,
    reads: Sequence[Read],
    *,
    prompt: str = "{text}",
    choices: tuple[str, ...] = (),
    by: str = "sum",
    conversation: Conversation | None = None,
) -> Any:
    """Return the weight of each choice (texts, choices): Σ ln p of its tokens.

    by: `sum`; `mean` over the choice's tokens; `pmi`, the gain over the prompt without the text.
    """
    import torch

    assert isinstance(model, Framed)
    found = log_probabilities(model, reads, model.tails).sum(-1)
    if by == "mean":
        return found / torch.tensor([tail.scored for tail in model.tails], device=found.device)
    if by == "pmi":
        return found - torch.tensor(without_text(model), device=found.device)
    return found


def _says_something(model: Framed) -> bool:
    return bool((model.template.before + model.template.behind).strip())


@remembered(maxsize=1)
def without_text(model: Framed) -> tuple[float, ...]:
    """Return ln p of each choice behind the prompt without a text."""
    import torch

    from ..batches import Ids

    if not _says_something(model):
        raise ParameterError(
            "The gain over an empty text (pmi) needs a prompt that says something without it, such "
            "as 'Review: {text}\\nSentiment:'."
        )
    read = model.tokenise("")
    with torch.inference_mode(), begun((), 0):
        found = log_probabilities(
            model, [Ids(read.input_ids, (1,) * len(read.input_ids))], model.tails
        )
    return tuple(map(float, found[0].sum(-1)))
