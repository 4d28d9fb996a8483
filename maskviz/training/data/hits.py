"""Whether a strategy hides anything in the rows of a run: one that hides nothing is refused.

Where no row holds what a strategy looks for, a masked run is a plain one under another name, and
the task mlm has nothing to learn: its figures would be over nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import DataError, MaskError, TextError
from ...text.document import Document
from ..spec.mask_spec import MaskingSpec
from .masking import Masker, drawn

AT_ONCE = 64  # rows that a pipeline reads together
LOOKED_AT = 1000  # rows read before there is a run; the run itself looks at all


def require_hits(masker: Masker) -> None:
    """Raise DataError where no row of a run has anything to hide; most often the first one has."""
    masking = masker.masking
    if not masking.active or masking.matrix:
        return
    count = len(masker.texts)
    for start in range(0, count, AT_ONCE):
        rows = range(start, min(start + AT_ONCE, count))
        masker.prepare(rows)
        if any(masker.hits(row) for row in rows):
            return
    raise nothing_to_hide(masking, count)


def first_hit(
    masking: MaskingSpec, texts: Sequence[str | Document], seed: int, model: str
) -> int | None:
    """Return the first row in which the strategy hides something, None where no row is one."""
    from ...text.together import annotate_together

    name = masking.parameters.get("pipeline")
    for start in range(0, len(texts), AT_ONCE):
        chunk = texts[start : start + AT_ONCE]
        documents = [
            Document(t, **({"pipeline": name} if name else {})) if isinstance(t, str) else t
            for t in chunk
        ]
        if start and "pipeline" in masking.needs:  # of the first rows one alone is most often read
            annotate_together(documents)
        for row, document in enumerate(documents, start):
            try:
                if drawn(masking, document, seed, 0, row, model).spans:
                    return row
            except (TextError, MaskError):  # no words, or nothing left to read: it stays plain
                continue
    return None


def nothing_to_hide(masking: MaskingSpec, rows: int) -> DataError:
    """Return the error for rows in which a strategy finds nothing."""
    return DataError(
        f"0 of the {rows:,} rows to train on hold anything that {masking.named!r} hides, and a run "
        "that hides nothing says nothing of it: choose another strategy, other types, or rows "
        "that hold some."
    )
