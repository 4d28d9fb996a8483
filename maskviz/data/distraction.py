"""Questions with irrelevant sentences: does what has nothing to do with a question disturb?

A text states two facts that matter and k that do not, and asks one question: look up (where does
Anna live?), compare (who has more coins, Anna or Ben?) or add small numbers. Every second
irrelevant sentence states a fact of the very kind that is asked for, about somebody else.

    irrelevant   k sentences about other people
    filler       the same text with k sentences that say nothing of anybody, each as long as the
                 one in whose place it stands: the control

The same number gives the same facts at every k, and its irrelevant sentences at k are the first
ones at 2k. Over the questions of a family the sentence that answers stands equally often at each
place. Names, sentences and questions of test are not among those of training.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from ..text.span import Span
from . import distraction_words as words

FAMILIES = ("look up", "compare", "add")
SPLITS = ("train", "test")
KINDS = ("irrelevant", "filler")
Length = Callable[[str], int]


@dataclass(frozen=True)
class Question:
    """A text, what is asked of it, the right answer and a wrong one of its kind.

    beside: the sentences that have nothing to do with the question, characters of `text`; place:
    of the sentence that answers among all, from 0; thought: the sentences that it takes to answer.
    """

    family: str
    text: str
    question: str
    answer: str
    foil: str
    beside: tuple[Span, ...]
    place: int
    thought: str = ""

    @property
    def asked(self) -> str:
        """The text with the question in a line of its own: what the user says."""
        return f"{self.text}\n{self.question}"


@dataclass(frozen=True)
class _Facts:
    """Two sentences that matter, the first of which answers, and what is asked of them."""

    family: str
    told: tuple[str, str]
    question: str
    answer: str
    foil: str
    kind: str  # of the irrelevant sentences that are of the kind asked for

    @property
    def needed(self) -> tuple[str, ...]:
        """The sentences that it takes to answer."""
        return self.told[:1] if self.family == "look up" else self.told


def word_count(text: str) -> int:
    """Return how many words a sentence has, by its spaces."""
    return len(text.split())


def questions(
    count: int,
    seed: int = 0,
    k: int = 0,
    *,
    split: str = "test",
    kind: str = "irrelevant",
    length: Length = word_count,
) -> list[Question]:
    """Return `count` questions, the families by turns, each with `k` sentences beside its facts.

    kind: what the k sentences are; length: by which filler is as long as what it stands for.

    >>> [asked.family for asked in questions(3)]
    ['look up', 'compare', 'add']
    >>> questions(1, k=2)[0].answer in questions(1, k=2)[0].text
    True
    """
    return [
        question(number, seed, k, split=split, kind=kind, length=length) for number in range(count)
    ]


def question(
    number: int,
    seed: int = 0,
    k: int = 0,
    *,
    split: str = "test",
    kind: str = "irrelevant",
    length: Length = word_count,
) -> Question:
    """Return the question of this number; see `questions`."""
    teller = _Teller(random.Random(f"{seed}/{split}/{number}"), SPLITS.index(split))  # noqa: S311
    facts = teller.facts(FAMILIES[number % len(FAMILIES)])
    beside = [teller.beside(facts, i) for i in range(k)]
    if kind == "filler":
        beside = _fillers(beside, length, random.Random(f"{seed}/filler/{number}"))  # noqa: S311
    rng = random.Random(f"{seed}/{split}/{number}/{k}")  # noqa: S311 - seeded streams, no secrets
    place = number // len(FAMILIES) % (k + 2)
    others = [(facts.told[1], False), *((sentence, True) for sentence in beside)]
    rng.shuffle(others)
    others.insert(place, (facts.told[0], False))
    return Question(
        facts.family, " ".join(s for s, _ in others), facts.question, facts.answer, facts.foil,
        tuple(_placed(others)), place, " ".join(facts.needed),
    )  # fmt: skip


def _placed(sentences: Sequence[tuple[str, bool]]) -> list[Span]:
    """Return where those sentences stand that have nothing to do with the question."""
    spans, at = [], 0
    for sentence, beside in sentences:
        if beside:
            spans.append(Span(at, at + len(sentence), "irrelevant"))
        at += len(sentence) + 1
    return spans


class _Teller:
    """Tells facts in the words of a split; no name or thing comes twice in a text."""

    def __init__(self, rng: random.Random, split: int) -> None:
        self.rng, self.split = rng, split
        self.used: set[str] = set()

    def word(self, kind: str) -> str:
        """Return a word of a kind that the text does not have yet."""
        pool = {
            "person": words.NAMES[self.split], "place": words.PLACES, "job": words.JOBS,
            "animal": words.ANIMALS, "thing": words.THINGS, "room": words.ROOMS,
            "colour": words.COLOURS, "counted": words.COUNTED,
        }[kind]  # fmt: skip
        left = [word for word in pool if word not in self.used] or pool
        found = self.rng.choice(left)
        self.used.add(found)
        return found

    def facts(self, family: str) -> _Facts:
        """Return two facts and a question about them."""
        if family == "look up":
            return self._looked_up()
        return self._counted(family)

    def _looked_up(self) -> _Facts:
        kind = self.rng.choice(list(words.LOOKED_UP))
        sentences, asked, what = words.LOOKED_UP[kind]
        people = self.word("person"), self.word("person")
        values = self.word(what), self.word(what)
        told = [
            _said(sentences[self.split], person=person, **{what: value})
            for person, value in zip(people, values, strict=True)
        ]
        question = asked[self.split].format(person=people[0])
        return _Facts("look up", (told[0], told[1]), question, values[0], values[1], kind)

    def _counted(self, family: str) -> _Facts:
        first, second, thing = self.word("person"), self.word("person"), self.word("counted")
        numbers = self.rng.sample(range(2, 10), 2)
        held = dict(zip((first, second), numbers, strict=True))
        told = [
            _said(words.HELD[self.split], person=person, number=number, counted=thing)
            for person, number in held.items()
        ]
        named = self.rng.sample([first, second], 2)
        if family == "add":
            question = words.ADDED[self.split].format(
                counted=thing, first=named[0], second=named[1]
            )
            total = sum(numbers)
            wrong = total + self.rng.choice((-2, -1, 1, 2))
            return _Facts("add", (told[0], told[1]), question, str(total), str(wrong), thing)
        more = "more" if numbers[0] > numbers[1] else "fewer"
        question = words.COMPARED[self.split].format(
            more=more, counted=thing, first=named[0], second=named[1]
        )
        return _Facts("compare", (told[0], told[1]), question, first, second, thing)

    def beside(self, facts: _Facts, number: int) -> str:
        """Return a sentence about somebody else, every second one of the kind asked for."""
        person = self.word("person")
        kinds = list(words.LOOKED_UP)
        if number % 2 == 0 and facts.kind not in kinds:
            held = words.HELD[self.split]
            return _said(held, person=person, number=self.rng.randint(2, 9), counted=facts.kind)
        kind = facts.kind if number % 2 == 0 else self.rng.choice(kinds)
        sentences, _, what = words.LOOKED_UP[kind]
        return _said(sentences[self.split], person=person, **{what: self.word(what)})


def _said(sentence: str, **filling: object) -> str:
    """Return a sentence with its places filled; `a` before a vowel is `an`."""
    said = sentence.format(**filling)
    for vowel in "aeiou":
        said = said.replace(f" a {vowel}", f" an {vowel}")
    return said


def _fillers(sentences: Sequence[str], length: Length, rng: random.Random) -> list[str]:
    """Return for each sentence neutral filler of its length or the nearest, none twice."""
    found: list[str] = []
    for sentence in sentences:
        wanted = length(sentence)
        left = [(abs(size - wanted), text) for text, size in _sized(length) if text not in found]
        best = min(gap for gap, _ in left)
        found.append(rng.choice([text for gap, text in left if gap == best]))
    return found


@cache
def _sized(length: Length) -> tuple[tuple[str, int], ...]:
    begin, middle, end = words.FILLER
    every = (f"{b} {m}{e}." for b in begin for m in middle for e in end)
    return tuple((text, length(text)) for text in every)
