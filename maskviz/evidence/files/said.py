"""What is said beside the result of a file."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import DataError
from ...readings.question import Question
from .tally import Tallies


def nothing_hidden(tallies: Tallies) -> list[str]:
    """Say of each strategy in how many rows it finds nothing to hide."""
    return [
        f"{name} hides nothing in {'any' if not t.hiding else f'{t.rows - t.hiding:,}'} of the "
        f"{t.rows:,} rows."
        for name, t in tallies.all.items()
        if t.hiding < t.rows
    ]


def same_task(questions: Sequence[Question]) -> list[str]:
    """Return a note where two models name their outputs differently; refuse different tasks."""
    if len(questions) == 1 or questions[0].outputs == questions[1].outputs:
        return []
    one, other = questions
    named = " and ".join(f"{q.model.name!r} ({', '.join(q.outputs)})" for q in questions)
    if len(one.outputs) != len(other.outputs) or one.head != other.head:
        raise DataError(f"The labels of {named} differ: compare two models of the same task.")
    return [f"The labels of {named} are taken as the same, in this order."]
