"""The random control: `random` at the ratio at which it hides as many words as another mask."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import TextError
from ...text.document import Document
from ..spec.mask_spec import MaskingSpec
from .masking import drawn

SAMPLE = 200  # rows that a realised ratio is measured on


def realised_ratio(
    masking: MaskingSpec, texts: Sequence[str | Document], model: str = "mini", seed: int = 0
) -> float:
    """Return the mean share of words hidden over the first 200 texts, in [0, 1].

    A text of a conversation, or with what a person marked, is given as its Document.
    """
    from ...text.pipelines import BUNDLED
    from ...text.together import annotate_together

    if not masking.active:
        return 0.0
    name = masking.parameters.get("pipeline") or BUNDLED
    documents = [Document(t, name) if isinstance(t, str) else t for t in texts[:SAMPLE]]
    if "pipeline" in masking.needs:
        annotate_together(documents)
    return _mean_ratio(masking, documents, model, seed)


def _mean_ratio(
    masking: MaskingSpec, documents: Sequence[Document], model: str, seed: int
) -> float:
    ratios = []
    for row, document in enumerate(documents):
        try:
            ratios.append(drawn(masking, document, seed, 0, row, model).realised_ratio)
        except TextError:  # a row without words hides nothing
            ratios.append(0.0)
    return sum(ratios) / len(ratios) if ratios else 0.0


def matching_ratio(wanted: float, texts: Sequence[str], seed: int = 0) -> float:
    """Return the ratio, to three decimals, at which `random` hides a share of words near `wanted`.

    `random` rounds to whole words and hides at least one, so on short texts the ratio that was
    asked for and the share that is hidden differ; this looks for the ratio by bisection on the
    counts of words, without drawing a mask.
    """
    from ...masks.registry import budget
    from ...text.words import word_offsets

    counts = [n for n in (len(list(word_offsets(t))) for t in texts[:SAMPLE]) if n]

    def share(ratio: float) -> float:
        return sum(budget(n, ratio) / n for n in counts) / len(counts)

    if not counts or wanted <= 0:
        return 0.0
    low, high = 0.001, 1.0
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if share(middle) < wanted else (low, middle)
    return min((round(low, 3), round(high, 3)), key=lambda r: (abs(share(r) - wanted), r))
