"""What masking does to texts that a model writes: translations under typing errors, summaries.

BLEU and chrF are sacreBLEU's (Post 2018), ROUGE that of the package rouge-score (Lin 2004).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...data.typos import typos
from ...errors import InputError
from ...masks.choose import mask as choose_mask
from ...masks.mask import Mask
from ...models.model import Model, load_model
from ...text.percent import number
from ...training.loop.text_scores import bleu_chrf, rouge

WAYS = ("clean", "noisy", "noisy + masked", "noisy + infilled")
_GUESSES = 1


@dataclass(frozen=True)
class Translated:
    """One way of reading the sources: what was read, what was written, and its scores.

    bleu, chrf: over the whole set, 0 to 100, against the references; no BLEU (None) where no
    reference has four words.
    """

    way: str
    read: tuple[str, ...]
    written: tuple[str, ...]
    bleu: float | None
    chrf: float


@dataclass(frozen=True)
class NoisyTranslation:
    """A set of sentences translated clean, with typing errors, and with these hidden or repaired.

    masks: what `noise` hides of each noisy source; found: share of the planted errors it hides;
    false: share of what it hides that was no error; None of no error, and of nothing hidden.
    """

    ways: tuple[Translated, ...]
    masks: tuple[Mask, ...]
    found: float | None
    false: float | None

    @property
    def finding(self) -> str:
        """Say what the errors cost and what hiding or repairing them changes, in both scores.

        The scores are of one set, without an interval: neither way is called the better one.
        """
        by_way = {way.way: way for way in self.ways}
        clean, noisy = by_way["clean"], by_way["noisy"]
        many = len(clean.read)
        over = f"Over {many:,} text{'s' * (many != 1)} typing errors change"
        repairs = "; ".join(
            f"{doing} changes {'it' if noisy.bleu is None else 'these'} by {_change(noisy, own)}"
            for own, doing in ((by_way[way], doing) for way, doing in _REPAIRS.items())
        )
        said = f"{over} {_change(clean, noisy, named=True)}; {repairs}"
        none = " Of references under four words there is no BLEU." if clean.bleu is None else ""
        return f"{said}. These are scores of one set, without an interval.{none}"


_REPAIRS = {"noisy + masked": "hiding them", "noisy + infilled": "guessing in their place"}


def _change(before: Translated, after: Translated, named: bool = False) -> str:
    """Say by how many points chrF and, where there is one, BLEU change."""
    chrf = _points(after.chrf - before.chrf)
    lead = f"chrF by {chrf} points" if named else chrf
    if before.bleu is None or after.bleu is None:
        return lead
    bleu = _points(after.bleu - before.bleu)
    return f"{lead} and {f'BLEU by {bleu}' if named else bleu}"


def _points(value: float) -> str:
    return number(value, "+z.1f")


def noisy_translation(
    sources: Sequence[str],
    references: Sequence[str],
    rate: float = 0.15,
    seed: int = 0,
    model: Model | str = "mini-translate",
    reader: Model | str = "mini",
) -> NoisyTranslation:
    """Translate the sources clean, with typing errors, and with the errors hidden or infilled.

    `noise` finds the errors; hidden ones reach the translator as its mask token, or are left out
    where it has none; infilled ones are the best guess of `reader`, a masked language model. Raises
    InputError where there is not one reference for each source.

    >>> noisy_translation(["The house is old."], ["La maison est vieille."])  # doctest: +SKIP
    """
    if len(sources) != len(references) or not sources:
        raise InputError(
            f"There are {len(sources)} sources and {len(references)} references: give one of each."
        )
    loaded, guesses = load_model(model), load_model(reader)
    noisy = [typos(text, rate, seed + i) for i, text in enumerate(sources)]
    masks = tuple(choose_mask(n.text, "noise", model=guesses) for n in noisy)
    read = {
        "clean": tuple(sources),
        "noisy": tuple(n.text for n in noisy),
        "noisy + masked": tuple(_left_out(m, loaded) for m in masks),
        "noisy + infilled": tuple(infilled(m, guesses) for m in masks),
    }
    ways = _translated(read, references, loaded)
    planted = [set(n.places) for n in noisy]
    hidden = [{m.words[i] for i in m.hidden_words} for m in masks]
    right = sum(len(p & h) for p, h in zip(planted, hidden, strict=True))
    errors, hits = sum(map(len, planted)), sum(map(len, hidden))
    return NoisyTranslation(
        ways, masks, right / errors if errors else None, 1 - right / hits if hits else None
    )


def _left_out(mask: Mask, model: Model) -> str:
    """Return the text with the translator's mask token, or a gap, for each hidden word."""
    token = model.mask_token
    parts, at = [], 0
    for span in mask.spans:
        parts += [mask.text[at : span.start], token or ""]
        at = span.end
    return "".join([*parts, mask.text[at:]])


def infilled(mask: Mask, model: Model | str = "mini") -> str:
    """Return the text with the model's best guess in the place of each hidden span."""
    from ...readings.fills import fill

    if not mask.spans:
        return mask.text
    guesses = [(f.start, f.end, f.candidates[0].token) for f in fill(mask, model, _GUESSES)]
    parts, at = [], 0
    for span in mask.spans:
        inside = [g for s, e, g in guesses if s >= span.start and e <= span.end]
        parts += [mask.text[at : span.start], _as_written(inside, mask.text[span.start : span.end])]
        at = span.end
    return "".join([*parts, mask.text[at:]])


def _as_written(guesses: Sequence[str], hidden: str) -> str:
    word = "".join(g.removeprefix("##") for g in guesses) or hidden
    return word.capitalize() if hidden[:1].isupper() else word


def _translated(
    read: Mapping[str, Sequence[str]], references: Sequence[str], model: Model
) -> tuple[Translated, ...]:
    """Translate what each way reads; a text that several share is translated once."""
    from ...readings.translation import translate_many

    texts = list(dict.fromkeys(text for way in WAYS for text in read[way] if text.strip()))
    found = {t.source: t.text for t in translate_many(texts, model)} if texts else {}
    ways = []
    for way in WAYS:
        written = tuple(found.get(text, "") for text in read[way])
        ways.append(Translated(way, tuple(read[way]), written, *bleu_chrf(written, references)))
    return tuple(ways)


@dataclass(frozen=True)
class Summarised:
    """A text summarised as it is and without the sentences that repeat others.

    rouge: ROUGE-1, ROUGE-2 and ROUGE-L F1 in [0, 1] against the reference, before and after.
    """

    mask: Mask
    before: str
    after: str
    rouge: dict[str, tuple[float, float]]


def redundant_summary(
    text: str, reference: str = "", model: Model | str = "mini", sentences: int = 2,
    threshold: float = 0.5,
) -> Summarised:  # fmt: skip
    """Summarise a text with and without what the strategy `redundant` hides.

    Without a reference there is no ROUGE, only the two summaries.
    """
    from ...readings import summarise

    chosen = choose_mask(text, "redundant", threshold=threshold)
    kept = " ".join(chosen.masked_text("delete").split())
    before = summarise(text, model, sentences).text
    after = summarise(kept, model, sentences).text if kept else ""
    scores = {}
    if reference.strip():
        first, second = rouge(before, reference), rouge(after, reference)
        scores = {name: (first[name], second[name]) for name in first}
    return Summarised(chosen, before, after, scores)
