"""Which of the model's labels the labels of a file stand for: guessed, corrected, kept.

A map is `value of the file → label of the model`, or None for rows that are to be left out. A guess
is made in this order, and says by what:

    name      the exact label, or one that differs in case alone      Positive → positive
    number    a number that a name holds, else the place from 0 on     1 → positive
    place     as many whole numbers as labels without names of their own, from 1 on
    begin     the one label that begins with it, or it with that       pos → positive
    meaning   bad, indifferent or good, where one label says so       unsatisfied → negative
    order     bad before indifferent before good, of labels without names (LABEL_0, LABEL_1)

Only `name` and `number` are read without being asked; all others are shown to be confirmed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError, ParameterError
from .known import Known, as_number
from .labels import Shape, label_columns
from .rows import iter_rows

LabelMap = Mapping[str, str | None]
LEFT_OUT = "-"  # in the place of a label: rows with this value are left out
MOST = 40  # values that a person maps by hand
_NAMELESS = re.compile(r"(?:label|class|cls)?[_ -]?\d+", re.IGNORECASE)
_SAYS = {
    -1: "negative neg bad unsatisfied dissatisfied unhappy poor worse awful terrible unfavourable "
    "unfavorable disliked dislike unacceptable complaint rejected fail failed no false",
    0: "neutral neu mixed indifferent average ok okay undecided medium",
    1: "positive pos good satisfied happy great better excellent favourable favorable liked like "
    "acceptable praise accepted pass passed yes true",
}  # fmt: skip
_MEANING = {word: side for side, words in _SAYS.items() for word in words.split()}
_NOT = ("not ", "non-", "non ", "no ", "never ")


@dataclass(frozen=True)
class Guess:
    """What a value of a file is taken for; `how` is empty and label None where nothing fits."""

    value: str
    label: str | None
    how: str = ""

    @property
    def sure(self) -> bool:
        """Whether a file is read so without being asked."""
        return self.how in ("name", "number")


def guesses(values: Sequence[str], outputs: Sequence[str]) -> list[Guess]:
    """Return what each value of a file's labels stands for among a model's.

    >>> [g.label for g in guesses(["satisfied", "unsatisfied"], ["negative", "positive"])]
    ['positive', 'negative']
    >>> [g.label for g in guesses(["good", "bad", "mixed"], ["LABEL_0", "LABEL_1", "LABEL_2"])]
    ['LABEL_2', 'LABEL_0', 'LABEL_1']
    """
    placed = _by_place(values, outputs)
    if placed:
        return [Guess(value, placed[value], "place") for value in values]
    found = [_guess(value, outputs) for value in values]
    if any(guess.label for guess in found):
        return found
    ordered = _by_order(values, outputs)
    return [Guess(v, ordered[v], "order") for v in values] if ordered else found


def _guess(value: str, outputs: Sequence[str]) -> Guess:
    known = Known(tuple(outputs))
    if (label := known.named(value)) is not None:
        return Guess(value, label, "name")
    if (label := known.find(value)) is not None:
        return Guess(value, label, "number")
    if (label := _begun(value, outputs)) is not None:
        return Guess(value, label, "begin")
    side = meaning(value)
    same = [output for output in outputs if side is not None and meaning(output) == side]
    return Guess(value, same[0], "meaning") if len(same) == 1 else Guess(value, None)


def meaning(label: str) -> int | None:
    """Return −1, 0 or 1 for a label that says bad, indifferent or good, None for any other.

    >>> meaning("Very satisfied"), meaning("not satisfied"), meaning("sports")
    (1, -1, None)
    """
    text = " ".join(label.casefold().replace("_", " ").split())
    turned = next((word for word in _NOT if text.startswith(word)), "")
    told = {_MEANING[word] for word in text[len(turned) :].split() if word in _MEANING}
    if len(told) != 1:
        return None
    return -told.pop() if turned else told.pop()


def _begun(value: str, outputs: Sequence[str]) -> str | None:
    """Return the one label that begins as the value does, of three letters at least."""
    text = value.casefold().strip()
    if len(text) < 3:
        return None
    fits = [o for o in outputs if _starts(o.casefold(), text) or _starts(text, o.casefold())]
    return fits[0] if len(fits) == 1 else None


def _starts(longer: str, shorter: str) -> bool:
    return len(shorter) > 2 and longer.startswith(shorter)


def _nameless(outputs: Sequence[str]) -> bool:
    return all(_NAMELESS.fullmatch(output.strip()) for output in outputs)


def _by_place(values: Sequence[str], outputs: Sequence[str]) -> dict[str, str]:
    """Read 1 … n as the first to the last of n labels without names of their own."""
    numbers = {value: as_number(value) for value in values}
    wanted = [float(i) for i in range(1, len(outputs) + 1)]
    if not _nameless(outputs) or sorted(n for n in numbers.values() if n is not None) != wanted:
        return {}
    return {v: outputs[int(n) - 1] for v, n in numbers.items() if n is not None}


def _by_order(values: Sequence[str], outputs: Sequence[str]) -> dict[str, str]:
    sides = {value: meaning(value) for value in values}
    ordered = sorted({side for side in sides.values() if side is not None})
    if None in sides.values() or len(ordered) != len(outputs) or not _nameless(outputs):
        return {}
    return {v: outputs[ordered.index(side)] for v, side in sides.items() if side is not None}


def label_values(
    source: str | Path | bytes, column: str, several: bool = False, name: str | None = None
) -> dict[str, int]:
    """Return the different labels of a file with their rows, the most frequent first.

    What the shape itself names (vectors, a column a label) is no value to be mapped but for the
    columns' own names. Of more than a thousand the rest is not counted.
    """
    head = next(iter_rows(source, name), None)
    if head is None:
        return {}
    known = list(head)
    columns = label_columns(column, known)
    rows = ({c: row[c] for c in columns} for row in iter_rows(source, name))
    shape = Shape.found(column, known, rows, several)
    if shape.names:
        return dict.fromkeys(shape.columns if len(shape.columns) > 1 else (), 0)
    counts: Counter[str] = Counter()
    for number, row in enumerate(iter_rows(source, name), start=1):
        for label in shape.read(row, number) or ():
            if len(counts) < 1000 or label in counts:
                counts[label] += 1
    return dict(counts.most_common())


def read_label_map(written: str) -> dict[str, str | None]:
    """Read a map as the command line takes it: `a=x,b=y`, JSON, or a file of JSON.

    `-` or nothing behind the sign leaves the rows out. Raises ParameterError.

    >>> read_label_map("satisfied=positive, unsatisfied=negative, unknown=-")
    {'satisfied': 'positive', 'unsatisfied': 'negative', 'unknown': None}
    """
    text = written.strip()
    if text.endswith(".json") and "=" not in text:
        text = _file(Path(text))
    if text.startswith("{"):
        return _of_json(text)
    found = {}
    for item in filter(str.strip, text.split(",")):
        value, sign, label = item.rpartition("=")
        if not sign or not value.strip():
            raise ParameterError(
                f"--label-map has {item.strip()[:40]!r}: write value=label, with commas between, "
                'or JSON: {"satisfied": "positive"}.'
            )
        found[value.strip()] = _label(label)
    return found


def _file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise DataError(
            f"The label map {str(path)!r} cannot be read: give a file of JSON."
        ) from None


def _of_json(text: str) -> dict[str, str | None]:
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict) or any(isinstance(v, dict | list) for v in given.values()):
        raise ParameterError(
            f"The label map {text[:40]!r} cannot be read: write an object of JSON that gives each "
            'value a label, such as {"satisfied": "positive", "unknown": null}.'
        )
    return {
        str(value): _label("" if label is None else str(label)) for value, label in given.items()
    }


def _label(written: str) -> str | None:
    label = written.strip()
    return None if label in ("", LEFT_OUT) else label
