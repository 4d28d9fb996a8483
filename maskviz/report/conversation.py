"""The report on a conversation: both answers, which sentences count, and where the model looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import __version__
from ..attention.by_turn import TurnShares, attention_by_turn
from ..errors import CapabilityError, ParameterError
from ..evidence import Comparison, Control, compare, control
from ..evidence.text.sentence import times
from ..evidence.text.spoken import (
    Ranked,
    parted,
    rank_said,
    ranked_sentences,
    spoken_sentence,
    turn_name,
)
from ..masks.mask import Mask
from ..models.model import Model, load_model
from ..readings.question import Question, asked
from ..text.conversation import Conversation
from ..text.percent import percent
from .charts import table
from .document import Report, Section, escape, sentence
from .settings import named_parameters
from .text import verdict

_MOST = 60  # sentences in the table
_NOTICEABLE = 0.05  # nats: below it an answer is as probable as before


def conversation_report(
    mask: Mask,
    prompt: Conversation,
    model: Model | str,
    operator: str = "delete",
    longest: int = 32,
) -> Report:
    """Ask plain and masked and return the report; `mask` is of the prompt's text.

    Raises CapabilityError where the model reads no conversation.

    >>> conversation_report(mask, prompt, "smollm2").finding            # doctest: +SKIP
    'Without the third sentence of the system prompt the answer changes from …'
    """
    loaded = load_model(model)
    put = asked(loaded, {"name": "answer", "conversation": prompt, "longest": longest})
    put = put.about(mask.text)
    compared = compare(mask, put, operator)
    chance = control(mask, put, operator) if mask.hidden_words else None
    ranked = ranked_sentences(put, prompt, operator)
    return Report(
        title=f"A conversation of {len(prompt.begun)} turn{'s' * (len(prompt.begun) != 1)}",
        finding=spoken_sentence(compared, chance, prompt),
        sections=[
            Section("What was said, and what was hidden?", _turns(mask, prompt)),
            Section("What did the model answer?", _answers(compared)),
            Section("Which sentences does the answer rest on?", _ranking(ranked, prompt, mask)),
            Section("Where did the model look?", _looked(loaded, prompt, compared)),
        ],
        sure=_sure(chance, compared),
        settings=_settings(mask, put, operator, longest),
        commands=_commands(mask, prompt, put, operator, longest),
    )


def _turns(mask: Mask, prompt: Conversation) -> str:
    """Return the turns as a list, hidden words as blocks of ink."""
    blocked = _inked(mask)
    rows = []
    for turn in range(len(prompt.begun)):
        said = "\n\n".join(blocked(p.start, p.end) for p in prompt.pieces if p.turn == turn)
        rows.append(
            f'<h3>{escape(turn_name(prompt, turn))}</h3><div class="text" dir="auto">{said}</div>'
        )
    return f"<p>{_tried(len(mask.hidden_words), len(mask.words))}</p>{''.join(rows)}"


def _tried(count: int, total: int) -> str:
    of = f"{count:,} of {total:,} word{'s' * (total != 1)}"
    if count == 1:
        return f"{of} was hidden in a second try; it stands in ink."
    return f"{of} were hidden in a second try{'; they stand in ink' if count else ''}."


def _inked(mask: Mask) -> Any:
    hidden = set(mask.hidden_words)

    def said(start: int, end: int) -> str:
        parts, at = [], start
        for i, (first, last) in enumerate(mask.words):
            if start <= first < end:
                word = escape(mask.text[first:last])
                parts.append(escape(mask.text[at:first]))
                parts.append(f'<span class="hidden">{word}</span>' if i in hidden else word)
                at = last
        return "".join([*parts, escape(mask.text[at:end])])

    return said


def _answers(compared: Comparison) -> str:
    written = compared.detail["generation"]
    plain, masked = written["original"].strip(), written["masked"].strip()
    rows = []
    for name, own, other in (
        ("The conversation as it is", plain, masked),
        ("With the words hidden", masked, plain),
    ):
        same, rest = parted(own, other)
        marked = f"<mark>{escape(rest)}</mark>" if rest.strip() else ""
        text = f"{escape(same)}{marked}" or "<em>nothing</em>"
        rows.append(f'<h3>{escape(name)}</h3><div class="text" dir="auto">{text}</div>')
    fall = compared.detail["log_probability_original"] - compared.detail["log_probability_masked"]
    return f"<p>{_beside_plain(plain, masked, fall)}</p>{''.join(rows)}"


def _beside_plain(plain: str, masked: str, fall: float) -> str:
    """Say how the second answer differs; fall: of the first one's log-probability, in nats."""
    if not plain:
        return "The model wrote nothing." if not masked else "The first time it wrote nothing."
    parts = "The mark shows where the two part. "
    if plain == masked:
        parts = "Both are the same as far as they were written. "
    return f"{parts}With the words hidden the first answer is {_so_many_times(fall)} to the model."


def _ranking(ranked: Sequence[Ranked], prompt: Conversation, mask: Mask) -> str:
    if not ranked:
        return "<p>The sentences could not be told apart here, so none was hidden by itself.</p>"
    hidden = mask.characters
    rows = [
        (
            place,
            one.text,
            turn_name(prompt, one.turn),
            _so_many_times(one.fall),
            "yes" if any(i in hidden for i in range(one.start, one.end)) else "",
        )
        for place, one in enumerate(ranked[:_MOST], 1)
    ]
    more = f"<p>and {len(ranked) - _MOST:,} more</p>" if len(ranked) > _MOST else ""
    return (
        "<p>Each sentence was hidden by itself. The strongest stand first: without it the first "
        f"answer is so many times less, or more, probable. {rank_said(ranked, mask)}</p>"
        '<div class="wide">'
        + table(("rank", "sentence", "in", "without it the answer is", "hidden"), rows)
        + f"</div>{more}"
    )


def _so_many_times(fall: float) -> str:
    if abs(fall) < _NOTICEABLE:
        return "about as probable"
    return f"{times(abs(fall))} {'less' if fall > 0 else 'more'} probable"


def _looked(model: Model, prompt: Conversation, compared: Comparison) -> str:
    answer = compared.detail["generation"]["original"].strip()
    if not answer:
        return "<p>The model answered nothing, so it looked nowhere.</p>"
    try:
        shares = attention_by_turn(model, prompt, answer)
    except (CapabilityError, ParameterError) as error:
        return f"<p>{sentence(error)}</p>"
    return (
        "<p>While it wrote its answer, the model's attention went to these turns. Where a model "
        "looks is not the same as what decides its answer: the ranking above is measured by taking "
        f"sentences away, this is not.</p>{_shares(shares, prompt)}"
    )


def _shares(shares: TurnShares, prompt: Conversation) -> str:
    rows = [(turn_name(prompt, i), percent(share, 1)) for i, share in enumerate(shares.turns)]
    rows.append(("marks of turns, which the model's template adds", percent(shares.template, 1)))
    rows.append(("the answer's own words before", percent(shares.answer, 1)))
    note = f'<p class="note">{_begin_said(shares.begin)}</p>' if shares.begin > 0.2 else ""
    return table(("what is looked at", "share of attention"), rows) + note


def _begin_said(share: float) -> str:
    return (
        f"{percent(share, 1)} rest on the very first mark, which many models look at whatever the "
        "text says."
    )


def _sure(chance: Control | None, compared: Comparison) -> str:
    if chance is None:
        return "Nothing was hidden, so nothing can have changed."
    more = f" {compared.notice}" if compared.notice else ""
    return (
        f"{verdict(chance)} This is one conversation and one model: it says nothing about others."
        f"{more}"
    )


def _settings(mask: Mask, put: Question, operator: str, longest: int) -> dict[str, Any]:
    return {
        "model": put.model.name,
        "strategy": mask.strategy,
        "parameters": named_parameters(mask),
        "operator": operator,
        "seed": mask.seed,
        "tokens of an answer, at most": longest,
        "text of the turns (SHA-256)": mask.text_hash,
        "maskviz": __version__,
    }


def _commands(
    mask: Mask, prompt: Conversation, put: Question, operator: str, longest: int
) -> list[str]:
    """Return Python that makes the report again: no command reads a conversation with a mask."""
    spans = ", ".join(f"MaskSpan({s.start}, {s.end})" for s in mask.spans)
    return [
        "# python",
        "from maskviz.masks import Mask, MaskSpan",
        "from maskviz.report import conversation_report, save",
        "from maskviz.text.conversation import read_conversation",
        f"prompt = read_conversation({prompt.to_json()!a})",
        f"mask = Mask(prompt.text, ({spans}{',' * (len(mask.spans) == 1)}))",
        f"report = conversation_report(mask, prompt, {put.model.name!a}, {operator!r}, {longest})",
        "save(report, 'report.html')",
    ]
