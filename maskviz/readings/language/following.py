"""The question that a decoder answers by its next token: which, and why this and not that one?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import ParameterError
from ...masks.operators import apply
from ...models.model import Model
from ...text.conversation import Conversation
from ..batches import Read
from ..question import Question, question
from .conversing import conversed
from .prompt import Framed, framed
from .scoring import checked, next_logits, of_both
from .sharing import shared_answers
from .tails import Template, known_ids, pieces_of, tails_of

REST = "(other)"
_MOST = 50  # tokens that are named


def _frame(model: Model, given: Mapping[str, Any]) -> Framed:
    template = Template.of(given["prompt"])
    named = [text for text in (given["target"], given["against"]) if text]
    if given["against"] and not given["target"]:
        raise ParameterError("A token to set against another one needs that too: give the target.")
    if not 1 <= given["top"] <= _MOST:
        raise ParameterError(f"top is {given['top']} and must lie between 1 and {_MOST}.")
    if given["conversation"]:
        own: Framed = conversed(model, given["conversation"], named)
    else:
        tails = tails_of(model.tokenizer, template, named) if named else ()
        own = framed(model, template, tails)
    for tail in own.tails:
        if tail.scored > 1:
            raise ParameterError(
                f"{tail.text!r} is {tail.scored} tokens to {model.name!r} "
                f"({', '.join(map(repr, tail.pieces))}): ask for the first of them, or ask the "
                "question choices or answer."
            )
    if len({tail.own for tail in own.tails}) < len(own.tails):
        raise ParameterError("The target and the token against it are the same: name two.")
    return own


def _ids(model: Model, given: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the ids of the tokens that are named: those asked for, then the text's own."""
    assert isinstance(model, Framed)
    asked = [tail.own[0] for tail in model.tails]
    return tuple(dict.fromkeys([*asked, *known_ids(model, given["tokens"])]))


def _contrast(given: Mapping[str, Any]) -> bool:
    return bool(given["against"])


def _names(model: Model, given: Mapping[str, Any]) -> tuple[str, ...]:
    assert isinstance(model, Framed)
    said = [tail.text for tail in model.tails]
    ids = _ids(model, given)
    if not ids:
        raise ParameterError(
            "The next token is another one behind each text: name a target where several are asked."
        )
    pieces = pieces_of(model.tokenizer, ids[len(said) :])
    names = model.tokenizer.convert_ids_to_tokens(list(ids))
    found: dict[str, None] = {}
    for piece, name in zip([*said, *pieces], names, strict=True):
        found.setdefault(piece if piece not in found else name)
    return tuple(found) if _contrast(given) else (*found, REST)


def _settle(asked: Question, text: str) -> Mapping[str, Any]:
    """Name the tokens that the model itself gives the most to behind a text."""
    given = asked.given
    if given["tokens"] or _contrast(given):
        return {}
    read = apply(text, "attention", asked.model)
    logits = _behind(asked.model, [read])[0]
    return {"tokens": tuple(logits.topk(given["top"]).indices.tolist())}


def _behind(model: Model, reads: Sequence[Read]) -> Any:
    import torch

    with model.running(), torch.inference_mode():
        return next_logits(model, reads).double()


def _detail(
    asked: Question, plain: Read, masked: Read, changed: Question | None = None
) -> dict[str, Any]:
    """Return how far all of the vocabulary moves, and what is asked for in it."""
    model, given = asked.model, asked.given
    said = of_both(asked, changed, _behind, plain, masked).log_softmax(-1)
    ids = _ids(model, given)
    names = _names(model, given)
    return {
        "kl": float((said[0].exp() * (said[0] - said[1])).nansum()),
        "next": [_token(model, said, row) for row in (0, 1)],
        "top": _top(model, said, ids, given["top"]),
        "log_probability_original": {
            n: float(said[0, i]) for n, i in zip(names, ids, strict=False)
        },
        "log_probability_masked": {n: float(said[1, i]) for n, i in zip(names, ids, strict=False)},
        **(
            {"contrast": [float(row[ids[0]] - row[ids[1]]) for row in said]}
            if _contrast(given)
            else {"flip": int(said[0].argmax()) != int(said[1].argmax())}
        ),
    }


def _top(model: Model, said: Any, ids: Sequence[int], count: int) -> list[dict[str, Any]]:
    """Return the tokens asked for, then the most probable ones of the plain and masked text."""
    best = said.topk(min(count, said.shape[-1])).indices.tolist()
    shown = list(dict.fromkeys([*ids, *best[0], *best[1]]))
    pieces = pieces_of(model.tokenizer, shown)
    return [
        {
            "text": piece,
            "probability_original": float(said[0, i].exp()),
            "probability_masked": float(said[1, i].exp()),
        }
        for piece, i in zip(pieces, shown, strict=True)
    ]


def _token(model: Model, said: Any, row: int) -> dict[str, Any]:
    best = int(said[row].argmax())
    (piece,) = pieces_of(model.tokenizer, [best])
    return {"text": piece, "probability": float(said[row, best].exp())}


@question(
    "next",
    "Which token does the decoder write next?",
    outputs=_names,
    capability="generate",
    prepare=checked,
    frame=_frame,
    settle=_settle,
    subject=lambda given: 0,
    detail=_detail,
    flips=_contrast,
    answers=shared_answers,
    by_odds=True,
)
def following(
    model: Model,
    reads: Sequence[Read],
    *,
    prompt: str = "{text}",
    target: str = "",
    against: str = "",
    top: int = 5,
    tokens: tuple[int, ...] = (),
    conversation: Conversation | None = None,
) -> Any:
    """Return ln p of the named tokens and of all others together (texts, outputs).

    With `against` the two tokens alone: their difference is the contrast ln p(A) − ln p(B).
    `tokens` are ids, found from the text itself where they are not given.
    """
    import torch

    given = {"tokens": tokens, "against": against}
    ids = list(_ids(model, given))
    said = next_logits(model, reads).float().log_softmax(-1)
    own = said[:, ids]
    if against:
        return own
    rest = said.index_fill(1, torch.tensor(ids, device=said.device), -torch.inf)
    return torch.cat([own, rest.logsumexp(-1, keepdim=True)], 1)
