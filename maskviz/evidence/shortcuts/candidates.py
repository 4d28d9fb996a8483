"""What a model may lean on: what the strategies find, categories and types of it, telling words.

Each candidate is a strategy with its parameters, so that the Mask page hides the same by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from ...errors import MaskError, MaskvizError, ParameterError, TextError
from ...masks.attributes import CATEGORIES
from ...masks.choose import mask as choose_mask
from ...masks.expression import is_expression
from ...masks.linguistic import ENTITY_TYPES, POS_TAGS
from ...masks.mask import Mask
from ...masks.registry import STRATEGIES
from ...text.conversation import Conversation
from ...text.document import Document
from ...text.pipelines import BUNDLED, load_pipeline
from ...text.words import is_unspaced, word_offsets

MOST = 200  # candidates that are looked at
_PARTS = {"attribute": "types", "entity": "types", "pos": "tags"}
_MARK = re.compile(r"([^\w\s])\1*")  # a sign of punctuation, or a run of the same
_SELECTING = ("budgeted", "bernoulli", "manual")  # choose a number of words, not a kind
_WITHOUT_ASKING = {"noise": {"surprisal": 0}}  # misspelt words by their frequency alone


@dataclass(frozen=True)
class Candidate:
    """A strategy with parameters, as one thing to lean on.

    name: `word:dull`, `attribute:names`, `entity:PERSON`, `pos:ADJ`, `pattern:/…/`, `entity`.
    kind: `word`, `attribute`, `entity`, `pos`, `pattern` or `strategy`. named: by the user, and so
    measured in any case. irrelevant: the user says that it should not count.
    """

    name: str
    kind: str
    strategy: str
    parameters: tuple[tuple[str, Any], ...] = ()
    named: bool = False
    irrelevant: bool = False

    def mask(self, document: Document | Conversation) -> Mask:
        """Return what it hides of a text, the same as the strategy does by itself."""
        given: dict[str, Any] = {
            name: list(v) if isinstance(v, tuple) else v for name, v in self.parameters
        }
        return choose_mask(document, self.strategy, **given)


def part(kind: str, name: str, **more: Any) -> Candidate:
    """Return a category, type or part of speech as a candidate.

    >>> part("entity", "PERSON").name
    'entity:PERSON'
    """
    return Candidate(f"{kind}:{name}", kind, kind, ((_PARTS[kind], (name,)),), **more)


def word(written: str, **more: Any) -> Candidate:
    """Return a word, or a run of one sign, as a candidate; letter case does not count.

    In scripts without spaces a word is a character, wherever it stands.
    """
    name = f"word:{written}"
    if is_unspaced(written[0]):
        return Candidate(name, "word", "pattern", (("pattern", re.escape(written)),), **more)
    if _MARK.fullmatch(written):
        sign = re.escape(written[0])
        expression = f"(?<!{sign}){re.escape(written)}(?!{sign})"
        return Candidate(name, "word", "pattern", (("pattern", expression),), **more)
    return Candidate(name, "word", "pattern", (("words", (written,)),), **more)


def units(text: str) -> set[str]:
    """Return the words of a text in small letters, and its signs.

    >>> sorted(units("Oh no!!"))
    ['!!', 'no', 'oh']
    """
    words = {text[start:end].lower() for start, end in word_offsets(text)}
    return words | {found.group() for found in _MARK.finditer(text) if found.group().isprintable()}


def of_kinds(pipeline: str = BUNDLED, conversations: bool = False) -> list[Candidate]:
    """Return the candidates that are there for every file: strategies and their parts."""
    found = [part("attribute", name) for name in CATEGORIES]
    found += [part("entity", name) for name in _entity_types(pipeline)]
    found += [part("pos", tag) for tag in POS_TAGS]
    for name, entry in STRATEGIES.items():
        if entry.kind in _SELECTING or name == "pattern" or not _possible(entry.needs):
            continue
        if "conversation" in entry.needs and not conversations:
            continue
        if "marks" in entry.needs:  # each row has its own
            continue
        if name in ("pos", "role"):  # all adjectives, and all that the user says: no kind apart
            continue
        given = tuple(_WITHOUT_ASKING.get(name, {}).items())
        candidate = Candidate(name, "strategy", name, given)
        if _stands_alone(candidate):
            found.append(candidate)
    return found


def _stands_alone(candidate: Candidate) -> bool:
    """Tell whether a strategy says by itself what it hides: some must be told by a person."""
    try:
        candidate.mask(Document("Ann is here."))
    except ParameterError:
        return False
    return True


def _entity_types(pipeline: str) -> Sequence[str]:
    try:
        return sorted(load_pipeline(pipeline).pipe_labels.get("ner", ENTITY_TYPES))
    except MaskvizError:
        return ()


def _possible(needs: Iterable[str]) -> bool:
    return "presidio" not in needs or find_spec("presidio_analyzer") is not None


def named(written: str, irrelevant: bool) -> Candidate:
    """Return what a user names: `gender`, `PERSON`, `pos:ADJ`, `/regex/`, an expression, a word.

    Raises ParameterError where it says nothing.

    >>> [named(n, True).name for n in ("gender", "PERSON", "ADJ", "/^Ann/", "Spielberg")]
    ['attribute:gender', 'entity:PERSON', 'pos:ADJ', 'pattern:/^Ann/', 'word:spielberg']
    """
    said = written.strip()
    more: dict[str, Any] = {"named": True, "irrelevant": irrelevant}
    kind, _, rest = said.partition(":")
    if kind in _PARTS and re.fullmatch(r"[\w-]+", rest):
        return part(kind, rest if kind == "attribute" else rest.upper(), **more)
    if kind == "word" and rest.strip():
        return word(rest.strip().lower(), **more)
    for family, names in (("attribute", CATEGORIES), ("entity", ENTITY_TYPES), ("pos", POS_TAGS)):
        if said in names:
            return part(family, said, **more)
    pattern = said.removeprefix("pattern:")
    if len(pattern) > 2 and pattern[0] == pattern[-1] == "/":
        return of_pattern(pattern[1:-1], irrelevant)
    if said in STRATEGIES and STRATEGIES[said].kind not in _SELECTING and said != "pattern":
        return Candidate(said, "strategy", said, **more)
    if is_expression(said):
        return Candidate(said, "strategy", said, **more)
    if not said:
        raise ParameterError("A candidate is named by nothing: name a word, a kind or /a pattern/.")
    return word(said.lower(), **more)


def of_pattern(expression: str, irrelevant: bool = False) -> Candidate:
    """Return a regular expression of the user's as a candidate."""
    return Candidate(
        f"pattern:/{expression}/", "pattern", "pattern", (("pattern", expression),), True,
        irrelevant,
    )  # fmt: skip


class Finder:
    """Finds which of the candidates a text has, and what each of them hides there."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self.candidates = tuple(candidates)
        self._words = {c.name.partition(":")[2]: c for c in self.candidates if c.kind == "word"}
        self._others = [c for c in self.candidates if c.kind != "word"]

    @property
    def pipeline(self) -> bool:
        """Whether any of them needs the pipeline's reading."""
        return any(
            is_expression(c.strategy) or "pipeline" in STRATEGIES[c.strategy].needs
            for c in self._others
        )

    def found(
        self, document: Document, wanted: Callable[[Candidate], bool] = lambda _: True
    ) -> Iterator[tuple[Candidate, Mask]]:
        """Yield each wanted candidate that the text has, with its mask."""
        there = units(document.text) & self._words.keys() if self._words else set()
        for candidate in [*self._others, *(self._words[w] for w in sorted(there))]:
            if not wanted(candidate):
                continue
            try:
                mask = candidate.mask(document)
            except (TextError, MaskError):  # a language it does not know, or nothing to read
                continue
            if mask.spans:
                yield candidate, mask
