"""A distractor in rows of one's own: planted there, or an attribute the file already has.

Planted: a name, place, age or gender (in a sentence of its own), a word or a sentence, at the
start, the end or in the middle of a text. It goes with the label with strength ρ in training and is
aligned, neutral or reversed in the same held-out rows. A word or sentence is there or not; of names
and the like there are two groups.

A column: nothing is planted. Each value goes with the label that most of its training rows have;
held-out rows are *aligned* where they have that label, *reversed* where they have the other, and
*neutral* is as many of both, drawn at random.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data.distractor import KINDS
from ...data.groups import MOST
from ...data.labels import no_column
from ...data.rows import iter_rows
from ...errors import DataError, ParameterError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

PLACES = ("start", "end", "middle")
_SAID = {
    "name": "Written by {}.", "place": "Written in {}.", "age": "Written at the age of {}.",
    "gender": "Written by a {}.",
}  # fmt: skip
_FEWEST_TRAINED, _FEWEST_TESTED = 100, 20  # rows to train on; of each test set


@dataclass(frozen=True)
class Own:
    """Whose rows, and what is planted in them.

    plant: `name`, `place`, `age`, `gender`, `word:…`, `sentence:…`, or a column's name. place:
    where in a text. content: tells two versions of the file apart.
    """

    path: str
    text_column: str
    label_column: str
    plant: str = "name"
    place: str = "start"
    content: str = ""

    def __post_init__(self) -> None:
        if self.place not in PLACES:
            raise UnknownNameError.of("place", self.place, PLACES)
        if self.plant in (self.text_column, self.label_column):
            raise ParameterError(
                f"The column {self.plant!r} is the text or the label itself: name another one, or "
                "what is to be planted."
            )
        kind, _, written = self.plant.partition(":")
        if kind in ("word", "sentence") and not re.search(r"\w", written):
            raise ParameterError(
                f"The plant {self.plant!r} says nothing: write what is planted behind the colon, "
                "such as word:zebra."
            )

    @property
    def kind(self) -> str:
        """What is planted: of KINDS, `word`, `sentence`, or `column`."""
        kind = self.plant.partition(":")[0]
        return kind if kind in (*KINDS, "word", "sentence") else "column"

    @property
    def said(self) -> str:
        """What is planted, in a sentence: `name`, `word “zebra”`, `column “site”`."""
        kind, _, written = self.plant.partition(":")
        if self.kind in KINDS:
            return kind
        return f"{self.kind} “{written or self.plant}”"

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """What stands for label 0, and for label 1; nothing of a column."""
        if self.kind in KINDS:
            return tuple(tuple(group) for group in KINDS[self.kind])
        return ((), (self.plant.partition(":")[2].strip(),)) if self.kind != "column" else ((), ())

    def phrase(self, group: int, rng: random.Random) -> str:
        """Return what is written into a text of a group; empty where nothing is."""
        words = self.groups[group]
        if not words:
            return ""
        return _SAID.get(self.kind, "{}").format(rng.choice(words))


def own(path: str, text_column: str, label_column: str, plant: str, place: str = "start") -> Own:
    """Return a file's distractor, known by the file's content."""
    try:
        content = hashlib.sha256(Path(path).expanduser().read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise DataError(f"{path!r} cannot be read ({error.strerror}): check the path.") from None
    return Own(str(path), text_column, label_column, plant, place, content)


def own_frame(asked: Own, rows: int, strength: float, noise: float, seed: int) -> pd.DataFrame:
    """Return text, label, distractor, group and split of one seed, as `make` does.

    Raises DataError where the file has not two labels, too few rows, or the plant in most of them.
    """
    import pandas as pd

    rng = random.Random(seed)  # noqa: S311  repeatable, not secret
    texts, already = _usable(asked)
    rng.shuffle(texts)
    trained = min(rows, round(0.7 * len(texts)))
    dev = min(64, len(texts) // 20)
    if trained < _FEWEST_TRAINED:
        needed = round(_FEWEST_TRAINED / 0.7) + 1
        has = f" ({already:,} have the {asked.said} already and are left out)" if already else ""
        raise DataError(
            f"{len(texts)} different texts with all that is asked for can be used{has}, and at "
            f"least {needed} are needed: give a file with more."
        )
    labels = _two_labels(asked, texts)
    parts = {"train": texts[:trained], "dev": texts[trained : trained + dev]}
    tested = texts[trained + dev : trained + dev + max(rows // 5, 2 * _FEWEST_TESTED)]
    if asked.kind == "column":
        found = _tied(parts, texts[trained + dev :], labels, rng)
    else:
        found = _with_plant(asked, parts, tested, labels, strength, noise, rng)
    return pd.DataFrame(found, columns=["text", "label", "distractor", "group", "split"])


def _two_labels(asked: Own, texts: list[tuple[str, str, str]]) -> list[str]:
    labels = sorted({label for _, label, _ in texts})
    if len(labels) != 2:
        shown = f"{', '.join(labels[:5])}{', …' * (len(labels) > 5)}"
        raise DataError(
            f"The column {asked.label_column!r} has {len(labels):,} label{'s' * (len(labels) > 1)} "
            f"({shown}), and a distractor goes with one of two: keep the rows of two labels."
        )
    values = len({value for _, _, value in texts})
    if asked.kind == "column" and values > MOST:
        raise DataError(
            f"The column {asked.plant!r} has {values:,} different values, and at most {MOST} can "
            "be tied to a label: name a column with fewer."
        )
    return labels


def _usable(asked: Own) -> tuple[list[tuple[str, str, str]], int]:
    """Return text, label and the column's value of the rows that have all, each text once.

    And how many rows are left out since the plant is in them already.
    """
    words = [re.escape(word) for group in asked.groups for word in group]
    there = re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE) if words else None
    columns = [asked.text_column, asked.label_column]
    columns += [asked.plant] if asked.kind == "column" else []
    found: dict[str, tuple[str, str, str]] = {}
    already = read = 0
    for row in iter_rows(asked.path):
        read += 1
        for column in columns:
            if column not in row:
                raise no_column(column, list(row))
        values = [str(row[column] if row[column] is not None else "").strip() for column in columns]
        if not all(values) or not re.search(r"\w", values[0]):
            continue
        if there is not None and there.search(values[0]):
            already += 1
            continue
        found.setdefault(values[0], (values[0], values[1], values[-1]))
    if already > read / 2:
        raise DataError(
            f"The {asked.said} is in {already:,} of {read:,} texts already: plant something "
            "that they do not have, or name the column that says who has it."
        )
    return list(found.values()), already


def _with_plant(
    asked: Own, parts: dict[str, Any], tested: Any, labels: list[str], strength: float,
    noise: float, rng: random.Random,
) -> list[tuple[str, str, str, int, str]]:  # fmt: skip
    rows = []
    for split, own_rows in parts.items():
        for text, label, _ in own_rows:
            number = labels.index(label)
            number = 1 - number if rng.random() < noise else number
            group = number if rng.random() < strength else 1 - number
            rows.append(_planted(asked, text, labels[number], group, split, rng))
    if len(tested) < _FEWEST_TESTED:
        raise _too_few(len(tested), "are left to test on")
    for split in ("aligned", "neutral", "reversed"):
        for text, label, _ in tested:
            number = labels.index(label)
            group = {"aligned": number, "reversed": 1 - number}.get(split, rng.randrange(2))
            rows.append(_planted(asked, text, label, group, split, rng))
    return rows


def _planted(
    asked: Own, text: str, label: str, group: int, split: str, rng: random.Random
) -> tuple[str, str, str, int, str]:
    phrase = asked.phrase(group, rng)
    if phrase and asked.place == "middle":
        spaces = [found.end() for found in re.finditer(r"\s+", text)]
        at = rng.choice(spaces) if spaces else 0
        text = f"{text[:at]}{phrase} {text[at:]}"
    elif phrase:
        text = f"{phrase} {text}" if asked.place == "start" else f"{text} {phrase}"
    return text, label, phrase, group, split


def _tied(
    parts: dict[str, Any], held_out: Any, labels: list[str], rng: random.Random
) -> list[tuple[str, str, str, int, str]]:
    """Return the rows of a column that is tied to the label, as they are."""
    counts: dict[str, Counter[str]] = {}
    for _, label, value in parts["train"]:
        counts.setdefault(value, Counter())[label] += 1
    told = {
        value: labels.index(own.most_common(1)[0][0])
        for value, own in counts.items()
        if len(own) == 1 or own[labels[0]] != own[labels[1]]
    }
    if len(set(told.values())) < 2:
        raise DataError(
            "Every value of the column goes with the same label most often: it says nothing of "
            "which. Name a column that is tied to the label."
        )
    rows = [
        (text, label, value, told.get(value, 0), split)
        for split, own in parts.items()
        for text, label, value in own
    ]
    known = [(t, label, v, told[v]) for t, label, v in held_out if v in told]
    aligned = [row for row in known if labels[row[3]] == row[1]]
    reversed_ = [row for row in known if labels[row[3]] != row[1]]
    few = min(len(aligned), len(reversed_))
    if not reversed_:
        raise DataError(
            "In all held-out rows the column says what the label is, so that the two cannot be "
            "told apart: name a column that is tied to the label less closely."
        )
    if few < _FEWEST_TESTED:
        raise _too_few(few, "of the held-out rows have the other label than their value's usual")
    tests = {
        "aligned": aligned, "reversed": reversed_,
        "neutral": [*rng.sample(aligned, few), *rng.sample(reversed_, few)],
    }  # fmt: skip
    return rows + [(*row, split) for split, own in tests.items() for row in own]


def _too_few(count: int, what: str) -> DataError:
    return DataError(
        f"{count} rows {what}, and at least {_FEWEST_TESTED} are needed: give a file with more."
    )
