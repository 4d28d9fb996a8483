"""Written texts against references: BLEU, chrF, ROUGE.

BLEU (Papineni et al. 2002) and chrF (Popović 2015) by sacreBLEU over the whole sample, ROUGE
(Lin 2004) by rouge-score as the mean over the rows. Words are those of the script: rouge-score
knows a to z alone, and neither package divides a line of Chinese, Japanese or Thai, so there each
character is a word (as in sacreBLEU's `zh`). Texts of ASCII letters score as the packages do.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ...text.words import character_offsets, is_unspaced

FIGURES = ("bleu", "chrf", "rouge1", "rouge2", "rougeL")
FEWEST = 4  # tokens: BLEU counts runs of four, and of a shorter reference there is none
_ROUGE = {"ROUGE-1": "rouge1", "ROUGE-2": "rouge2", "ROUGE-L": "rougeL"}


def available() -> bool:
    """Tell whether the libraries that compute the figures are here."""
    from importlib.util import find_spec

    return all(find_spec(name) for name in ("sacrebleu", "rouge_score"))


def scores(written: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Return BLEU and chrF of all, 0 to 100, and the mean ROUGE F1s, 0 to 1.

    What the references are too short for, or have no words for, is left out.

    >>> scores(["the cat sat on the mat"], ["the cat sat on the mat"])["rougeL"]
    1.0
    >>> sorted(scores(["这部电影很好"], ["这部电影很好"]).values())
    [1.0, 1.0, 1.0, 100.0, 100.0]
    """
    bleu, chrf = bleu_chrf(written, references)
    each = [rouge(text, reference) for text, reference in zip(written, references, strict=True)]
    found = {} if bleu is None else {"bleu": bleu}
    found["chrf"] = chrf
    for shown, name in _ROUGE.items():
        if rows := [row[shown] for row in each if shown in row]:
            found[name] = sum(rows) / len(rows)
    return found


def bleu_chrf(written: Sequence[str], references: Sequence[str]) -> tuple[float | None, float]:
    """Return corpus BLEU and chrF, each 0 to 100; no BLEU where no reference has four tokens.

    >>> bleu_chrf(["a b c d e"], ["a b c d e"]), bleu_chrf(["a cat"], ["a cat"])
    ((100.0, 100.0), (None, 100.0))
    """
    import sacrebleu

    chrf = sacrebleu.corpus_chrf(list(written), [list(references)]).score
    said, wanted = [_spaced(text) for text in written], [_spaced(text) for text in references]
    if max((len(_bleu_tokens()(text).split()) for text in wanted), default=0) < FEWEST:
        return None, round(chrf, 6)
    return round(sacrebleu.corpus_bleu(said, [wanted]).score, 6), round(chrf, 6)


@lru_cache(maxsize=1)
def _bleu_tokens() -> Any:
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

    return Tokenizer13a()


def _spaced(text: str) -> str:
    """Set each character of a script without spaces apart, its marks beside it."""
    if text.isascii():
        return text
    parts, at = [], 0
    for start, end in character_offsets(text):
        if is_unspaced(text[start]):
            parts += [text[at:start], f" {text[start:end]} "]
            at = end
    return "".join([*parts, text[at:]])


def rouge(text: str, reference: str) -> dict[str, float]:
    """Return ROUGE-1, ROUGE-2 and ROUGE-L F1 in [0, 1], words stemmed.

    Empty where the reference has no word; of one word there is no ROUGE-2.

    >>> rouge("the cat sat", "the cat sat")["ROUGE-L"], rouge("очень", "!?")
    (1.0, {})
    """
    count = len(_words().tokenize(reference))
    found = _scorer().score(reference, text) if count else {}
    return {
        shown: float(found[name].fmeasure)
        for shown, name in _ROUGE.items()
        if count >= (2 if name == "rouge2" else 1)
    }


@lru_cache(maxsize=1)
def _scorer() -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(list(_ROUGE.values()), tokenizer=_words())


@lru_cache(maxsize=1)
def _words() -> Any:
    return _Words()


class _Words:
    """The words of a text in its script, lower-cased; English ones stemmed as rouge-score does."""

    def __init__(self) -> None:
        from rouge_score.tokenizers import DefaultTokenizer

        self._plain = DefaultTokenizer(use_stemmer=True)

    def tokenize(self, text: str) -> list[str]:
        """Return the words in order; the name is rouge-score's."""
        if text.isascii():
            return list(self._plain.tokenize(text))
        found: list[str] = []
        for start, end in character_offsets(text):
            word = unicodedata.normalize("NFC", text[start:end]).lower()
            found += self._plain.tokenize(word) if word.isascii() else [word]
        return found
