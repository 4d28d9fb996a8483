"""What the checks read: a dozen tokens of the model's own vocabulary, whatever its language."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from ...models.model import Model
from ..core import core_of

WORDS = 14  # more than three windows of four tokens
SMALL = 1e-4  # of the largest value: below, two passes in float32 are the same


@dataclass(frozen=True)
class Probe:
    """Token ids with the places of the ordinary ones among them, and ids to exchange them for."""

    ids: tuple[int, ...]
    words: tuple[int, ...]
    others: tuple[int, ...]

    def changed(self, places: Collection[int]) -> tuple[int, ...]:
        """Return the ids with another ordinary token at each of the places."""
        return tuple(
            self.others[i % len(self.others)] if i in places else token
            for i, token in enumerate(self.ids)
        )


def probe(model: Model) -> Probe:
    """Return ordinary tokens between the special ones that a model's tokenizer puts around a text.

    They are spread over the vocabulary, so that no language and no alphabet is asked for.
    """
    plain = model.tokenise("a")
    special = [offset is None for offset in plain.offsets]
    start = special.index(False) if False in special else len(special)
    end = special[start:].index(True) + start if True in special[start:] else len(special)
    ids = _ordinary(model, 2 * WORDS)
    whole = (*plain.input_ids[:start], *ids[:WORDS], *plain.input_ids[end:])
    return Probe(whole, tuple(range(start, start + WORDS)), ids[WORDS:])


def _ordinary(model: Model, count: int) -> tuple[int, ...]:
    known = set(model.tokenizer.all_special_ids)
    size = len(model.tokenizer)
    step = max(1, size // (count + 2))
    ids = [i for i in range(step, size, step) if i not in known]
    if len(ids) < count:
        ids = [i for i in range(size) if i not in known]
    return tuple(ids[i % len(ids)] for i in range(count))


def states(network: Any, *rows: Sequence[int]) -> Any:
    """Return the last states of the part that reads the text, (rows, tokens, width) in float32."""
    import torch

    ids = torch.tensor(rows, device=network.device)
    with torch.inference_mode():
        output = core_of(network)(input_ids=ids, attention_mask=torch.ones_like(ids))
    return (output["last_hidden_state"] if "last_hidden_state" in output else output[0]).float()


def apart(a: Any, b: Any) -> float:
    """Return the largest difference of two tensors, as a share of the largest value in them."""
    size = float(a.abs().max().maximum(b.abs().max())) or 1.0
    found = float((a - b).abs().max()) / size
    return found if found == found else float("inf")
