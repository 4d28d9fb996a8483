"""The finding on a conversation: what is hidden where, how the answer changes, and its rank."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...errors import MaskvizError
from ...masks.edit import BY_HAND
from ...masks.mask import Mask
from ...masks.spans import MaskSpan, cut
from ...readings.question import Question
from ...readings.windows import read
from ...text.conversation import Conversation, Piece
from ...text.document import Document
from ..chance.verdict import Control
from .compare import Comparison
from .scale import shortened
from .sentence import beside, times, verdict_said

_ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
)  # fmt: skip
_QUOTED = 5  # words that are named themselves
_SHOWN = 70  # characters of an answer in the sentence
_ROUND = 24  # characters of it before the place where two answers part
_NOTICEABLE = 0.02  # nats
Place = tuple[int, int]  # characters


def spoken_sentence(
    comparison: Comparison, chance: Control | None, conversation: Conversation
) -> str:
    """Say in one sentence what the answer does without what is hidden, and its rank.

    >>> spoken_sentence(compared, chance, conversation)                # doctest: +SKIP
    'Without the second sentence of the system prompt the answer changes from “Rome” to “Milan”: …'
    """
    mask, detail = comparison.mask, comparison.detail
    if not mask.hidden_words:
        return "Nothing is hidden: click a word, or choose a strategy, and ask again."
    before, after = (detail["generation"][side].strip() for side in ("original", "masked"))
    moved = detail["log_probability_masked"] - detail["log_probability_original"]
    if before != after:
        one, other = parting(before, after)
        one, other = (f"“{t}”" if own else "nothing" for t, own in ((one, before), (other, after)))
        change = f"the answer changes from {one} to {other}"
    elif abs(moved) < _NOTICEABLE:
        change = f"the answer “{shortened(before, _SHOWN)}” stays as it is"
    else:
        way = "less" if moved < 0 else "more"
        change = (
            f"the answer “{shortened(before, _SHOWN)}” stays, {times(abs(moved))} {way} probable"
        )
    without = f"Without {where_hidden(mask, conversation)}"
    return f"{without} {change}{_ranked(chance)}."


def parting(one: str, other: str) -> tuple[str, str]:
    """Return two answers shortened round the place where they part.

    >>> parting("It opened in 1931.", "It opened in 1850.")
    ('It opened in 1931.', 'It opened in 1850.')
    """
    flat = [" ".join(text.split()) or "nothing" for text in (one, other)]
    if all(len(text) <= _SHOWN for text in flat):
        return flat[0], flat[1]
    pairs = enumerate(zip(*flat, strict=False))
    at = next((i for i, (a, b) in pairs if a != b), min(map(len, flat)))
    start = flat[0].rfind(" ", 0, max(0, at - _ROUND)) + 1 if at > _SHOWN // 2 else 0
    mark = "… " if start else ""
    return mark + shortened(flat[0][start:], _SHOWN), mark + shortened(flat[1][start:], _SHOWN)


def parted(text: str, other: str, whole: bool = True) -> tuple[str, str]:
    """Return a text in two: the words that it begins with as the other one does, and the rest.

    whole: whether both are at their end; else one that the other only goes on from is not parted.

    >>> parted("In Rome now.", "In Milan.")
    ('In ', 'Rome now.')
    """
    pairs = enumerate(zip(text, other, strict=False))
    end = next((i for i, (a, b) in pairs if a != b), None)
    if end is None:
        short = min(len(text), len(other))
        end = short if whole and len(text) != len(other) else len(text)
        return text[:end], text[end:]
    same = text[: max(text.rfind(gap, 0, end) for gap in " \n") + 1]
    return same, text[len(same) :]


def _ranked(chance: Control | None) -> str:
    if chance is None:
        return ""
    if chance.draws and chance.number == 1 and not (chance.by_effect or chance.tells):
        place = "the strongest" if chance.rank == 1 else f"number {chance.rank} by strength"
        first, _, rest = chance.unit.partition(" ")
        among = f"the {chance.draws + 1} {first}s{' ' * bool(rest)}{rest} of about its length"
        return f": {place} of {among} (too few for more than a rank)"
    return f"; {beside(chance)}{verdict_said(chance)}"


# what is hidden -------------------------------------------------------------------------------


def where_hidden(mask: Mask, conversation: Conversation) -> str:
    """Say what a mask hides of a conversation, as briefly as it can be named.

    >>> hi = Conversation((Turn("user", "Where is Ann?"), Turn("assistant", "In Rome.")))
    >>> where_hidden(mask(hi, "pattern", pattern="Ann"), hi)           # doctest: +SKIP
    '“Ann” in turn 1 (user)'
    """
    hidden = [mask.words[i] for i in mask.hidden_words]
    pieces = [p for p in conversation.pieces if _inside(hidden, p.start, p.end)]
    turns = list(dict.fromkeys(piece.turn for piece in pieces))
    whole = [t for t in turns if _whole(mask, conversation, t, hidden)]
    if whole and len(whole) == len(turns):
        return _listed([turn_name(conversation, t) for t in turns])
    if len(pieces) == 1 and (said := _sentences_hidden(mask, conversation, pieces[0], hidden)):
        return said
    where = turn_name(conversation, turns[0]) if len(turns) == 1 else f"{len(turns)} turns"
    first, last = mask.hidden_words[0], mask.hidden_words[-1]
    if len(pieces) == 1 and len(hidden) == last - first + 1 and len(hidden) <= _QUOTED:
        return f"“{shortened(mask.text[hidden[0][0] : hidden[-1][1]])}” in {where}"
    many = f"{len(hidden):,} word{'s' * (len(hidden) != 1)}"
    return f"{many} {'of' if len(turns) == 1 else 'in'} {where}{_by(mask)}"


def turn_name(conversation: Conversation, turn: int) -> str:
    """Return what a turn is called: `the system prompt`, or `turn 3 (user)`."""
    role = conversation.turns[turn].role
    if role == "system" and sum(t.role == "system" for t in conversation.turns) == 1:
        return "the system prompt"
    return f"turn {turn + 1} ({role})"


def sentences_of(conversation: Conversation) -> tuple[Place, ...]:
    """Return where each sentence of the contents stands; none where no pipeline is here."""
    try:
        return tuple((s.start, s.end) for s in Document.of(conversation).sentences)
    except MaskvizError:
        return ()


def whole_sentences(mask: Mask, sentences: Sequence[Place]) -> Mask:
    """Return a mask in which words that a person clicked and that stand together are one span.

    Where they are all of a sentence its marks go along: it is set beside other sentences then.

    >>> words = (MaskSpan(0, 2, BY_HAND), MaskSpan(3, 6, BY_HAND))
    >>> [(s.start, s.end) for s in whole_sentences(Mask("Hi you. Bye.", words), [(0, 7)]).spans]
    [(0, 7)]
    """
    hidden = set(mask.hidden_words)
    whole = [MaskSpan(*place, BY_HAND) for place in sentences if _clicked(mask, place, hidden)]
    taken = frozenset(c for span in whole for c in range(span.start, span.end))
    rest: list[MaskSpan] = []
    for span in cut(mask.spans, taken):
        if rest and span.reason == rest[-1].reason == BY_HAND:
            gap = mask.text[rest[-1].end : span.start]
            if gap.isspace() and "\n\n" not in gap:  # which ends a turn
                rest[-1] = replace(rest[-1], end=span.end)
                continue
        rest.append(span)
    return replace(mask, spans=(*rest, *whole))


def _clicked(mask: Mask, place: Place, hidden: set[int]) -> bool:
    """Tell whether all of several words of a sentence are hidden, and a person chose some."""
    words = range(bisect_left(mask.words, place[:1]), bisect_left(mask.words, place[1:]))
    spans = [s for s in mask.spans if s.start < place[1] and s.end > place[0]]
    by_hand = len(spans) > 1 and any(span.reason == BY_HAND for span in spans)
    return by_hand and hidden.issuperset(words)


def _by(mask: Mask) -> str:
    return "" if mask.strategy == "manual" or "edited" in mask.parameters else f" ({mask.strategy})"


def _inside(words: Sequence[Place], start: int, end: int) -> list[Place]:
    return [word for word in words if start <= word[0] < end]


def _whole(mask: Mask, conversation: Conversation, turn: int, hidden: Sequence[Place]) -> bool:
    own = [p for p in conversation.pieces if p.turn == turn]
    return all(
        len(_inside(mask.words, p.start, p.end)) == len(_inside(hidden, p.start, p.end))
        for p in own
    )


def _sentences_hidden(
    mask: Mask, conversation: Conversation, piece: Piece, hidden: Sequence[Place]
) -> str:
    """Name whole sentences of one content; empty where the mask hides other things."""
    own = [s for s in sentences_of(conversation) if piece.start <= s[0] < piece.end]
    numbers = [i for i, place in enumerate(own) if _inside(hidden, *place)]
    count = sum(len(_inside(mask.words, *own[i])) for i in numbers)
    if not numbers or count != len(hidden) or len(own) < 2:
        return ""
    where = turn_name(conversation, piece.turn)
    if len(numbers) == 1:
        return f"the {ordinal(numbers[0] + 1)} sentence of {where}"
    return f"{len(numbers)} sentences of {where}"


def ordinal(number: int) -> str:
    """Return the word for a place in an order, from the tenth on in figures.

    >>> ordinal(2), ordinal(21), ordinal(112)
    ('second', '21st', '112th')
    """
    if number <= len(_ORDINALS):
        return _ORDINALS[number - 1]
    teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


# all sentences, ranked ------------------------------------------------------------------------


@dataclass(frozen=True)
class Ranked:
    """A sentence of a conversation, and by how much the answer's ln p falls without it, in nats."""

    turn: int
    start: int
    end: int
    text: str
    fall: float

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values."""
        return dict(vars(self))


def rank_said(ranked: Sequence[Ranked], mask: Mask) -> str:
    """Say which places the sentences have that a mask hides whole; empty where it hides none.

    >>> one = Ranked(0, 0, 3, "Hi.", 2.0)
    >>> rank_said([one, Ranked(0, 4, 8, "Bye.", 0.1)], Mask("Hi. Bye.", (MaskSpan(0, 3),)))
    'The hidden sentence is number 1 of 2.'
    """
    places = [str(i) for i, one in enumerate(ranked, 1) if hides(mask, one)]
    if not places:
        return ""
    if len(places) == 1:
        return f"The hidden sentence is number {places[0]} of {len(ranked):,}."
    return f"The hidden sentences are number {_listed(places)} of {len(ranked):,}."


def hides(mask: Mask, one: Ranked) -> bool:
    """Tell whether a mask hides all words of a sentence."""
    words = range(bisect_left(mask.words, (one.start,)), bisect_left(mask.words, (one.end,)))
    return bool(words) and set(mask.hidden_words).issuperset(words)


def ranked_sentences(
    question: Question, conversation: Conversation, operator: str
) -> tuple[Ranked, ...]:
    """Hide each sentence in turn; return them by how far the answer moves, the strongest first.

    question: `answer`, put about the conversation's text.
    """
    text = conversation.text
    places = [p for p in sentences_of(conversation) if any(c.isalnum() for c in text[slice(*p)])]
    if not places:
        return ()
    masks = [(Mask(text), "attention")]
    masks += [(Mask(text, (MaskSpan(*place),)), operator) for place in places]
    scores = read(question, masks).logits[:, 0]
    found = []
    for place, score in zip(places, scores[1:], strict=True):
        piece = conversation.piece_at(place[0])
        turn = piece.turn if piece else 0
        found.append(Ranked(turn, *place, text[slice(*place)], float(scores[0] - score)))
    return tuple(sorted(found, key=lambda one: -abs(one.fall)))
