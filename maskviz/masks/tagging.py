"""Names found by a token-classification model of transformers, in any language that has one.

The model labels tokens (B-PER, I-PER, …, or PER alone); a word has the label of its first token, as
such models are trained, and words by this package's own offsets: in scripts without spaces a word
is a character here. (transformers' own aggregation goes by the spaces of the text: a whole Chinese
sentence becomes one name or none.) A text longer than the model takes is read in windows that
overlap by a quarter, each token in the window in which more stands on either side of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..errors import CapabilityError
from ..models.auto import AutoConfig, AutoTokenizer
from ..models.building import LOADING, quiet
from ..models.limits import limit_of
from ..models.locate import locate
from ..text.words import character_offsets

_LONGEST = 512  # tokens of a window, where the model would take more
Tagged = tuple[int, int, str, float]


@dataclass(frozen=True)
class Tagger:
    """A loaded token-classification model: its network, its tokenizer, tokens of a window."""

    name: str
    network: Any
    tokenizer: Any
    window: int

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels by their number."""
        found = self.network.config.id2label
        return tuple(str(found[i]) for i in range(len(found)))

    @property
    def types(self) -> set[str]:
        """The types of names that it knows, such as PER."""
        return {_type(label) for label in self.labels} - {""}


@lru_cache(maxsize=2)
def load_tagger(name: str) -> Tagger:
    """Load a token-classification model by Hub name or folder, once.

    Raises ModelNotFoundError, CapabilityError where it is none or has no fast tokenizer.
    """
    path = locate(name)
    with LOADING, quiet():
        config = AutoConfig.from_pretrained(path)
        heads = " ".join(config.architectures or ())
        if "TokenClassification" not in heads:
            raise CapabilityError(
                f"The model {name!r} ({heads or config.model_type}) labels no tokens: name one "
                "with a token-classification head as 'tagger'."
            )
        from transformers import AutoModelForTokenClassification

        network = AutoModelForTokenClassification.from_pretrained(path, use_safetensors=True)
        tokenizer = AutoTokenizer.from_pretrained(path)
    if not tokenizer.is_fast:
        raise CapabilityError(
            f"The tokenizer of {name!r} does not say where its tokens stand: name a model with a "
            "fast tokenizer (tokenizer.json) as 'tagger'."
        )
    takes = limit_of(config, tokenizer, path, "classify").tokens
    return Tagger(name, network.eval(), tokenizer, min(takes, _LONGEST))


def tagged(text: str, name: str) -> list[Tagged]:
    """Return the (start, end, type, mean probability) of each name that a model finds in a text."""
    return _remembered(text, load_tagger(name))


@lru_cache(maxsize=256)
def _remembered(text: str, tagger: Tagger) -> list[Tagged]:
    return list(_names(text, _by_word(text, list(_tokens(text, tagger)))))


def _tokens(text: str, tagger: Tagger) -> Iterator[Tagged]:
    """Yield the (start, end, label, probability) of each token, in order."""
    import torch

    best: dict[tuple[int, int], tuple[int, str, float]] = {}
    for encoding in _windows(text, tagger):
        ids = torch.tensor([encoding.ids])
        with torch.inference_mode():
            logits = tagger.network(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0]
        chances, numbers = logits.float().softmax(-1).max(-1)  # (tokens,)
        own = [i for i, special in enumerate(encoding.special_tokens_mask) if not special]
        for place, i in enumerate(own):
            inside = min(place, len(own) - 1 - place)  # tokens on the nearer side of it
            where = encoding.offsets[i]
            if where[0] < where[1] and best.get(where, (-1,))[0] < inside:
                best[where] = (inside, tagger.labels[int(numbers[i])], float(chances[i]))
    for (start, end), (_, label, chance) in sorted(best.items()):
        yield start, end, label, chance


def _windows(text: str, tagger: Tagger) -> list[Any]:
    """Return the text as encodings of at most the window's tokens, each a quarter into the next."""
    encoded = tagger.tokenizer(
        text,
        truncation=True,
        max_length=tagger.window,
        stride=tagger.window // 4,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    return list(encoded.encodings)


def _by_word(text: str, tokens: list[Tagged]) -> Iterator[Tagged]:
    """Yield each word with the label of its first token; one that no token covers is left out."""
    at = 0
    for start, end in character_offsets(text):
        while at < len(tokens) and tokens[at][1] <= start:
            at += 1
        if at < len(tokens) and tokens[at][0] < end:
            yield start, end, tokens[at][2], tokens[at][3]


def _names(text: str, words: Iterator[Tagged]) -> Iterator[Tagged]:
    """Yield the runs of words that are one name."""
    run: list[Tagged] = []
    for word in words:
        kind = _type(word[2])
        goes_on = run and kind == _type(run[-1][2]) and not word[2].upper().startswith(("B-", "S-"))
        if goes_on and _one_name(text[run[-1][1] : word[0]]):
            run.append(word)
            continue
        if run:
            yield _named(run)
        run = [word] if kind else []
    if run:
        yield _named(run)


def _one_name(between: str) -> bool:
    """Tell whether what stands between two words may stand within a name."""
    return not between.strip() or between.strip() in ("-", "'", "’", ".", "·", "&")


def _named(run: list[Tagged]) -> Tagged:
    return run[0][0], run[-1][1], _type(run[0][2]), sum(word[3] for word in run) / len(run)


def _type(label: str) -> str:
    """Return the type of a label, "" for one that says no name.

    >>> _type("B-PER"), _type("O"), _type("LABEL_0")
    ('PER', '', '')
    """
    prefix, dash, rest = label.upper().partition("-")
    kind = rest if dash and prefix in ("B", "I", "E", "S", "L", "U") else label.upper()
    return "" if kind in ("O", "") or kind.startswith("LABEL_") else kind
