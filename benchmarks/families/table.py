"""Write what the sweep found as a page of the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from . import roster
from .checks import CHECKS, columns
from .marks import CRASH, MARKS, NONE, REFUSED, RIGHT, WRONG

PAGE = Path(__file__).resolve().parents[2] / "docs" / "architectures.md"
SHOWN = {NONE: "·", RIGHT: "✓", CRASH: "crash", WRONG: "wrong"}
# label → head → {"marks": check → mark, "notes": check → sentences}
Results = Mapping[str, Mapping[str, Mapping[str, Mapping[str, object]]]]
ABOUT = """\
# Architectures

What maskviz can do with each text architecture of transformers {version}, and what it refuses and
why. `python benchmarks/architectures.py` makes a tiny random model of each, drives maskviz over it
and compares every number with passes by transformers alone; it wrote this page.

`✓`: right; `·`: nothing to compare, or not of this kind; a number: refused, for the reason of that
number under *Why*.
"""


def page(found: Mapping[str, Results], version: str) -> str:
    """Return the page: counts, reasons, a row for each architecture, settings and runs."""
    main, reasons = found.get("architectures", {}), Reasons()
    rows = [_row(label, heads, reasons) for label, heads in sorted(main.items())]
    others = [_row(label, heads, reasons) for label, heads in found.get("variants", {}).items()]
    runs = list(_runs(found.get("training", {}), reasons))
    return "\n".join(
        [
            ABOUT.format(version=version),
            f"**{counts(main)}**\n",
            *_columns(main),
            "\n## Each architecture\n",
            *_table(["Architecture", "Heads", *columns()], rows),
            "\n## Published settings\n",
            "Configurations as they are published, scaled down.\n",
            f"**{counts(found.get('variants', {}), 'settings')}**\n",
            *_table(["Settings", "Heads", *columns()], others),
            "\n## Training\n",
            f"Two steps each. **{counts(found.get('training', {}), 'architectures')}**\n",
            *_table(["Task", "Trained", "Refused"], runs),
            "\n## Why\n",
            *reasons.listed(),
            "\n## Left out\n",
            *_table(
                ["Architecture", "Why"], [list(one) for one in sorted(roster.LEFT_OUT.items())]
            ),
            "",
        ]
    )


class Reasons:
    """The sentences of refusals, numbered as they are met; architectures' names are left out."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, sentence: str, label: str) -> int:
        """Return the number of a sentence."""
        plain = re.sub(r"'[^']*/[^']*'", "'…'", sentence).replace(f"'{label}'", "'…'")
        plain = re.sub(r"(The architecture|The model) '[^']+'", r"\1 '…'", plain)
        plain = re.sub(r"\('?…'? \([^)]*\)\)|'…' \([^)]*\)", "'…'", plain)
        return self._numbers.setdefault(plain, len(self._numbers) + 1)

    def listed(self) -> list[str]:
        """Return the sentences, with their numbers."""
        return [f"{number}. {sentence}" for sentence, number in self._numbers.items()]


def worst(heads: Mapping[str, Mapping[str, Mapping[str, object]]], column: str) -> tuple[str, str]:
    """Return the worst mark of an architecture in a column, and the first sentence of it."""
    mark, said = NONE, ""
    for found in heads.values():
        for check, one in found["marks"].items():
            if column == _column(check) and MARKS.index(str(one)) > MARKS.index(mark):
                notes = found["notes"].get(check, [""])
                mark, said = str(one), str(notes[0])  # type: ignore[index]
    return mark, said


def _column(check: str) -> str:
    return CHECKS[check].column if check in CHECKS else "Loads"


def counts(found: Results, what: str = "architectures") -> str:
    """Return how many are right, wrong and crashed, in a sentence."""
    ends = [_end(heads) for heads in found.values()]
    right, wrong, crashed = (ends.count(mark) for mark in (RIGHT, WRONG, CRASH))
    return f"{right} of {len(ends)} {what} right, {wrong} wrong, {crashed} crashed"


def _end(heads: Mapping[str, Mapping[str, Mapping[str, object]]]) -> str:
    """Return what an architecture is with all of its heads; none, where one was not built."""
    marks = [mark for found in heads.values() for mark in found["marks"].values()]
    if any("built" in found["marks"] for found in heads.values()):
        return NONE
    return next((mark for mark in (WRONG, CRASH) if mark in marks), RIGHT)


def _columns(main: Results) -> Iterator[str]:
    """Yield how many are right and refused in each column; what shows no attention apart."""
    unseen = {label for label, heads in main.items() if worst(heads, "Attention")[0] == REFUSED}
    rows = []
    for column in columns():
        marks = {label: worst(heads, column)[0] for label, heads in main.items()}
        refused = {label for label, mark in marks.items() if mark == REFUSED}
        right = sum(mark == RIGHT for mark in marks.values())
        rows.append([column, right, len(refused), len(refused - unseen)])
    head = ["", "Right", "Refused", "Refused, though attention is shown"]
    yield from _table(head, rows)


def _row(
    label: str, heads: Mapping[str, Mapping[str, Mapping[str, object]]], reasons: Reasons
) -> list[object]:
    cells: list[object] = [label, " ".join(heads)]
    for column in columns():
        mark, said = worst(heads, column)
        cells.append(reasons.number(said, label) if mark == REFUSED else SHOWN[mark])
    return cells


def _runs(found: Results, reasons: Reasons) -> Iterator[list[object]]:
    """Yield for each task what was trained, and what was refused with its reason's number."""
    heads = {head for kinds in found.values() for head in kinds}
    for head in sorted(heads):
        ends = {name: kinds[head] for name, kinds in found.items() if head in kinds}
        trained, other = [], []
        for name, one in ends.items():
            mark = str(one["marks"]["trains"])
            if mark == RIGHT:
                trained.append(name)
                continue
            said = str(one["notes"]["trains"][0])  # type: ignore[index]
            number = reasons.number(said, name) if mark == REFUSED else mark
            other.append(f"{name} ({number})")
        yield [head, " ".join(trained), " ".join(other) or "·"]


def _table(head: list[str], rows: list[list[object]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(map(str, row))} |"
