"""The question that a language model answers in its own words: how probable is this answer?

Its outputs are the log-probability of the whole answer and of each of its tokens, each given those
before it. Without an answer the model's own is taken, greedily, as transformers writes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import CapabilityError, ParameterError
from ...masks.operators import apply
from ...models.memory import remembered
from ...models.model import Model
from ...text.conversation import Conversation
from ..batches import Read, batch
from ..question import Question, question
from ..written import ends_of
from .conversing import conversed
from .prompt import Framed, framed
from .scoring import (
    checked,
    log_probabilities,
    log_softmax_behind,
    of_both,
    seen_last,
    way_of,
)
from .sharing import shared_answers
from .tails import Tail, Template, answer_tails, known_ids, pieces_of, tails_of

LONGEST = 256  # tokens of an answer that the model writes itself
FLIP = 5  # tokens of two answers that must be the same for them to be so


def _way(model: Model) -> str:
    way = way_of(model)
    if way == "fill":
        raise CapabilityError(
            f"The model {model.name!r} ({model.family}) writes no answer: ask a decoder or an "
            "encoder–decoder, or ask it the question choices."
        )
    return way


def _frame(model: Model, given: Mapping[str, Any]) -> Framed:
    template, apart = Template.of(given["prompt"]), _way(model) == "translate"
    spoken = given["conversation"]
    if not 1 <= given["longest"] <= LONGEST:
        raise ParameterError(f"longest is {given['longest']} and must lie in 1 to {LONGEST}.")
    ids = known_ids(model, given["tokens"])
    if ids:
        pieces = pieces_of(model.tokenizer, ids)
        tails: tuple[Tail, ...] = (Tail(given["answer"], "", ids, len(ids), pieces),)
    elif given["answer"] and spoken:
        return conversed(model, spoken, [given["answer"]], as_turn=True)
    elif given["answer"]:
        tails = (answer_tails if apart else tails_of)(model.tokenizer, template, [given["answer"]])
    else:
        tails = ()
    own = 0 if apart or (given["answer"] and not ids) else int(given["longest"])
    if spoken:
        return conversed(model, spoken, tails=tails, room=own)
    return framed(model, template, tails, ended=apart, room=own)


def _names(model: Model, given: Mapping[str, Any]) -> tuple[str, ...]:
    assert isinstance(model, Framed)
    if not model.tails:
        raise ParameterError(
            "A model's own answer is another one to each text: give the answer where several are "
            "asked."
        )
    tail = model.tails[0]
    return (tail.text, *(f"{i}: {piece}" for i, piece in enumerate(tail.pieces, 1)))


def _settle(asked: Question, text: str) -> Mapping[str, Any]:
    """Let the model write its own answer to a text, where none is given."""
    if asked.given["answer"]:
        return {}
    model: Any = asked.model
    ids = written(model, apply(text, "attention", model), asked.given["longest"])
    if not ids:
        raise ParameterError(
            f"{model.name!r} ends at once behind this text: give the answer that is to be scored."
        )
    return {"answer": decoded(model, ids), "tokens": ids}


def decoded(model: Model, ids: Sequence[int]) -> str:
    """Return tokens as text."""
    return str(model.tokenizer.decode(list(ids), clean_up_tokenization_spaces=False))


def written(model: Model, read: Read, longest: int) -> tuple[int, ...]:
    """Return the ids that a model writes greedily behind a prompt, without the end of its turn.

    At most `longest`, fewer where the model takes no more. The same prompt is asked once: what is
    written greedily begins with what fewer tokens would be.
    """
    said = _said(model.bare, tuple(read.input_ids), tuple(read.attention_mask))
    if not (said.ended or len(said.ids) >= longest):
        keep(model, read, generated(model, read, longest), longest)
    return said.ids[:longest]


@dataclass
class _Said:
    """What is known of a model's own answer to a prompt; ended: whether that is all of it."""

    ids: tuple[int, ...] = ()
    ended: bool = False


@remembered(maxsize=64)
def _said(model: Model, ids: tuple[int, ...], seen: tuple[int, ...]) -> _Said:
    return _Said()


def keep(model: Model, read: Read, ids: tuple[int, ...], longest: int) -> None:
    """Remember what a model writes behind a prompt where `longest` tokens are asked for."""
    said = _said(model.bare, tuple(read.input_ids), tuple(read.attention_mask))
    if not said.ended and len(ids) >= len(said.ids):
        said.ids, said.ended = ids, len(ids) < longest


def generated(model: Model, prompt: Read, longest: int, **watched: Any) -> tuple[int, ...]:
    """Return what `written` returns, asked anew; `watched` goes to transformers' `generate`."""
    import torch

    way = _way(model)
    (read,) = seen_last(model, [prompt]) if way == "generate" else (prompt,)
    count = len(read.input_ids)
    room = model.max_length - count if way == "generate" else longest
    inputs, network = batch(model, [read]), model.network(way)
    if way == "generate" and not inputs["attention_mask"].all():
        # By itself `generate` counts visible tokens alone; a hidden one keeps its place here.
        inputs["position_ids"] = torch.arange(count, device=inputs["input_ids"].device)[None]
    with model.running(), torch.inference_mode():
        found = network.generate(
            **inputs,
            max_new_tokens=max(1, min(longest, room)),
            do_sample=False,
            num_beams=1,
            pad_token_id=model.padding,
            **watched,
        )[0].tolist()[count if way == "generate" else 1 :]
    return until_end(network, found)


def until_end(network: Any, ids: Sequence[int]) -> tuple[int, ...]:
    """Return the ids before the one that ends an answer."""
    ends = ends_of(network.generation_config.eos_token_id)
    return tuple(ids[: next((i for i, token in enumerate(ids) if token in ends), len(ids))])


def _detail(
    asked: Question, plain: Read, masked: Read, changed: Question | None = None
) -> dict[str, Any]:
    """Return the answer token by token, what is written under the mask, and where they part."""
    import torch

    model: Any = asked.model
    tail = model.tails[0]

    def ask(one: Model, reads: Sequence[Read]) -> Any:
        return log_softmax_behind(one, reads, tail)

    said = of_both(asked, changed, ask, plain, masked).double().cpu()
    own = said.gather(-1, torch.tensor(tail.own).expand(2, -1)[..., None])[..., 0]
    kl = (said[0].exp() * (said[0] - said[1])).nansum(-1)
    shown = _shown(asked, tail)
    first = written(model, plain, max(FLIP, shown))
    second = written(changed.model if changed else model, masked, max(FLIP, shown))
    flip = first[:FLIP] != second[:FLIP]
    first, second = first[:shown], second[:shown]
    parts = next(
        (i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b),
        None if first == second else min(len(first), len(second)),
    )
    return {
        "kl": float(kl.mean()),
        "flip": flip,
        "log_probability_original": float(own[0].sum()),
        "log_probability_masked": float(own[1].sum()),
        "tokens": [
            {
                "text": piece,
                "log_probability_original": float(own[0, i]),
                "log_probability_masked": float(own[1, i]),
                "kl": float(kl[i]),
            }
            for i, piece in enumerate(tail.pieces)
        ],
        "generation": {
            "original": decoded(model, first),
            "masked": decoded(model, second),
            "parts_at": parts,
        },
    }


def _shown(asked: Question, tail: Tail) -> int:
    """Return how many tokens of both answers are shown.

    As many as are asked for where an answer ends by itself: in a conversation, and where it is the
    model's own; of others as many as are scored.
    """
    given = asked.given
    if given["conversation"] or given["tokens"]:
        return int(given["longest"])
    return max(FLIP, min(LONGEST, tail.scored))


@question(
    "answer",
    "How probable is an answer, whole and token by token?",
    outputs=_names,
    capability=_way,
    head=lambda model: "likelihood",
    prepare=checked,
    frame=_frame,
    settle=_settle,
    detail=_detail,
    flips=lambda given: False,
    answers=shared_answers,
)
def answering(
    model: Model,
    reads: Sequence[Read],
    *,
    prompt: str = "{text}",
    answer: str = "",
    longest: int = 32,
    tokens: tuple[int, ...] = (),
    conversation: Conversation | None = None,
) -> Any:
    """Return ln p of the answer, whole and of each token (texts, 1 + tokens).

    longest: of the model's own answer, in tokens. `tokens` are its ids, found from the text itself
    where no answer is given. conversation: what is read in the place of the text behind a prompt.
    """
    import torch

    assert isinstance(model, Framed)
    found = log_probabilities(model, reads, model.tails[:1])[:, 0]
    return torch.cat([found.sum(-1, keepdim=True), found], 1)
