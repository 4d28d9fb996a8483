"""The report on one text: what the model looked at, what was hidden, what changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import __version__
from ..errors import CapabilityError
from ..evidence import Comparison, Control, Explanation, compare, control, explain
from ..evidence.chance.verdict import LEVEL
from ..evidence.text.sentence import beside, comparison_sentence
from ..masks import edit
from ..masks.mask import Mask
from ..models.model import Model
from ..readings.question import Question, Spec, asked, json_of
from ..text.beginning import LONGEST, beginning
from ..text.percent import percent, points
from .asked import asked_section, beside_chance, in_words
from .charts import bars, intervals
from .document import Report, Section, attribute, escape, sentence
from .settings import named_parameters

WORDS_SCORED = 200  # beyond this, a score for each word takes minutes
WORDS_SHOWN = 5000
_FEW_DRAWS = 19  # below it the strongest of all masks is no rarer than one in twenty
_NOTICED = 0.005  # what the answer moves without a word, below which it is called little


def text_report(
    mask: Mask,
    model: Model | str | Question = "mini",
    operator: str = "mask",
    given: int = 0,
    question: Spec = "labels",
) -> Report:
    """Compare the text with and without the mask and return the report.

    Of a long text its first 20,000 characters are compared and shown, and the report says so;
    `given` is the number of words of the whole text where the mask is of its beginning already.
    Raises CapabilityError where the model cannot answer the question.

    >>> text_report(maskviz.mask("Anna loved it.", "entity")).finding      # doctest: +SKIP
    'Hiding 1 of 3 words (entity) leaves positive 97 % ...'
    """
    put = asked(model, question)
    loaded = put.model
    if loaded.conversation(mask.text) is None:  # a conversation is read whole, or not at all
        mask, given = _shown(mask, given)
    comparison = compare(mask, put, operator)
    chance = control(mask, put, operator) if mask.hidden_words else None
    explained = _explained(mask, put)
    scores = [round(word.score, 5) for word in explained.words] if explained else []
    attention = _attention(mask, loaded)
    return Report(
        title=_shortened(mask.text),
        finding=comparison_sentence(comparison, chance),
        sections=[
            *asked_section(comparison, put),
            Section("What did the model look at?", _looked(mask, scores, attention, explained)),
            Section("What was hidden, and why?", _hidden(mask)),
            Section("What changed?", _changed(comparison, chance)),
        ],
        sure=_sure(comparison, chance)
        + (f" {read_in_part(len(mask.words), given)}" if given else ""),
        settings=_settings(mask, put, operator),
        commands=_commands(mask, put, operator),
        data={
            "words": [mask.text[start:end] for start, end in mask.words[:WORDS_SHOWN]],
            "scores": scores,
            "attention": attention,
            "begin": _begin(scores),
            **_hover(explained),
        },
    )


def _shown(mask: Mask, given: int) -> tuple[Mask, int]:
    """Return the mask of the text's beginning and the words of the whole text."""
    if len(mask.text) <= LONGEST:
        return mask, given
    return edit.beginning(mask, len(beginning(mask.text))), given or len(mask.words)


def read_in_part(words: int, given: int) -> str:
    """Say how much of a long text a report reads.

    >>> read_in_part(3600, 160000)
    'Read here: the first 3,600 of 160,000 words.'
    """
    return f"Read here: the first {words:,} of {given:,} words."


def _explained(mask: Mask, question: Question) -> Explanation | None:
    """Return leave-one-out scores of the words; none for a text that is too long for it."""
    if not 0 < len(mask.words) <= WORDS_SCORED:
        return None
    return explain(mask.text, question)


_MEASURES = {
    "value": ("the value", ""), "ln p": ("the answer’s log-probability", " nats"),
    "contrast": ("the lead of the one over the other", " nats"),
}  # fmt: skip


def _hover(explained: Explanation | None) -> dict[str, str]:
    """Return what the scores are, where they are no probabilities."""
    if explained is None or explained.unit not in _MEASURES:
        return {}
    measure, unit = _MEASURES[explained.unit]
    return {"measure": measure, "unit": unit or " "}


def _begin(scores: Sequence[float]) -> int:
    return max(range(len(scores)), key=lambda i: scores[i]) if scores else 0


def _attention(mask: Mask, model: Model) -> list[list[float]]:
    """Return how much each word attends to each other, mean over layers and heads, of its sum 1."""
    import numpy as np

    from ..attention import attend

    if not 0 < len(mask.words) <= WORDS_SCORED:
        return []
    try:
        found = attend(mask.text, model, method="mean")
    except CapabilityError:  # the architecture does not show its attention
        return []
    if found.weights.shape[-1] != found.weights.shape[-2]:
        return []
    weights = np.asarray(found.weights, dtype=float).mean(axis=(0, 1))
    member = _membership(mask, found.encoding.offsets)
    counts = np.maximum(member.sum(axis=1, keepdims=True), 1)
    words = (member / counts) @ weights @ member.T
    shares = words / np.maximum(words.sum(axis=1, keepdims=True), 1e-12)
    return [[round(float(share), 4) for share in row] for row in shares]


def _membership(mask: Mask, offsets: Sequence[tuple[int, int] | None]) -> Any:
    """Return (words, tokens): 1 where the token lies in the word."""
    import numpy as np

    member = np.zeros((len(mask.words), len(offsets)))
    word = 0
    for token, offset in enumerate(offsets):
        if offset is None or offset[0] == offset[1]:
            continue
        while word < len(mask.words) and mask.words[word][1] <= offset[0]:
            word += 1
        if word < len(mask.words) and mask.words[word][0] < offset[1]:
            member[word, token] = 1
    return member


def _looked(
    mask: Mask,
    scores: Sequence[float],
    attention: Sequence[Any],
    explained: Explanation | None,
) -> str:
    if not scores:
        why = "is too long for a score of each word" if mask.words else "has no words"
        return f'{_text(mask)}<p class="note">The text {why}.</p>'
    words = [mask.text[slice(*place)] for place in mask.words]
    opening = f"<p>{sentence(_rests(words, scores, explained.unit if explained else 'Δp'))}</p>"
    return opening + _switches(bool(attention)) + _text(mask) + _NOTE


def _rests(words: Sequence[str], scores: Sequence[float], unit: str) -> str:
    """Say which words the answer rests on, and how far it falls without each alone."""
    measure, nats = _MEASURES.get(unit, ("its probability", ""))

    def much(i: int) -> str:
        size = abs(scores[i])
        return f"“{words[i]}” ({f'{size:.2f}{nats}' if unit in _MEASURES else points(size)})"

    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    top = [i for i in order[:3] if scores[i] > _NOTICED]
    if top:
        said = ", ".join(map(much, top))
        return (
            f"The answer rests most on {said}: so far does {measure} fall when that word alone is "
            "hidden."
        )
    if scores[order[-1]] < -_NOTICED:
        return (
            f"No single word carries the answer: hidden alone, none lowers {measure} by much, and "
            f"{much(order[-1])} raises it most."
        )
    return "No single word carries the answer: hiding any one of them changes little."


_NOTE = (
    '<p class="note">Blue: the word speaks for the answer; orange: against it. Point at a word for '
    "its figure. Where a model looks (attention) is not the same as what decides its answer: the "
    "first shows where information can come from, the second is measured by taking words away.</p>"
)


def _switches(attention: bool) -> str:
    if not attention:
        return ""
    return (
        '<p><button class="switch" data-view="score" aria-pressed="true">What decides</button>'
        '<button class="switch" data-view="attention" aria-pressed="false">Where each word looks'
        "</button></p>"
    )


def _text(mask: Mask, hidden: bool = False) -> str:
    """Return the text with each word in a span of its own; hidden ones as ink where asked."""
    parts, at = [], 0
    reasons = _reasons(mask)
    covered = set(mask.hidden_words)
    for i, (start, end) in enumerate(mask.words[:WORDS_SHOWN]):
        parts.append(escape(mask.text[at:start]))
        why = attribute(reasons.get(i, ""))
        kind = ' class="hidden"' if hidden and i in covered else ""
        parts.append(
            f'<span data-word="{i}" data-why="{why}"{kind}>{escape(mask.text[start:end])}</span>'
        )
        at = end
    rest = mask.text[at:] if len(mask.words) <= WORDS_SHOWN else " …"
    return f'<div class="text" dir="auto">{"".join(parts)}{escape(rest)}</div>'


def _reasons(mask: Mask) -> dict[int, str]:
    """Return word → why it is hidden."""
    found: dict[int, str] = {}
    for span in mask.spans:
        for i in mask.hidden_words:
            start, end = mask.words[i]
            if start < span.end and end > span.start:
                found.setdefault(i, span.reason)
    return found


def _hidden(mask: Mask) -> str:
    if not mask.hidden_words:
        return "<p>Nothing is hidden.</p>"
    rows = "".join(
        f"<tr><td>{escape(mask.text[s.start : s.end][:80])}</td><td>{escape(s.reason)}</td></tr>"
        for s in mask.spans[:100]
    )
    more = "" if len(mask.spans) <= 100 else f"<p>and {len(mask.spans) - 100:,} more</p>"
    return (
        f"<p>{escape(_how_many(mask))}</p>{_text(mask, hidden=True)}"
        f"<table><thead><tr><th>hidden</th><th>why</th></tr></thead><tbody>{rows}</tbody></table>"
        f"{more}"
    )


def _how_many(mask: Mask) -> str:
    count, total = len(mask.hidden_words), len(mask.words)
    by_hand = " and changed by hand" if "edited" in mask.parameters else ""
    how = f"by the strategy “{mask.strategy}”{by_hand}" if mask.strategy != "manual" else "by hand"
    stand = "They stand" if count > 1 else "It stands"
    share = f"{count:,} of {total:,} word{'s' * (total != 1)} ({percent(count / total)})"
    return f"{share}, chosen {how}. {stand} in the text in ink."


def _changed(comparison: Comparison, chance: Control | None) -> str:
    if detail := in_words(comparison):
        against = beside_chance(comparison, chance) if chance and chance.draws else ""
        return detail + against
    labels = list(comparison.original.probabilities)
    plain = [comparison.original.probabilities[label] for label in labels]
    masked = [comparison.masked.probabilities[label] for label in labels]
    if not all(0 <= value <= 1 for value in [*plain, *masked]):  # a regression's values
        return "".join(
            f"<p>{escape(label)}: {a:.3f} as it is, {b:.3f} with the words hidden.</p>"
            for label, a, b in zip(labels, plain, masked, strict=True)
        )
    chart = bars(labels, plain, masked, "The model's answer on the text as it is and masked")
    said = "<p>Upper bar: the text as it is. Lower bar: with the words hidden.</p>"
    return said + chart + (_against_chance(comparison, chance) if chance and chance.draws else "")


def _against_chance(comparison: Comparison, chance: Control) -> str:
    own = comparison.masked.probabilities[chance.label]
    plain = comparison.original.probabilities[chance.label]
    rows = [
        ("the text as it is", plain, float("nan"), float("nan"), "plain"),
        ("these words hidden", own, float("nan"), float("nan"), "masked"),
        (f"other {chance.size}, mean", chance.mean, chance.low, chance.high, "chance"),
    ]
    said = escape(_beside_others(chance.label, chance))
    return f"<p>{said}</p>{intervals(rows, 'The answer beside chance')}"


def _beside_others(label: str, chance: Control) -> str:
    """Say what the grey band of the chart holds."""
    band = f"the middle 95 % of {chance.draws:,} other masks of {chance.size}"
    if chance.draws < _FEW_DRAWS:
        band = f"nearly all of {chance.draws:,} other masks of {chance.size}, too few for a verdict"
    return f"The probability of “{label}”, beside what other words do: the grey band holds {band}."


def _sure(comparison: Comparison, chance: Control | None) -> str:
    if chance is None:
        return "Nothing was hidden, so nothing can have changed."
    return (
        f"{verdict(chance)} This is one text and one model: it says nothing about other texts. A "
        "table of many texts, with intervals, comes from the Compare page."
        + (f" {comparison.notice}" if comparison.notice else "")
    )


def verdict(chance: Control) -> str:
    """Say whether what was hidden is told apart from as much elsewhere, or cannot be."""
    said = beside(chance)
    said = f"{said[0].upper()}{said[1:]}."
    if not chance.tells:
        return f"No verdict. {said}"
    if chance.p_value <= LEVEL:
        return f"Hiding as much elsewhere seldom changes the answer as far. {said}"
    return f"What was hidden is not told apart from hiding as much elsewhere. {said}"


def _settings(mask: Mask, question: Question, operator: str) -> dict[str, Any]:
    ratio = "the strategy's own" if mask.requested_ratio is None else mask.requested_ratio
    return {
        "model": question.model.name,
        **json_of(question.spec()),
        "strategy": mask.strategy,
        "parameters": named_parameters(mask),
        "ratio asked for": ratio,
        "ratio reached": f"{mask.realised_ratio:.4f}",
        "operator": operator,
        "seed": mask.seed,
        "text (SHA-256)": mask.text_hash,
        "maskviz": __version__,
    }


_OPTIONS = ("types", "pattern", "words", "indices", "pipeline")  # of the command, as parameters
_LONGEST_COMMAND = 400  # characters of the text


def _commands(mask: Mask, question: Question, operator: str) -> list[str]:
    """Return what makes the report again: one command, or the mask as a file and a command."""
    import json
    import shlex

    tail = ["--model", question.model.name, *question.options(), "--operator", operator]
    tail += ["--out", "report.html"]
    spoken = question.model.conversation(mask.text)
    if spoken is not None:
        files = ["# conversation.json", json.dumps(spoken.to_dict()), "", "# mask.json"]
        named = ["--conversation", "conversation.json", "--mask", "mask.json"]
        kept = json.dumps(json.loads(mask.to_json()))
        return [*files, kept, "", shlex.join(["maskviz", "report", *named, *tail])]
    if not _by_options(mask):
        kept = json.dumps(json.loads(mask.to_json()))  # ASCII: a copy loses no mark of direction
        command = shlex.join(["maskviz", "report", "--mask", "mask.json", *tail])
        return ["# mask.json", kept, "", command]
    words = ["maskviz", "report", mask.text, "--strategy", mask.strategy, "--seed", str(mask.seed)]
    if mask.requested_ratio is not None:
        words += ["--ratio", str(mask.requested_ratio)]
    for name, value in mask.parameters.items():
        words += [f"--{name}", value if isinstance(value, str) else ",".join(map(str, value))]
    return [shlex.join([*words, *tail])]


def _by_options(mask: Mask) -> bool:
    """Tell whether the command's own options say all of the mask."""
    from ..masks import STRATEGIES

    return (
        mask.strategy in STRATEGIES
        and mask.strategy != "manual"
        and set(mask.parameters) <= set(_OPTIONS)
        and len(mask.text) <= _LONGEST_COMMAND
        and mask.text.isprintable()
        and not mask.text.startswith("-")
    )


def _shortened(text: str, length: int = 90) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"
